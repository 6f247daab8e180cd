"""CSCA master lists: the certificates a state has collected of all others, under its own signature (Doc 9303-12 §9)."""

from dataclasses import dataclass
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.signatures import ASN1_ERRORS
from hardware_drivers.id_chip.signed_data import SignedData, parse_signed_data

MASTER_LIST = "2.23.136.1.1.2"  # id-icao-cscaMasterList, Doc 9303-12 §9
LIST_SIGNING = "2.23.136.1.1.3"  # id-icao-cscaMasterListSigningKey, the signer's only purpose, Doc 9303-12 §7.1.1
CERTIFICATES_MAX = 10_000  # the largest list seen has 588


class ListSigner(StrEnum):
    """Who vouches for a list, as far as can be told."""

    TRUSTED = "trusted"  # its signer was issued by a certificate that the operator put beside it
    OWN_CSCA = "own_csca"  # by a CSCA that is on this very list: whole, but vouched for by nobody else
    OTHER_LIST = "other_list"  # by a CSCA that is only on another list
    UNKNOWN = "unknown"  # by a CSCA that is nowhere


@dataclass(frozen=True, slots=True)
class ListReport:
    """What a store says about a list it took.

    Attributes:
        name: File name.
        certificates: How many it holds.
        unreadable: How many entries are no certificates and were left out.
        signed_at: ISO 8601, empty where the signer does not say.
        objection: What is wrong with the signer's own certificate, empty when nothing is.
    """

    name: str
    certificates: int
    unreadable: int
    signer: ListSigner
    signed_at: str
    objection: str


@dataclass(frozen=True, slots=True)
class MasterList:
    """A list whose signature holds.

    Attributes:
        objection: What is wrong with the signer's own certificate, empty when nothing is.
    """

    certificates: tuple[bytes, ...]
    signed: SignedData
    objection: str


def parse_master_list(content: bytes) -> MasterList:
    """The list in these bytes, whose signature holds under the certificate it carries.

    `MalformedFileError` when it is none, or when it was changed after signing.
    """
    signed = parse_signed_data("master list", content, MASTER_LIST)
    if not signed.signature_holds():
        raise MalformedFileError("master list", "was changed after signing")
    version, certificates = _two(tlv.parse_all(tlv.only(signed.content, 0x30)))
    if version.tag != 0x02 or certificates.tag != 0x31:
        raise MalformedFileError("master list", "is no CscaMasterList")
    return MasterList(_split(certificates.value), signed, _objection(signed))


def _two(objects: list[tlv.Tlv]) -> tuple[tlv.Tlv, tlv.Tlv]:
    """Version and certificates, Doc 9303-12 §9.1.2."""
    if len(objects) != 2:
        raise MalformedFileError("master list", f"{len(objects)} parts where two belong")
    return objects[0], objects[1]


def _split(concatenated: bytes) -> tuple[bytes, ...]:
    """The DER of each certificate, as it stands there."""
    certificates: list[bytes] = []
    at = 0
    while at < len(concatenated):
        end = at + tlv.read_header(concatenated, at).total_length
        if end > len(concatenated) or len(certificates) == CERTIFICATES_MAX:
            raise MalformedFileError("master list", f"breaks off after {len(certificates)} certificates")
        certificates.append(concatenated[at:end])
        at = end
    return tuple(certificates)


def _objection(signed: SignedData) -> str:
    """Why this certificate should not have signed a list, or not at that time; empty when it should."""
    try:
        purposes = signed.certificate.extended_key_usage_value
        validity = signed.certificate["tbs_certificate"]["validity"]
        begins, ends = validity["not_before"].native, validity["not_after"].native
    except ASN1_ERRORS as error:
        raise MalformedFileError("master list signer", type(error).__name__) from error
    if purposes is None or LIST_SIGNING not in purposes.native:
        return "its signer is not certified to sign master lists"
    if signed.signed_at is not None and not begins <= signed.signed_at <= ends:
        return "its signer was not valid when it signed"
    return ""


def looks_like_master_list(content: bytes) -> bool:
    """Whether these bytes hold CMS signed data rather than a certificate, by their first object identifier."""
    return bytes.fromhex("06092A864886F70D010702") in content[:32]  # id-signedData, RFC 5652 §5.1
