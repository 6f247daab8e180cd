"""Judging who signed a document: its authority, its time, its revocation, its algorithms and its country.

Every function answers; what cannot be judged is `not_possible`.
"""

from collections.abc import Iterable
from datetime import datetime

from asn1crypto import x509

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.algorithm_policy import AlgorithmUse, Role, hash_use, key_uses
from hardware_drivers.id_chip.checks import Check, CheckName, Code, failed, passed, undecided
from hardware_drivers.id_chip.crl import RevocationList
from hardware_drivers.id_chip.issuing_states import signer_countries
from hardware_drivers.id_chip.mrz import Mrz
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, HASHES, public_key
from hardware_drivers.id_chip.sod import SecurityObject
from hardware_drivers.id_chip.trust import Chain, ChainResult, TrustStore, covers, validity
from hardware_drivers.id_chip.trust_index import comparable_name

NO_SOD = "there is no readable security object"


def chain_of(sod: SecurityObject | None, trust: TrustStore) -> Chain | None:
    """The way from the document's signer to an authority; looked for once, it costs signatures."""
    return None if sod is None else trust.chain(sod.certificate)


def judge_signer(sod: SecurityObject | None, chain: Chain | None, trust: TrustStore, at: datetime) -> tuple[Check, ...]:
    """Every check of the document signer's certificate, in the order of `CheckName`."""
    return (
        check_chain(chain),
        check_validity_at_signing(sod, at),
        check_not_revoked(sod, chain, trust, at),
        check_issuer_validity(sod, chain),
        check_algorithms(sod, chain, trust),
    )


def check_chain(chain: Chain | None) -> Check:
    """Whether a country's authority that we believe issued the signer's certificate."""
    name, clause = CheckName.SIGNER_CERTIFICATE_CHAIN, "Doc 9303-11 §5.1 steps 2 and 3; Doc 9303-12 §3"
    if chain is None:
        return undecided(name, Code.NEEDS_SOD, NO_SOD, clause)
    match chain.result:
        case ChainResult.TRUSTED if len(chain.path) > 1:
            why = f"issued by the successor, over {len(chain.path) - 1} links, of an authority we trust"
            return passed(name, why, clause)
        case ChainResult.TRUSTED:
            return passed(name, "issued by a country signing authority we trust", clause)
        case ChainResult.UNKNOWN_ISSUER:
            why = "issued by an authority that is not among those we trust"
            return failed(name, Code.UNKNOWN_ISSUER, why, clause)
        case ChainResult.UNLINKED:
            why = "issued by an authority whose predecessors are not among those we trust"
            return failed(name, Code.UNKNOWN_ISSUER, why, clause)
        case ChainResult.WRONG_SIGNATURE:
            why = "claims an authority we trust, whose key did not sign it"
            return failed(name, Code.WRONG_SIGNATURE, why, clause)
        case ChainResult.UNUSABLE:
            return failed(name, Code.UNSUPPORTED, "its signature cannot be verified", clause)


def check_validity_at_signing(sod: SecurityObject | None, at: datetime) -> Check:
    """The signer's certificate at the time it claims to have signed.

    Most states claim none. Then a certificate that is valid now was valid since; of one that has expired nobody can
    tell, and that is refused too: it outlives every document it signs (table 4).
    """
    name, clause = CheckName.SIGNER_CERTIFICATE_VALID_AT_SIGNING, "Doc 9303-12 §4.3, table 4"
    if sod is None:
        return undecided(name, Code.NEEDS_SOD, NO_SOD, clause)
    try:
        begins, ends = validity(sod.certificate)
    except MalformedFileError as error:
        return failed(name, Code.MALFORMED, f"its validity is not readable: {error}", clause)
    when, whose = (sod.signed_at, "at the signing time it states") if sod.signed_at else (at, "today")
    if when > at or when < begins:
        return failed(name, Code.NOT_YET_VALID, f"not valid yet {whose}", clause)
    if when <= ends:
        return passed(name, f"valid {whose}", clause)
    if sod.signed_at is None:
        return undecided(name, Code.EXPIRED, "expired since, and no signing time is stated", clause)
    return failed(name, Code.EXPIRED, f"no longer valid {whose}", clause)


