"""What a chip says it can do: the SecurityInfos of EF.CardAccess, EF.CardSecurity and DG14 (Doc 9303-11 §9.2).

Structure is held to strictly. An object identifier nobody here knows is kept by name and does no harm: states put their
own there (§9.2: unsupported infos are ignored).
"""

from dataclasses import dataclass
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.cipher_suites import CipherSuite
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.domain_parameters import AgreementKey, Domain, domain_of, public_key_of, standard_domain
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS

INFOS_MAX = 64  # the fullest seen, a German test card, has 11
CONTENT_MAX = 65_536
PARAMETER_ID_MAX = 0x7FFFFFFF  # private ids are free numbers; they only have to be the same in two places

BSI = "0.4.0.127.0.7.2.2"  # bsi-de protocols smartcard, TR-03110-3 §A.1.1
ACTIVE_AUTHENTICATION = "2.23.136.1.1.5"  # Doc 9303-11 §9.2.6
AA_SIGNATURES = {  # TR-03111 §5.2.1.1, ecdsa-plain; RIPEMD-160 (.6) is in nobody's library any more
    "0.4.0.127.0.7.1.1.4.1.1": "sha1",
    "0.4.0.127.0.7.1.1.4.1.2": "sha224",
    "0.4.0.127.0.7.1.1.4.1.3": "sha256",
    "0.4.0.127.0.7.1.1.4.1.4": "sha384",
    "0.4.0.127.0.7.1.1.4.1.5": "sha512",
}
SUITES = {"1": CipherSuite.TDES, "2": CipherSuite.AES_128, "3": CipherSuite.AES_192, "4": CipherSuite.AES_256}


class Agreement(StrEnum):
    """Where the Diffie-Hellman happens."""

    DH = "DH"
    ECDH = "ECDH"


class Mapping(StrEnum):
    """How PACE makes its ephemeral generator (§4.4.3.3)."""

    GENERIC = "GM"
    INTEGRATED = "IM"
    CHIP_AUTHENTICATION = "CAM"


# TR-03110-3 §A.1.1.1 and Doc 9303-11 §9.2.1: the arc behind id-PACE
PACE_FAMILIES = {
    "1": (Agreement.DH, Mapping.GENERIC),
    "2": (Agreement.ECDH, Mapping.GENERIC),
    "3": (Agreement.DH, Mapping.INTEGRATED),
    "4": (Agreement.ECDH, Mapping.INTEGRATED),
    "6": (Agreement.ECDH, Mapping.CHIP_AUTHENTICATION),
}
AGREEMENTS = {"1": Agreement.DH, "2": Agreement.ECDH}


@dataclass(frozen=True, slots=True)
class PaceInfo:
    """One way the chip speaks PACE (§9.2.1).

    Attributes:
        parameter_id: Standard domain parameters 0 to 2 and 8 to 18, or a `PaceDomainInfo` of the same number.
    """

    oid: str
    agreement: Agreement
    mapping: Mapping
    suite: CipherSuite
    version: int
    parameter_id: int | None


@dataclass(frozen=True, slots=True)
class PaceDomainInfo:
    """Domain parameters spelled out (§9.2.2)."""

    agreement: Agreement
    mapping: Mapping
    domain: Domain
    parameter_id: int | None


@dataclass(frozen=True, slots=True)
class ChipAuthenticationInfo:
    """One way the chip speaks chip authentication (§9.2.5)."""

    oid: str
    agreement: Agreement
    suite: CipherSuite
    version: int
    key_id: int | None


@dataclass(frozen=True, slots=True)
class ChipAuthenticationPublicKeyInfo:
    """The chip's static public key (§9.2.6), `spki` the SubjectPublicKeyInfo as it stands in the file."""

    agreement: Agreement
    key: AgreementKey
    spki: bytes
    key_id: int | None


@dataclass(frozen=True, slots=True)
class TerminalAuthenticationInfo:
    """The chip wants terminals to prove themselves (§9.2.7); where EF.CVCA is, when it says so."""

    version: int
    cvca_fid: int | None
    cvca_sfi: int | None


