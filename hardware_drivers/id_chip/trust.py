"""Who may sign identity documents: the states' CSCA certificates (Doc 9303-12 §3), from files an operator put there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from asn1crypto import cms, core, pem, x509

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, PublicKey, public_key, signature_holds

MASTER_LIST = "2.23.136.1.1.2"  # id-icao-cscaMasterList, Doc 9303-12 §9
SUFFIXES = (".der", ".cer", ".crt", ".pem", ".ml")


class _Certificates(core.SetOf):  # type: ignore[misc]  # asn1crypto has no type information
    """SET OF Certificate."""

    _child_spec = x509.Certificate


class _MasterList(core.Sequence):  # type: ignore[misc]  # as above
    """CscaMasterList, Doc 9303-12 §9.1.2."""

    _fields = [("version", core.Integer), ("certificates", _Certificates)]  # noqa: RUF012 - asn1crypto's way


class ChainResult(StrEnum):
    """What came of looking for a signer's issuer."""

    TRUSTED = "trusted"
    UNKNOWN_ISSUER = "unknown_issuer"
    WRONG_SIGNATURE = "wrong_signature"
    UNUSABLE = "unusable"  # an algorithm or key that Doc 9303-12 does not know


@dataclass(frozen=True, slots=True)
class TrustStore:
    """CSCA certificates, found by subject name or by key identifier.

    Attributes:
        by_subject: DER of the name to certificates.
        by_key_identifier: Subject key identifier to certificates.
    """

    by_subject: Mapping[bytes, tuple[x509.Certificate, ...]]
    by_key_identifier: Mapping[bytes, tuple[x509.Certificate, ...]]

    @classmethod
    def of(cls, certificates: Iterable[bytes]) -> Self:
        """A store of these certificates in DER; one that is no certificate raises `MalformedFileError`."""
        return cls._of_authorities({der: _authority(der) for der in certificates}.values())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """All certificates in a folder: .der .cer .crt .pem, and master lists .ml.

        A master list is taken because the operator put it there; its own signature is not checked yet.
        `MalformedFileError` names the file that is none of these.
        """
        authorities: dict[bytes, _Authority] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES:
                try:
                    found = _certificates_in(path.read_bytes(), path.suffix.lower())
                    authorities |= {der: _authority(der) for der in found if der not in authorities}
                except (MalformedFileError, *ASN1_ERRORS) as error:
                    raise MalformedFileError(path.name, "no certificate or master list") from error
        return cls._of_authorities(authorities.values())

    @classmethod
    def _of_authorities(cls, authorities: "Iterable[_Authority]") -> Self:
        """The two indexes."""
        by_subject: dict[bytes, tuple[x509.Certificate, ...]] = {}
        by_key: dict[bytes, tuple[x509.Certificate, ...]] = {}
        for authority in authorities:
            by_subject[authority.subject] = (*by_subject.get(authority.subject, ()), authority.certificate)
            if authority.identifier:
                by_key[authority.identifier] = (*by_key.get(authority.identifier, ()), authority.certificate)
        return cls(by_subject, by_key)

    def __len__(self) -> int:
        """How many certificates there are."""
        return sum(len(same) for same in self.by_subject.values())

    def check(self, certificate: x509.Certificate) -> ChainResult:
        """Whether one of our CSCA certificates signed this one (Doc 9303-11 §5.1, steps 2 and 3)."""
        try:
            candidates = self._issuers(certificate)
            signed = certificate["tbs_certificate"].dump()
            signature = certificate["signature_value"].native
            algorithm = certificate["signature_algorithm"]
        except ASN1_ERRORS:
            return ChainResult.UNUSABLE
        outcome = ChainResult.UNKNOWN_ISSUER
        for issuer in candidates:
            try:
                key = _issuing_key(issuer)
                if signature_holds(key, algorithm, signature, signed):
                    return ChainResult.TRUSTED
                outcome = ChainResult.WRONG_SIGNATURE
            except MalformedFileError:
                outcome = ChainResult.UNUSABLE if outcome is ChainResult.UNKNOWN_ISSUER else outcome
        return outcome

    def _issuers(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """Certificates whose subject is its issuer, or whose key it names; renewed ones share either."""
        by_name = self.by_subject.get(_comparable(certificate.issuer), ())
        identifier = certificate.authority_key_identifier
        by_key = self.by_key_identifier.get(identifier, ()) if identifier else ()
        return list({issuer.dump(): issuer for issuer in (*by_key, *by_name)}.values())


@dataclass(frozen=True, slots=True)
class _Authority:
    """One certificate and what it is found by."""

    certificate: x509.Certificate
    subject: bytes
    identifier: bytes | None


def _authority(der: bytes) -> _Authority:
    """The certificate in these bytes, or `MalformedFileError`."""
    try:
        certificate = x509.Certificate.load(der, strict=True)
        return _Authority(certificate, _comparable(certificate.subject), certificate.key_identifier)
    except ASN1_ERRORS as error:
        raise MalformedFileError("CSCA certificate", type(error).__name__) from error


def _issuing_key(issuer: x509.Certificate) -> PublicKey:
    """The key of a certificate that may issue others (RFC 5280 §4.2.1.9)."""
    try:
        constraints = issuer.basic_constraints_value
        may_issue = constraints is None or constraints["ca"].native
    except ASN1_ERRORS as error:
        raise MalformedFileError("CSCA certificate", type(error).__name__) from error
    if not may_issue:
        raise MalformedFileError("CSCA certificate", "is no certification authority")
    return public_key(issuer["tbs_certificate"]["subject_public_key_info"])


def _comparable(name: x509.Name) -> bytes:
    """A name as bytes that do not depend on string type or letter case (RFC 5280 §7.1)."""
    return bytes(name.hashable, "utf-8")


def _certificates_in(content: bytes, suffix: str) -> list[bytes]:
    """The certificates of one file, in DER."""
    if suffix == ".ml":
        signed = cms.ContentInfo.load(content)["content"]
        encapsulated = signed["encap_content_info"]
        if encapsulated["content_type"].dotted != MASTER_LIST:
            raise MalformedFileError("master list", "holds something else")
        return [certificate.dump() for certificate in _MasterList.load(encapsulated["content"].native)["certificates"]]
    if pem.detect(content):
        return [der for _, _, der in pem.unarmor(content, multiple=True)]
    return [content]
