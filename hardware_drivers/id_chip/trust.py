"""Who may sign identity documents: the states' CSCA certificates (Doc 9303-12 §3), from files an operator put there.

What makes an authority believed: it came in a master list whose signature holds; or its own key signed it and the
operator put the file there; or an authority believed already signed it (a link certificate, Doc 9303-12 §7.1.2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from asn1crypto import pem, x509

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.algorithm_policy import FILE_NAME as POLICY_FILE
from hardware_drivers.id_chip.algorithm_policy import AlgorithmPolicy
from hardware_drivers.id_chip.crl import RevocationList, parse_crl
from hardware_drivers.id_chip.master_list import (
    ListReport,
    ListSigner,
    MasterList,
    looks_like_master_list,
    parse_master_list,
)
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, PublicKey, public_key, signature_holds
from hardware_drivers.id_chip.trust_index import Authority, comparable_name, skim

CERTIFICATE_SUFFIXES = (".der", ".cer", ".crt", ".pem", ".ml", ".mls", ".cms", ".p7s", ".p7m")
REVOCATION_SUFFIX = ".crl"
LINKS_MAX = 8  # generations of one authority; the longest chain in the German list has three

# Both certificates of one ceremony may carry their times to the second or rounded to their day.
CEREMONY = timedelta(days=1)


class ChainResult(StrEnum):
    """What came of looking for a signer's issuer."""

    TRUSTED = "trusted"
    UNKNOWN_ISSUER = "unknown_issuer"
    WRONG_SIGNATURE = "wrong_signature"
    UNLINKED = "unlinked"  # a successor signed it whose predecessors are not here
    UNUSABLE = "unusable"  # an algorithm or key that Doc 9303-12 does not know


@dataclass(frozen=True, slots=True)
class Chain:
    """How a certificate leads to an authority we believe.

    Attributes:
        path: Its issuer first, the anchor last; empty unless TRUSTED.
    """

    result: ChainResult
    path: tuple[x509.Certificate, ...] = ()

    @property
    def issuer(self) -> x509.Certificate | None:
        """The authority that signed the certificate itself."""
        return self.path[0] if self.path else None


