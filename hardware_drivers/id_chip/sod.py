"""The document security object EF.SOD: Doc 9303-10 §4.6.2, a CMS SignedData (RFC 5652) over the hashes of the files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import algos, core, x509

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS, EF_SOD
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, HASHES
from hardware_drivers.id_chip.signed_data import SignedData, parse_signed_data

SECURITY_OBJECT = "2.23.136.1.1.1"  # id-icao-mrtd-security-ldsSecurityObject, Doc 9303-10 §4.6.2.3


class _DataGroupHash(core.Sequence):  # type: ignore[misc]  # asn1crypto has no type information
    """DataGroupHash of Doc 9303-10 §4.6.2.3."""

    _fields = [("number", core.Integer), ("hash", core.OctetString)]  # noqa: RUF012 - asn1crypto's way


class _DataGroupHashes(core.SequenceOf):  # type: ignore[misc]  # as above
    """All of them."""

    _child_spec = _DataGroupHash


class LdsSecurityObject(core.Sequence):  # type: ignore[misc]  # as above
    """What is signed."""

    _fields = [  # noqa: RUF012 - as above
        ("version", core.Integer),
        ("hash_algorithm", algos.DigestAlgorithm),
        ("hashes", _DataGroupHashes),
        ("lds_version", core.Any, {"optional": True}),
    ]


@dataclass(frozen=True, slots=True)
class SecurityObject:
    """EF.SOD, parsed and not yet believed.

    Attributes:
        hash_name: hashlib's name of the hash over the data groups.
        hashes: Data group number to its hash.
        signed: The signature around them.
    """

    hash_name: str
    hashes: Mapping[int, bytes]
    signed: SignedData

    @property
    def certificate(self) -> x509.Certificate:
        """The document signer's certificate."""
        return self.signed.certificate

    @property
    def signed_at(self) -> datetime | None:
        """The signer's own claim of when, if it makes one."""
        return self.signed.signed_at

    @property
    def content(self) -> bytes:
        """What is signed, in its own bytes."""
        return self.signed.content

    def digest(self, content: bytes) -> bytes:
        """The hash of a file in this object's own algorithm."""
        return hashlib.new(self.hash_name, content, usedforsecurity=False).digest()

    def signature_holds(self) -> bool:
        """Whether the certificate's key signed these hashes; as `SignedData.signature_holds`."""
        return self.signed.signature_holds()


def parse_sod(content: bytes) -> SecurityObject:
    """The security object in EF.SOD.

    `MalformedFileError` when it is not what Doc 9303-10 §4.6.2 says.
    """
    signed = parse_signed_data("EF.SOD", tlv.only(content, EF_SOD.tag), SECURITY_OBJECT)
    try:
        hash_name, hashes = _parse_hashes(signed.content)
    except ASN1_ERRORS as error:
        raise MalformedFileError("EF.SOD", type(error).__name__) from error
    return SecurityObject(hash_name, hashes, signed)


def _parse_hashes(inner: bytes) -> tuple[str, dict[int, bytes]]:
    """The hash algorithm and the hashes by data group number, each number once."""
    security_object = LdsSecurityObject.load(inner)
    name = security_object["hash_algorithm"]["algorithm"].native
    if name not in HASHES:
        raise MalformedFileError("EF.SOD", "hash outside SHA-1 and SHA-2")
    pairs = [(entry["number"].native, entry["hash"].native) for entry in security_object["hashes"]]
    hashes = dict(pairs)
    if len(hashes) != len(pairs) or not hashes or not set(hashes) <= set(DATA_GROUP_TAGS):
        raise MalformedFileError("EF.SOD", f"{len(pairs)} hashes do not name data groups once each")
    return name, hashes
