"""The document security object EF.SOD: Doc 9303-10 §4.6.2, a CMS SignedData (RFC 5652) over the hashes of the files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import algos, cms, core, x509

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS, EF_SOD
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, HASHES, public_key, signature_holds

SECURITY_OBJECT = "2.23.136.1.1.1"  # id-icao-mrtd-security-ldsSecurityObject, Doc 9303-10 §4.6.2.3

VERSIONS = frozenset({"v1", "v3", "v4", "v5"})  # RFC 5652 §5.1
SIGNER_VERSIONS = frozenset({"v1", "v3"})  # RFC 5652 §5.3


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
        certificate: The document signer's certificate.
        signed_at: The signer's own claim of when, if it makes one.
    """

    hash_name: str
    hashes: Mapping[int, bytes]
    certificate: x509.Certificate
    signed_at: datetime | None
    content: bytes
    signer: cms.SignerInfo

    def digest(self, content: bytes) -> bytes:
        """The hash of a file in this object's own algorithm."""
        return hashlib.new(self.hash_name, content, usedforsecurity=False).digest()

    def signature_holds(self) -> bool:
        """Whether the certificate's key signed these hashes: RFC 5652 §5.4 and §5.6.

        `MalformedFileError` for keys or algorithms that Doc 9303 does not know.
        """
        try:  # asn1crypto parses each part when it is first looked at, the certificate's too
            key = public_key(self.certificate["tbs_certificate"]["subject_public_key_info"])
            digest_name = self.signer["digest_algorithm"]["algorithm"].native
            signature = self.signer["signature"].native
            attributes = self.signer["signed_attrs"]
            if len(attributes):
                if not self._attributes_fit(attributes, digest_name):
                    return False
                signed = attributes.untag().dump()
            else:
                signed = self.content
            algorithm = self.signer["signature_algorithm"]
        except ASN1_ERRORS as error:
            raise MalformedFileError("EF.SOD signer", type(error).__name__) from error
        return signature_holds(key, algorithm, signature, signed, digest_name)

    def _attributes_fit(self, attributes: cms.CMSAttributes, digest_name: str) -> bool:
        """Content type and message digest, each exactly once, are those of this content (RFC 5652 §11.1, §11.2)."""
        values = _single_values(attributes)
        if digest_name not in HASHES:
            raise MalformedFileError("EF.SOD signer", "digest outside SHA-1 and SHA-2")
        digest = hashlib.new(digest_name, self.content, usedforsecurity=False).digest()
        content_type = values.get("content_type")
        return values.get("message_digest") == digest and content_type in (SECURITY_OBJECT, None)


def _single_values(attributes: cms.CMSAttributes) -> dict[str, object]:
    """Attribute name to its one value; an attribute that comes twice is refused."""
    found: dict[str, object] = {}
    for attribute in attributes:
        name = attribute["type"].native
        if name in found or len(attribute["values"]) != 1:
            raise MalformedFileError("EF.SOD signer", "signed attribute is not single")
        value = attribute["values"][0]
        found[name] = value.dotted if name == "content_type" else value.native
    return found


def parse_sod(content: bytes) -> SecurityObject:
    """The security object in EF.SOD; BER with indefinite lengths is read too, one state writes it.

    `MalformedFileError` when it is not what Doc 9303-10 §4.6.2 says.
    """
    wrapped = tlv.only(content, EF_SOD.tag)
    try:
        signed = cms.ContentInfo.load(wrapped, strict=False)
        if signed["content_type"].native != "signed_data":
            raise MalformedFileError("EF.SOD", "holds no signed data")
        signed = signed["content"]
        encapsulated = signed["encap_content_info"]
        if encapsulated["content_type"].dotted != SECURITY_OBJECT:
            raise MalformedFileError("EF.SOD", "holds something other than an LDS security object")
        inner = bytes(encapsulated["content"].native)
        hash_name, hashes = _parse_hashes(inner)
        signer = _only_signer(signed)
        return SecurityObject(
            hash_name=hash_name,
            hashes=hashes,
            certificate=_signer_certificate(signed, signer),
            signed_at=_signing_time(signer),
            content=inner,
            signer=signer,
        )
    except ASN1_ERRORS as error:
        raise MalformedFileError("EF.SOD", type(error).__name__) from error


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


def _only_signer(signed: cms.SignedData) -> cms.SignerInfo:
    """The signer; Doc 9303-10 §4.6.2.2 wants exactly one here.

    Nobody signed the versions and the list of digests, but a forger has no business in them either: they are held to
    RFC 5652 §5.1 and §5.3, so that next to no bit of the file can change unnoticed.
    """
    if len(signed["signer_infos"]) != 1:
        raise MalformedFileError("EF.SOD", f"{len(signed['signer_infos'])} signers")
    signer = signed["signer_infos"][0]
    if signed["version"].native not in VERSIONS or signer["version"].native not in SIGNER_VERSIONS:
        raise MalformedFileError("EF.SOD", "version outside RFC 5652")
    digest = signer["digest_algorithm"]
    listed = [algorithm.native for algorithm in signed["digest_algorithms"]]
    if digest["parameters"].native is not None or digest["algorithm"].native not in [
        one["algorithm"] for one in listed
    ]:
        raise MalformedFileError("EF.SOD", "the signer's digest is not among those listed")
    if any(one["parameters"] is not None for one in listed):
        raise MalformedFileError("EF.SOD", "digest with parameters")
    return signer


def _signer_certificate(signed: cms.SignedData, signer: cms.SignerInfo) -> x509.Certificate:
    """The certificate the signer names, by issuer and serial or by key identifier."""
    for entry in signed["certificates"]:
        certificate = entry.chosen
        if not isinstance(certificate, x509.Certificate):
            continue
        names = signer["sid"]
        if names.name == "issuer_and_serial_number":
            # by value: the string types of the two may differ
            same_issuer = certificate.issuer.native == names.chosen["issuer"].native
            if same_issuer and certificate.serial_number == names.chosen["serial_number"].native:
                return certificate
        elif certificate.key_identifier == names.chosen.native:
            return certificate
    raise MalformedFileError("EF.SOD", "the signer's certificate is not in it")


def _signing_time(signer: cms.SignerInfo) -> datetime | None:
    """The signing time attribute, RFC 5652 §11.3."""
    for attribute in signer["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            when = attribute["values"][0].native
            return when if isinstance(when, datetime) else None
    return None