@dataclass(frozen=True, slots=True)
class TrustStore:
    """CSCA certificates, found by subject name or by key identifier, and what else is needed to judge a signer.

    Attributes:
        by_subject: Comparable name to authorities.
        by_key_identifier: Subject key identifier to authorities.
        revocations: Comparable name of the issuer to its revocation lists, newest first.
        lists: What was found out about each master list.
    """

    by_subject: Mapping[bytes, tuple[Authority, ...]]
    by_key_identifier: Mapping[bytes, tuple[Authority, ...]]
    revocations: Mapping[bytes, tuple[RevocationList, ...]]
    lists: tuple[ListReport, ...]
    policy: AlgorithmPolicy

    @classmethod
    def of(cls, certificates: Iterable[bytes], revocations: Iterable[bytes] = ()) -> Self:
        """A store that believes each of these certificates in DER; `MalformedFileError` for one that is none."""
        authorities = [skim(der, anchor=True) for der in dict.fromkeys(certificates)]
        return cls._of(authorities, [parse_crl(content) for content in revocations], (), AlgorithmPolicy.load())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """All of a folder: certificates and master lists (told apart by content), revocation lists .crl, and a policy.

        `MalformedFileError` names the file that is none of these, or the list that was changed after signing.
        """
        singles: dict[bytes, Authority] = {}
        found: dict[str, MasterList] = {}
        revocations: list[RevocationList] = []
        for path in sorted(folder.iterdir()):
            suffix = path.suffix.lower()
            try:
                if suffix == REVOCATION_SUFFIX:
                    revocations.append(parse_crl(path.read_bytes()))
                elif suffix in CERTIFICATE_SUFFIXES and looks_like_master_list(content := _content_of(path)):
                    found[path.name] = parse_master_list(content)
                elif suffix in CERTIFICATE_SUFFIXES:
                    singles |= {der: skim(der, anchor=False) for der in _certificates_in(content)}
            except (MalformedFileError, *ASN1_ERRORS) as error:
                why = str(error) if isinstance(error, MalformedFileError) else type(error).__name__
                raise MalformedFileError(path.name, f"no certificate, master or revocation list ({why})") from error
        listed = dict.fromkeys(der for one in found.values() for der in one.certificates)
        authorities = singles | {one.der: one for der in listed if (one := _readable(der)) is not None}
        own_policy = folder / POLICY_FILE
        policy = AlgorithmPolicy.load(own_policy) if own_policy.exists() else AlgorithmPolicy.load()
        store = cls._of(authorities.values(), revocations, (), policy)
        return replace(store, lists=tuple(store._report(name, one, singles) for name, one in found.items()))

    @classmethod
    def _of(
        cls,
        authorities: Iterable[Authority],
        revocations: Iterable[RevocationList],
        lists: tuple[ListReport, ...],
        policy: AlgorithmPolicy,
    ) -> Self:
        """The indexes."""
        by_subject: dict[bytes, tuple[Authority, ...]] = {}
        by_key: dict[bytes, tuple[Authority, ...]] = {}
        by_issuer: dict[bytes, tuple[RevocationList, ...]] = {}
        for authority in authorities:
            by_subject[authority.subject] = (*by_subject.get(authority.subject, ()), authority)
            if authority.key_identifier:
                by_key[authority.key_identifier] = (*by_key.get(authority.key_identifier, ()), authority)
        for one in sorted(revocations, key=lambda one: one.this_update, reverse=True):
            by_issuer[one.issuer] = (*by_issuer.get(one.issuer, ()), one)
        return cls(by_subject, by_key, by_issuer, lists, policy)

    def __len__(self) -> int:
        """How many certificates there are."""
        return sum(len(same) for same in self.by_subject.values())

    def certificates(self) -> list[x509.Certificate]:
        """All of them, parsed."""
        return [authority.certificate for same in self.by_subject.values() for authority in same]

    def check(self, certificate: x509.Certificate) -> ChainResult:
        """Whether one of our CSCA certificates signed this one (Doc 9303-11 §5.1, steps 2 and 3)."""
        return self.chain(certificate).result

    def chain(self, certificate: x509.Certificate) -> Chain:
        """The way from a certificate to an authority we believe, and what went wrong where there is none."""
        try:
            candidates = self._issuers(_issuer_name(certificate), _issuer_key_identifier(certificate))
        except MalformedFileError:
            return Chain(ChainResult.UNUSABLE)
        worst, paths = ChainResult.UNKNOWN_ISSUER, list[tuple[x509.Certificate, ...]]()
        for issuer in candidates:
            try:
                if not signed_by(certificate, _issuing_key(issuer)):
                    worst = ChainResult.WRONG_SIGNATURE if worst is ChainResult.UNKNOWN_ISSUER else worst
                elif path := self._path(issuer, frozenset()):
                    paths.append(path)
                    if covers(path[0], certificate):
                        return Chain(ChainResult.TRUSTED, path)
                else:
                    worst = ChainResult.UNLINKED
            except MalformedFileError:
                worst = ChainResult.UNUSABLE if worst is ChainResult.UNKNOWN_ISSUER else worst
        # one key has several certificates, its own and a link: the one that was valid at the time comes first
        return Chain(ChainResult.TRUSTED, paths[0]) if paths else Chain(worst)

    def verified_revocations(self, issuer: bytes) -> tuple[RevocationList, ...]:
        """The lists of that issuer (comparable name) that an authority of the name has signed, newest first."""
        keys = [key for authority in self.by_subject.get(issuer, ()) for key in self._believed_key(authority)]
        return tuple(one for one in self.revocations.get(issuer, ()) if any(_holds(one, key) for key in keys))

    def _believed_key(self, authority: Authority) -> tuple[PublicKey, ...]:
        """The key of an authority that we believe, or nothing."""
        try:
            return (_issuing_key(authority),) if self._path(authority, frozenset()) else ()
        except MalformedFileError:
            return ()

    def _path(self, authority: Authority, seen: frozenset[bytes]) -> tuple[x509.Certificate, ...]:
        """From this authority to one that is believed by itself, over its predecessors; empty when there is none."""
        certificate = authority.certificate
        if authority.anchor or (authority.issuer == authority.subject and _signed(certificate, authority)):
            return (certificate,)
        if len(seen) == LINKS_MAX:
            return ()
        seen |= {authority.der}
        for older in self._issuers(authority.issuer, _issuer_key_identifier(certificate)):
            if older.der not in seen and _signed(certificate, older) and (rest := self._path(older, seen)):
                return (certificate, *rest)
        return ()

    def _report(self, name: str, this: MasterList, singles: Mapping[bytes, Authority]) -> ListReport:
        """Who vouches for this list."""
        certificate = this.signed.certificate
        named = self._issuers(_issuer_name(certificate), _issuer_key_identifier(certificate))
        issuers = {one.der for one in named if _signed(certificate, one)}
        if issuers & singles.keys():
            signer = ListSigner.TRUSTED
        elif issuers & set(this.certificates):
            signer = ListSigner.OWN_CSCA
        else:
            signer = ListSigner.OTHER_LIST if issuers else ListSigner.UNKNOWN
        signed_at = "" if this.signed.signed_at is None else this.signed.signed_at.isoformat()
        taken = {authority.der for same in self.by_subject.values() for authority in same}
        unreadable = len(set(this.certificates) - taken)
        return ListReport(name, len(this.certificates), unreadable, signer, signed_at, this.objection)

    def _issuers(self, name: bytes, identifier: bytes | None) -> list[Authority]:
        """Authorities of that name or key; renewed ones share either."""
        by_key = self.by_key_identifier.get(identifier, ()) if identifier else ()
        return list({one.der: one for one in (*by_key, *self.by_subject.get(name, ()))}.values())