@dataclass(frozen=True, slots=True)
class ActiveAuthenticationInfo:
    """Which plain ECDSA the chip signs with (§9.2.4); `digest` by its hashlib name, None for one we lack."""

    version: int
    signature_oid: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class SecurityInfos:
    """All of them, each kind in the order of the file; `others` are identifiers not read further."""

    pace: tuple[PaceInfo, ...] = ()
    pace_domains: tuple[PaceDomainInfo, ...] = ()
    chip_authentication: tuple[ChipAuthenticationInfo, ...] = ()
    chip_keys: tuple[ChipAuthenticationPublicKeyInfo, ...] = ()
    terminal_authentication: tuple[TerminalAuthenticationInfo, ...] = ()
    active_authentication: tuple[ActiveAuthenticationInfo, ...] = ()
    others: tuple[str, ...] = ()

    def chip_key(self, key_id: int | None) -> ChipAuthenticationPublicKeyInfo | None:
        """The key with that id; without one, the only key there is."""
        if key_id is None:
            return self.chip_keys[0] if len(self.chip_keys) == 1 else None
        return next((found for found in self.chip_keys if found.key_id == key_id), None)

    def offers_the_same_pace(self, signed: "SecurityInfos") -> bool:
        """Whether every way to PACE here stands in the signed infos of DG14 or EF.CardSecurity as well, and none more.

        EF.CardAccess is not signed: someone between chip and reader may have taken the better ways out of it (§9.2.11).
        """
        return set(self.pace) == set(signed.pace) and set(self.pace_domains) == set(signed.pace_domains)

    def pace_domain(self, info: PaceInfo) -> Domain | None:
        """The domain parameters an info means, or None when it means none that we have.

        Standard numbers mean the standard's parameters, whatever else is spelled out under them (§9.5).
        """
        if info.parameter_id is not None and (standard := standard_domain(info.parameter_id)) is not None:
            return standard
        return next(
            (
                spelled.domain
                for spelled in self.pace_domains
                if spelled.agreement is info.agreement and spelled.parameter_id == info.parameter_id
            ),
            None,
        )


SecurityInfo = (
    PaceInfo
    | PaceDomainInfo
    | ChipAuthenticationInfo
    | ChipAuthenticationPublicKeyInfo
    | TerminalAuthenticationInfo
    | ActiveAuthenticationInfo
    | str
)


def parse_security_infos(encoded: bytes) -> SecurityInfos:
    """EF.CardAccess, or the content of EF.CardSecurity or DG14: a SET OF SecurityInfo.

    `MalformedFileError` names the info that does not follow its definition, or a key that is no point of its curve.
    """
    if len(encoded) > CONTENT_MAX:
        raise MalformedFileError("security infos", f"{len(encoded)} bytes")
    infos = tlv.parse_all(tlv.only(encoded, der.SET))
    if len(infos) > INFOS_MAX:
        raise MalformedFileError("security infos", f"{len(infos)} of them")
    parsed = [_parse_info(der.expect(info, der.SEQUENCE, "security info")) for info in infos]
    return SecurityInfos(
        pace=tuple(info for info in parsed if isinstance(info, PaceInfo)),
        pace_domains=tuple(info for info in parsed if isinstance(info, PaceDomainInfo)),
        chip_authentication=tuple(info for info in parsed if isinstance(info, ChipAuthenticationInfo)),
        chip_keys=tuple(info for info in parsed if isinstance(info, ChipAuthenticationPublicKeyInfo)),
        terminal_authentication=tuple(info for info in parsed if isinstance(info, TerminalAuthenticationInfo)),
        active_authentication=tuple(info for info in parsed if isinstance(info, ActiveAuthenticationInfo)),
        others=tuple(info for info in parsed if isinstance(info, str)),
    )


def parse_dg14(content: bytes) -> SecurityInfos:
    """The infos in DG14, its outer tag included (Doc 9303-10 §4.7.14)."""
    return parse_security_infos(tlv.only(content, DATA_GROUP_TAGS[14]))


