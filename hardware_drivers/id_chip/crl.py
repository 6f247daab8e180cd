"""Revocation lists of the country signing authorities: RFC 5280 §5 as Doc 9303-12 §7.1.4 narrows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import algos, crl, pem

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, PublicKey, signature_holds
from hardware_drivers.id_chip.trust_index import comparable_name

# Extensions whose meaning is honoured here; any other critical one makes a list unusable (RFC 5280 §5.2).
KNOWN_EXTENSIONS = frozenset({"authority_key_identifier", "crl_number", "issuer_alt_name"})
KNOWN_ENTRY_EXTENSIONS = frozenset({"crl_reason", "invalidity_date", "hold_instruction_code", "certificate_issuer"})


@dataclass(frozen=True, slots=True)
class RevocationList:
    """One list, parsed and not yet believed.

    Attributes:
        issuer: As `comparable_name` writes it.
        next_update: When a newer one should exist; None where the list does not say, which Doc 9303 forbids.
        revoked: Issuer and serial number of each revoked certificate, to the time it was revoked.
    """

    issuer: bytes
    this_update: datetime
    next_update: datetime | None
    revoked: Mapping[tuple[bytes, int], datetime]
    algorithm: algos.SignedDigestAlgorithm = field(repr=False)
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)

    def signature_holds(self, key: PublicKey) -> bool:
        """Whether this key signed the list; `MalformedFileError` for an algorithm outside Doc 9303-12."""
        return signature_holds(key, self.algorithm, self.signature, self.signed)


def parse_crl(content: bytes) -> RevocationList:
    """The list in DER or PEM; `MalformedFileError` when it is none, or says something critical we do not know."""
    try:
        if pem.detect(content):
            _, _, content = pem.unarmor(content)
        parsed = crl.CertificateList.load(content, strict=True)
        listed = parsed["tbs_cert_list"]
        if listed["signature"].dump() != parsed["signature_algorithm"].dump():
            raise MalformedFileError("revocation list", "names two signature algorithms")
        _require_known(listed["crl_extensions"], KNOWN_EXTENSIONS)
        issuer = comparable_name(listed["issuer"].dump())
        return RevocationList(
            issuer=issuer,
            this_update=listed["this_update"].native,
            next_update=listed["next_update"].native,
            revoked=_revoked(listed["revoked_certificates"], issuer),
            algorithm=parsed["signature_algorithm"],
            signature=parsed["signature"].native,
            signed=listed.dump(),
        )
    except (IndexError, *ASN1_ERRORS) as error:
        raise MalformedFileError("revocation list", type(error).__name__) from error


def _revoked(entries: crl.RevokedCertificates, issuer: bytes) -> dict[tuple[bytes, int], datetime]:
    """The entries; one that names another issuer holds for those after it too (RFC 5280 §5.3.3)."""
    revoked: dict[tuple[bytes, int], datetime] = {}
    for entry in entries:
        _require_known(entry["crl_entry_extensions"], KNOWN_ENTRY_EXTENSIONS)
        if entry.certificate_issuer_value is not None:
            (named,) = entry.certificate_issuer_value
            issuer = comparable_name(named.chosen.dump())
        revoked[issuer, entry["user_certificate"].native] = entry["revocation_date"].native
    return revoked


def _require_known(extensions: crl.TBSCertListExtensions, known: frozenset[str]) -> None:
    """Nothing, or `MalformedFileError` for a critical extension that is not among these."""
    for extension in extensions:
        if extension["critical"].native and extension["extn_id"].native not in known:
            raise MalformedFileError("revocation list", "critical extension of unknown meaning")