def _readable(der: bytes) -> Authority | None:
    """An entry of a list, or None for what is no certificate: one bad entry must not cost all other states."""
    try:
        return skim(der, anchor=True)
    except MalformedFileError:
        return None


def signed_by(certificate: x509.Certificate, key: PublicKey) -> bool:
    """Whether this key signed the certificate, which must name one algorithm only (RFC 5280 §4.1.1.2).

    `MalformedFileError` for algorithms and keys outside Doc 9303-12.
    """
    try:
        signed, algorithm = certificate["tbs_certificate"], certificate["signature_algorithm"]
        if signed["signature"].native != algorithm.native:  # by value: absent parameters are the same as NULL
            raise MalformedFileError("certificate", "names two signature algorithms")
        if certificate["signature_value"].contents[:1] != b"\x00":  # X.690 §8.6.2.2: the bits that are left over
            raise MalformedFileError("certificate", "signature that does not fill its bytes")
        signature = certificate["signature_value"].native
        return signature_holds(key, algorithm, signature, signed.dump())
    except ASN1_ERRORS as error:
        raise MalformedFileError("certificate", type(error).__name__) from error


def validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """First and last moment of a certificate, with zone."""
    try:
        period = certificate["tbs_certificate"]["validity"]
        begins, ends = period["not_before"].native, period["not_after"].native
        return (begins, ends) if begins.tzinfo else (begins.replace(tzinfo=UTC), ends.replace(tzinfo=UTC))
    except ASN1_ERRORS as error:
        raise MalformedFileError("validity", type(error).__name__) from error


def covers(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether the issuer's certificate was valid when it issued this one, a day's grace given."""
    issued, (begins, ends) = validity(certificate)[0], validity(issuer)
    return begins - CEREMONY <= issued <= ends + CEREMONY


def _holds(revocations: RevocationList, key: PublicKey) -> bool:
    """Whether this key signed the list; a key of another kind has not."""
    try:
        return revocations.signature_holds(key)
    except MalformedFileError:
        return False


def _signed(certificate: x509.Certificate, issuer: Authority) -> bool:
    """Whether the issuer's key signed the certificate; one that cannot have, has not."""
    try:
        return signed_by(certificate, _issuing_key(issuer))
    except MalformedFileError:
        return False


def _issuer_name(certificate: x509.Certificate) -> bytes:
    """Who the certificate says has signed it, comparable."""
    try:
        return comparable_name(certificate.issuer.dump())
    except (IndexError, *ASN1_ERRORS) as error:
        raise MalformedFileError("certificate", type(error).__name__) from error


def _issuer_key_identifier(certificate: x509.Certificate) -> bytes | None:
    """Which key the certificate says has signed it."""
    try:
        identifier = certificate.authority_key_identifier
    except ASN1_ERRORS as error:
        raise MalformedFileError("certificate", type(error).__name__) from error
    return bytes(identifier) if identifier else None


def _issuing_key(issuer: Authority) -> PublicKey:
    """The key of a certificate that may issue others (RFC 5280 §4.2.1.9).

    CSCA certificates of five states say CA:FALSE; they may issue when their key usage says so.
    """
    try:
        constraints = issuer.certificate.basic_constraints_value
        usage = issuer.certificate.key_usage_value
        certifies = usage is not None and "key_cert_sign" in usage.native
        if constraints is not None and not constraints["ca"].native and not certifies:
            raise MalformedFileError("CSCA certificate", "is no certification authority")
        return public_key(issuer.certificate["tbs_certificate"]["subject_public_key_info"])
    except ASN1_ERRORS as error:
        raise MalformedFileError("CSCA certificate", type(error).__name__) from error


def _content_of(path: Path) -> bytes:
    """The bytes of a file, without the PEM armour that some states put around their list."""
    content = path.read_bytes()
    if content.lstrip().startswith((b"-----BEGIN CMS", b"-----BEGIN PKCS7")):
        return bytes(pem.unarmor(content)[2])
    return content


def _certificates_in(content: bytes) -> list[bytes]:
    """The certificates of one file, in DER."""
    if pem.detect(content):
        return [der for _, _, der in pem.unarmor(content, multiple=True)]
    return [content]
