"""A CMS signature (RFC 5652) as PAdES wants it (ETSI EN 319 142-1 §6): built by concatenation, each byte written once.

pyHanko would build it with asn1crypto. That library takes a length whose last byte is 0x80 for an indefinite one
(`Asn1Value.dump`, 1.5.1) and then encodes the whole tree anew, at a cost that doubles with every level: for a time
stamp with two certificates 80 ms instead of none. Lengths of 128, 384, 640 ... bytes do it, and ECDSA signatures vary
by a byte or two, so one contract in a dozen took seconds. Nothing here is ever encoded twice.
"""

import hashlib
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.records.cms import (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    PLAIN_DATA,
    SHA256,
    SHA384,
    SIGNED_DATA,
    SIGNING_CERTIFICATE,
    TIME_STAMP_TOKEN,
)
from counter_server.records.der import OCTETS, element, integer, oid, sequence, set_of
from counter_server.signing.signers import Signer, hash_name

ALGORITHMS = {  # RFC 5754 §2 and §3.2: without parameters
    "sha256": (sequence(SHA256), sequence(oid("1.2.840.10045.4.3.2"))),
    "sha384": (sequence(SHA384), sequence(oid("1.2.840.10045.4.3.3"))),
}

StampTime = Callable[[bytes], bytes]  # from a signature to the token over it


def sign_message(
    digest: bytes,
    signer: Signer,
    certificate: x509.Certificate,
    chain: Sequence[x509.Certificate],
    *,
    content: tuple[bytes, bytes] | None = None,
    stamp_time: StampTime | None = None,
) -> bytes:
    """A SignedData with one signature over content of this hash, made with the hash of the signer's curve.

    Args:
        digest: Hash of the content, by `hash_name(signer.public_key)`.
        content: (type's OID in DER, content) to carry along; None where the content stands elsewhere.
        stamp_time: Asked for a time stamp over the signature, which is then carried along (CAdES-T).
    """
    name = hash_name(signer.public_key)
    digest_algorithm, signature_algorithm = ALGORITHMS[name]
    kind = PLAIN_DATA if content is None else content[0]
    signing_certificate = sequence(sequence(sequence(element(OCTETS, hashlib.sha256(_der(certificate)).digest()))))
    attributes = set_of(
        _attribute(CONTENT_TYPE, kind),
        _attribute(MESSAGE_DIGEST, element(OCTETS, digest)),
        _attribute(SIGNING_CERTIFICATE, signing_certificate),
    )
    signature = signer.sign_digest(hashlib.new(name, attributes).digest())
    unsigned = b""
    if stamp_time is not None:
        unsigned = b"\xa1" + set_of(_attribute(TIME_STAMP_TOKEN, stamp_time(signature)))[1:]
    info = sequence(
        integer(1),
        sequence(certificate.issuer.public_bytes(), integer(certificate.serial_number)),
        digest_algorithm,
        b"\xa0" + attributes[1:],  # IMPLICIT [0]; what is signed is the SET OF (RFC 5652 §5.4)
        signature_algorithm,
        element(OCTETS, signature),
        unsigned,
    )
    carried = b"" if content is None else element(0xA0, element(OCTETS, content[1]))
    body = sequence(
        integer(1 if content is None else 3),  # RFC 5652 §5.1: 3 when it carries another type than plain data
        set_of(digest_algorithm),
        sequence(kind, carried),
        element(0xA0, *sorted({_der(one) for one in (certificate, *chain)})),
        set_of(info),
    )
    return sequence(SIGNED_DATA, element(0xA0, body))


def _attribute(kind: bytes, value: bytes) -> bytes:
    return sequence(kind, set_of(value))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
