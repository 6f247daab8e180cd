"""CMS SignedData (RFC 5652) with exactly one signer whose certificate it carries: security objects, master lists."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import cms, x509

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, HASHES, public_key, signature_holds

VERSIONS = frozenset({"v1", "v3", "v4", "v5"})  # RFC 5652 §5.1
SIGNER_VERSIONS = frozenset({"v1", "v3"})  # RFC 5652 §5.3


@dataclass(frozen=True, slots=True)
class SignedData:
    """What was signed and by whom, parsed and not yet believed.

    Attributes:
        name: What it is, for messages.
        content_type: Dotted object identifier of the content.
        certificate: The signer's.
        others: The other certificates beside it.
        signed_at: The signer's own claim of when, with zone, if it makes one.
    """

    name: str
    content_type: str
    content: bytes
    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]
    signed_at: datetime | None
    signer: cms.SignerInfo

    def signature_holds(self) -> bool:
        """Whether the certificate's key signed this content: RFC 5652 §5.4 and §5.6.

        `MalformedFileError` for keys or algorithms that Doc 9303-12 does not know.
        """
        try:  # asn1crypto parses each part when it is first looked at, the certificate's too
            key = public_key(self.certificate["tbs_certificate"]["subject_public_key_info"])
            digest_name = self.signer["digest_algorithm"]["algorithm"].native
            signature = self.signer["signature"].native
            algorithm = self.signer["signature_algorithm"]
            attributes = self.signer["signed_attrs"]
            if not len(attributes):
                return signature_holds(key, algorithm, signature, self.content, digest_name)
            if not self._attributes_fit(attributes, digest_name):
                return False
            as_sent = attributes.untag().dump()
            if signature_holds(key, algorithm, signature, as_sent, digest_name):
                return True
            # §5.4: the signature is over their DER, in whatever encoding they were sent
            canonical = attributes.untag().dump(force=True)
            return canonical != as_sent and signature_holds(key, algorithm, signature, canonical, digest_name)
        except ASN1_ERRORS as error:
            raise MalformedFileError(f"{self.name} signer", type(error).__name__) from error

    def _attributes_fit(self, attributes: cms.CMSAttributes, digest_name: str) -> bool:
        """Content type and message digest, each exactly once, are those of this content (RFC 5652 §11.1, §11.2)."""
        values = _single_values(self.name, attributes)
        if digest_name not in HASHES:
            raise MalformedFileError(f"{self.name} signer", "digest outside SHA-1 and SHA-2")
        digest = hashlib.new(digest_name, self.content, usedforsecurity=False).digest()
        return values.get("message_digest") == digest and values.get("content_type") in (self.content_type, None)


def parse_signed_data(name: str, content: bytes, content_type: str) -> SignedData:
    """The signed data in these bytes; BER with indefinite lengths is read too, one state writes it.

    `MalformedFileError` when it is something else, holds another content, or has not exactly one signer.
    """
    try:
        outer = cms.ContentInfo.load(content, strict=False)
        if outer["content_type"].native != "signed_data":
            raise MalformedFileError(name, "holds no signed data")
        signed = outer["content"]
        encapsulated = signed["encap_content_info"]
        if encapsulated["content_type"].dotted != content_type:
            raise MalformedFileError(name, "holds another content than its name says")
        signer = _only_signer(name, signed)
        certificates = [one.chosen for one in signed["certificates"] if isinstance(one.chosen, x509.Certificate)]
        certificate = _signer_certificate(name, certificates, signer)
        return SignedData(
            name=name,
            content_type=content_type,
            content=bytes(encapsulated["content"].native),
            certificate=certificate,
            others=tuple(one for one in certificates if one is not certificate),
            signed_at=_signing_time(signer),
            signer=signer,
        )
    except ASN1_ERRORS as error:
        raise MalformedFileError(name, type(error).__name__) from error


def _single_values(name: str, attributes: cms.CMSAttributes) -> dict[str, object]:
    """Attribute name to its one value; an attribute that comes twice is refused."""
    found: dict[str, object] = {}
    for attribute in attributes:
        kind = attribute["type"].native
        if kind in found or len(attribute["values"]) != 1:
            raise MalformedFileError(f"{name} signer", "signed attribute is not single")
        value = attribute["values"][0]
        found[kind] = value.dotted if kind == "content_type" else value.native
    return found


def _only_signer(name: str, signed: cms.SignedData) -> cms.SignerInfo:
    """The signer; Doc 9303-10 §4.6.2.2 and Doc 9303-12 §9.1 want exactly one.

    Nobody signed the versions and the list of digests, but a forger has no business in them either: they are held to
    RFC 5652 §5.1 and §5.3, so that next to no bit of the file can change unnoticed.
    """
    if len(signed["signer_infos"]) != 1:
        raise MalformedFileError(name, f"{len(signed['signer_infos'])} signers")
    signer = signed["signer_infos"][0]
    if signed["version"].native not in VERSIONS or signer["version"].native not in SIGNER_VERSIONS:
        raise MalformedFileError(name, "version outside RFC 5652")
    digest = signer["digest_algorithm"]
    listed = [algorithm.native for algorithm in signed["digest_algorithms"]]
    if digest["parameters"].native is not None or digest["algorithm"].native not in [
        one["algorithm"] for one in listed
    ]:
        raise MalformedFileError(name, "the signer's digest is not among those listed")
    if any(one["parameters"] is not None for one in listed):
        raise MalformedFileError(name, "digest with parameters")
    return signer


def _signer_certificate(name: str, certificates: list[x509.Certificate], signer: cms.SignerInfo) -> x509.Certificate:
    """The certificate the signer names, by issuer and serial or by key identifier."""
    names = signer["sid"]
    for certificate in certificates:
        if names.name == "issuer_and_serial_number":
            # by value: the string types of the two may differ
            same_issuer = certificate.issuer.native == names.chosen["issuer"].native
            if same_issuer and certificate.serial_number == names.chosen["serial_number"].native:
                return certificate
        # by the extension, or where it is absent by the way it is computed, RFC 5280 §4.2.1.2 (1)
        elif names.chosen.native in (certificate.key_identifier, certificate.public_key.sha1):
            return certificate
    raise MalformedFileError(name, "the signer's certificate is not in it")


def _signing_time(signer: cms.SignerInfo) -> datetime | None:
    """The signing time attribute, RFC 5652 §11.3; it is always UTC."""
    for attribute in signer["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            when = attribute["values"][0].native
            if not isinstance(when, datetime):
                return None
            return when if when.tzinfo else when.replace(tzinfo=UTC)
    return None
