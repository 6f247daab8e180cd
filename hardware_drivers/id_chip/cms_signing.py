"""Signing as a document signer does: CMS SignedData (RFC 5652) with SHA-256 throughout. For test states only."""

import hashlib
from datetime import UTC

from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from hardware_drivers.id_chip.issuer import TestIssuer


def signed_data(content_type: str, content: bytes, issuer: TestIssuer) -> bytes:
    """The content, signed by that issuer's document signer (Doc 9303-10 §4.6.2, TR-03110-3 §A.1.2.5).

    Args:
        content_type: Object identifier of what is signed.
    """
    certificate = asn1_x509.Certificate.load(issuer.signer_der)
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": [content_type]},
            {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": issuer.made_at.astimezone(UTC)})]},
        ]
    )
    named = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": named}),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": _signature_algorithm(issuer),
            "signature": _sign(issuer, attributes.dump()),
        }
    )
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": content_type, "content": core.ParsableOctetString(content)},
            "certificates": [certificate],
            "signer_infos": [signer],
        }
    )
    wrapped: bytes = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    return wrapped


def _signature_algorithm(issuer: TestIssuer) -> algos.SignedDigestAlgorithm:
    """ECDSA or RSA, both with SHA-256."""
    name = "sha256_ecdsa" if isinstance(issuer.signer_key, ec.EllipticCurvePrivateKey) else "sha256_rsa"
    return algos.SignedDigestAlgorithm({"algorithm": name})


def _sign(issuer: TestIssuer, message: bytes) -> bytes:
    """The document signer's signature."""
    if isinstance(issuer.signer_key, ec.EllipticCurvePrivateKey):
        return issuer.signer_key.sign(message, ec.ECDSA(hashes.SHA256()))
    return issuer.signer_key.sign(message, padding.PKCS1v15(), hashes.SHA256())