def check_not_revoked(sod: SecurityObject | None, chain: Chain | None, trust: TrustStore, at: datetime) -> Check:
    """Whether a revocation list of its issuer names the signer, or an authority above it.

    A list that names it counts whenever it was made; one that does not counts until the next was due.
    """
    name, clause = CheckName.SIGNER_NOT_REVOKED, "Doc 9303-11 §5.1 step 3; Doc 9303-12 §7.1.4"
    if sod is None or chain is None:
        return undecided(name, Code.NEEDS_SOD, NO_SOD, clause)
    try:
        identities = _identities(sod.certificate, chain)
    except MalformedFileError as error:
        return failed(name, Code.MALFORMED, f"its issuer is not readable: {error}", clause)
    for position, (names, serial) in enumerate(identities):
        for revocations in _believed(trust, names):
            since = next((since for one in names if (since := revocations.revoked.get((one, serial)))), None)
            if since is not None:
                whose = "the signer" if position == 0 else "an authority above the signer"
                return failed(name, Code.REVOKED, f"{whose} was revoked on {since:%Y-%m-%d}", clause)
    issuer_names = identities[0][0]
    believed = _believed(trust, issuer_names)
    if not believed:
        if any(trust.revocations.get(one) for one in issuer_names):
            why = "the revocation list of its issuer is signed by none of the authorities we trust"
            return undecided(name, Code.WRONG_SIGNATURE, why, clause)
        return undecided(name, Code.NO_REVOCATION_LIST, "there is no revocation list of its issuer here", clause)
    newest = max(believed, key=lambda one: one.this_update)
    if newest.next_update is None or newest.next_update < at:
        why = f"the newest revocation list is of {newest.this_update:%Y-%m-%d} and overdue"
        return undecided(name, Code.STALE, why, clause)
    return passed(name, f"not on the revocation list of {newest.this_update:%Y-%m-%d}", clause)


def check_issuer_validity(sod: SecurityObject | None, chain: Chain | None) -> Check:
    """Whether the authority's certificate was valid on the day it issued the signer's.

    Today is not asked: an authority issues for three to five years, and what it issued in them stays good longer.
    """
    name, clause = CheckName.ISSUER_VALID_WHEN_ISSUING, "Doc 9303-12 §4.3, table 4; RFC 5280 §6.1.3"
    if sod is None or chain is None:
        return undecided(name, Code.NEEDS_SOD, NO_SOD, clause)
    if chain.issuer is None:
        return undecided(name, Code.NEEDS_ISSUER, "no authority is known that issued it", clause)
    try:
        issued, began = validity(sod.certificate)[0], validity(chain.issuer)[0]
        covered = covers(chain.issuer, sod.certificate)
    except MalformedFileError as error:
        return failed(name, Code.MALFORMED, f"a validity is not readable: {error}", clause)
    if covered:
        return passed(name, "issued while its authority was valid", clause)
    if issued < began:
        return failed(name, Code.NOT_YET_VALID, "issued before its authority began", clause)
    return failed(name, Code.EXPIRED, "issued after its authority had expired", clause)


def check_algorithms(sod: SecurityObject | None, chain: Chain | None, trust: TrustStore) -> Check:
    """Whether the operator's policy accepts every key and hash on the way to the data groups."""
    name, clause = CheckName.ALGORITHMS_ACCEPTED, "Doc 9303-12 §4.4"
    if sod is None or chain is None:
        return undecided(name, Code.NEEDS_SOD, NO_SOD, clause)
    try:
        objections = trust.policy.objections(_uses(sod, chain.issuer))
    except MalformedFileError as error:
        return failed(name, Code.UNSUPPORTED, f"cannot be named: {error}", clause)
    if objections:
        first = objections[0]
        return failed(name, Code.WEAK_ALGORITHM, first.why, first.clause)
    return passed(name, "no key or hash is refused by the policy", clause)