def _parse_info(value: bytes) -> SecurityInfo:
    """One info by its identifier: SEQUENCE { protocol, requiredData, optionalData OPTIONAL }."""
    parts = tlv.parse_all(value)
    if not 2 <= len(parts) <= 3:
        raise MalformedFileError("security info", f"{len(parts)} parts")
    oid = der.object_identifier(der.expect(parts[0], der.OBJECT_IDENTIFIER, "security info"))
    if oid == ACTIVE_AUTHENTICATION:
        return _active_authentication(parts)
    if not oid.startswith(BSI + "."):
        return oid
    match oid.removeprefix(BSI + ".").split("."):
        case ["4", family, suite] if family in PACE_FAMILIES and suite in SUITES:
            agreement, mapping = PACE_FAMILIES[family]
            return PaceInfo(oid, agreement, mapping, SUITES[suite], _version(parts[1]), _optional_id(parts))
        case ["4", family] if family in PACE_FAMILIES:
            agreement, mapping = PACE_FAMILIES[family]
            domain = domain_of(der.expect(parts[1], der.SEQUENCE, "PACE domain parameters"))
            _same_kind(agreement, domain)
            return PaceDomainInfo(agreement, mapping, domain, _optional_id(parts))
        case ["3", family, suite] if family in AGREEMENTS and suite in SUITES:
            version, key_id = _version(parts[1]), _optional_id(parts)
            return ChipAuthenticationInfo(oid, AGREEMENTS[family], SUITES[suite], version, key_id)
        case ["1", family] if family in AGREEMENTS:
            spki = der.expect(parts[1], der.SEQUENCE, "chip authentication key")
            key, encoded = public_key_of(spki), tlv.encode(der.SEQUENCE, spki)
            _same_kind(AGREEMENTS[family], key.domain)
            return ChipAuthenticationPublicKeyInfo(AGREEMENTS[family], key, encoded, _optional_id(parts))
        case ["2"]:
            return _terminal_authentication(parts)
        case _:
            return oid


def _same_kind(agreement: Agreement, domain: Domain) -> None:
    """Nothing, or `MalformedFileError` when an identifier says curve and its parameters are a prime group, or so."""
    if (agreement is Agreement.ECDH) is not isinstance(domain, Curve):
        raise MalformedFileError("domain parameters", f"not of the kind that {agreement} needs")


def _version(found: tlv.Tlv) -> int:
    """The version number of an info."""
    return der.unsigned(der.expect(found, der.INTEGER, "version"))


def _optional_id(parts: list[tlv.Tlv]) -> int | None:
    """The parameter or key id, where there is one."""
    if len(parts) == 2:
        return None
    number = der.unsigned(der.expect(parts[2], der.INTEGER, "parameter or key id"))
    if number > PARAMETER_ID_MAX:
        raise MalformedFileError("parameter or key id", f"{number.bit_length()} bits")
    return number


def _terminal_authentication(parts: list[tlv.Tlv]) -> TerminalAuthenticationInfo:
    """TerminalAuthenticationInfo with its FileID { fid OCTET STRING (2), sfid OCTET STRING (1) OPTIONAL }."""
    version = _version(parts[1])
    if len(parts) == 2:
        return TerminalAuthenticationInfo(version, None, None)
    file_id = tlv.parse_all(der.expect(parts[2], der.SEQUENCE, "efCVCA"))
    identifiers = [der.expect(found, der.OCTET_STRING, "efCVCA") for found in file_id]
    if [len(identifier) for identifier in identifiers] not in ([2], [2, 1]):
        raise MalformedFileError("efCVCA", "no file identifier")
    numbers = [int.from_bytes(identifier, "big") for identifier in identifiers]
    return TerminalAuthenticationInfo(version, numbers[0], numbers[1] if len(numbers) == 2 else None)


def _active_authentication(parts: list[tlv.Tlv]) -> ActiveAuthenticationInfo:
    """ActiveAuthenticationInfo { version, signatureAlgorithm OBJECT IDENTIFIER }."""
    if len(parts) != 3:
        raise MalformedFileError("ActiveAuthenticationInfo", "without its algorithm")
    oid = der.object_identifier(der.expect(parts[2], der.OBJECT_IDENTIFIER, "ActiveAuthenticationInfo"))
    return ActiveAuthenticationInfo(_version(parts[1]), oid, AA_SIGNATURES.get(oid))