def check_issuing_state(sod: SecurityObject | None, chain: Chain | None, mrz: Mrz | None) -> Check:
    """Whether the state in the zone is the one whose authority signed: no state may vouch for another's documents."""
    name, clause = CheckName.ISSUING_STATE_MATCHES_SIGNER, "Doc 9303-12 §7.1.1; Doc 9303-3 §5"
    if sod is None or chain is None:
        return undecided(name, Code.NEEDS_SOD, NO_SOD, clause)
    if mrz is None:
        return undecided(name, Code.NEEDS_DG1, "there is no readable zone", clause)
    issuer = chain.issuer
    if issuer is None:
        return undecided(name, Code.NEEDS_ISSUER, "no authority is known that issued its signer", clause)
    try:
        countries = {_country(one) for one in (sod.certificate.subject, sod.certificate.issuer, issuer.subject)}
    except ASN1_ERRORS as error:
        return failed(name, Code.MALFORMED, f"its names are not readable: {type(error).__name__}", clause)
    known = set(signer_countries(mrz.issuing_state))
    if not known:
        return failed(name, Code.OTHER_STATE, "the zone names a state that Doc 9303-3 does not know", clause)
    if "" in countries:
        return failed(name, Code.OTHER_STATE, "a certificate names no country", clause)
    if not countries <= known:
        return failed(name, Code.OTHER_STATE, "signed by another country than the zone names", clause)
    return passed(name, "signed by the state that the zone names", clause)


def _country(name: x509.Name) -> str:
    """The two letters in a certificate's name, in capitals (some states write small ones), or nothing."""
    country = name.native.get("country_name", "")
    return country.upper() if isinstance(country, str) else ""


def _identities(certificate: x509.Certificate, chain: Chain) -> list[tuple[tuple[bytes, ...], int]]:
    """What revocation lists call the signer and each authority above it: names of the issuer, and serial number.

    The issuer has two names where it was found by its key: the one it is called by, and its own.
    """
    identities = []
    for one, issuer in zip((certificate, *chain.path), (*chain.path, None), strict=False):
        try:
            names = [one.issuer] if issuer is None else [one.issuer, issuer.subject]
            identities.append((tuple({comparable_name(name.dump()) for name in names}), int(one.serial_number)))
        except ASN1_ERRORS as error:
            raise MalformedFileError("issuer", type(error).__name__) from error
    return identities


def _believed(trust: TrustStore, names: tuple[bytes, ...]) -> list[RevocationList]:
    """The revocation lists under these names that an authority we believe has signed."""
    return [one for name in names for one in trust.verified_revocations(name)]


def _uses(sod: SecurityObject, issuer: x509.Certificate | None) -> Iterable[AlgorithmUse]:
    """Every key and hash between the authority and the data groups."""
    since = validity(sod.certificate)[0].date()
    try:
        uses = [
            *key_uses(Role.SIGNER, public_key(sod.certificate.public_key), since),
            hash_use(Role.SIGNER, _hash_of(sod.certificate["signature_algorithm"].native), since),
            hash_use(Role.SIGNER, sod.signed.signer["digest_algorithm"]["algorithm"].native, since),
            hash_use(Role.CONTENT, sod.hash_name, since),
        ]
        if issuer is not None:
            uses += key_uses(Role.AUTHORITY, public_key(issuer.public_key), since)
    except ASN1_ERRORS as error:
        raise MalformedFileError("algorithm", type(error).__name__) from error
    return uses


def _hash_of(algorithm: dict[str, object]) -> str:
    """The hash in a signature algorithm, by hashlib's name."""
    named = str(algorithm["algorithm"]).split("_", maxsplit=1)[0]
    if named in HASHES:
        return named
    parameters = algorithm["parameters"]
    inner = parameters["hash_algorithm"] if isinstance(parameters, dict) else {}
    return str(inner.get("algorithm", "")) if isinstance(inner, dict) else ""
