"""Public keys and signatures as the certificates of 90 states really carry them."""

from dataclasses import dataclass
from typing import Any

from asn1crypto import algos, core, keys
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.curves import Curve, curve_named, curve_with, verify_ecdsa

# What asn1crypto raises on bytes that are no such structure; it parses lazily, so every access may.
ASN1_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
RSA_BITS_MAX = 8192  # CSCA keys run up to 6144; larger ones only cost time
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - documents of 2006 are signed with it and stay valid for what they are
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
LIBRARY_CURVES: dict[str, ec.EllipticCurve] = {
    "secp192r1": ec.SECP192R1(),
    "secp224r1": ec.SECP224R1(),
    "secp256r1": ec.SECP256R1(),
    "secp384r1": ec.SECP384R1(),
    "secp521r1": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
    "brainpoolP512r1": ec.BrainpoolP512R1(),
}


@dataclass(frozen=True, slots=True)
class EcKey:
    """A point on a curve we know by all its numbers."""

    curve: Curve
    x: int
    y: int


PublicKey = EcKey | rsa.RSAPublicKey


def public_key(info: keys.PublicKeyInfo) -> PublicKey:
    """The key in a certificate's SubjectPublicKeyInfo.

    `MalformedFileError` for a curve that is none of ours, a point that is not on it, or a key type that Doc 9303-12
    does not list.
    """
    try:
        kind = info["algorithm"]["algorithm"].native
        if kind in ("rsa", "rsassa_pss"):
            numbers = info["public_key"].parsed
            modulus, exponent = numbers["modulus"].native, numbers["public_exponent"].native
            if modulus.bit_length() > RSA_BITS_MAX:
                raise MalformedFileError("public key", f"RSA of {modulus.bit_length()} bits")
            return rsa.RSAPublicNumbers(exponent, modulus).public_key()
        if kind == "ec":
            return _ec_key(_curve(info["algorithm"]["parameters"]), bytes(info["public_key"].native))
    except ASN1_ERRORS as error:
        raise MalformedFileError("public key", type(error).__name__) from error
    raise MalformedFileError("public key", "neither RSA nor elliptic curve")


def _curve(parameters: Any) -> Curve:
    """The curve, named or spelled out."""
    if parameters.name == "named":
        found = curve_named(parameters.chosen.dotted)
    else:
        spelled = parameters.chosen
        found = curve_with(
            p=spelled["field_id"]["parameters"].native,
            a=int.from_bytes(spelled["curve"]["a"].native, "big"),
            b=int.from_bytes(spelled["curve"]["b"].native, "big"),
            base=bytes(spelled["base"].native),
            n=spelled["order"].native,
            cofactor=spelled["cofactor"].native,
        )
    if found is None:
        raise MalformedFileError("public key", "curve whose numbers are none of the known ones")
    return found


def _ec_key(curve: Curve, encoded: bytes) -> EcKey:
    """An uncompressed point, SEC 1 §2.3.4, checked to lie on the curve."""
    size = curve.field_bytes
    x, y = int.from_bytes(encoded[1 : 1 + size], "big"), int.from_bytes(encoded[1 + size :], "big")
    if len(encoded) != 1 + 2 * size or encoded[0] != 4 or not curve.holds(x, y):
        raise MalformedFileError("public key", "no point of its curve")
    return EcKey(curve, x, y)


def signature_holds(
    key: PublicKey, algorithm: algos.SignedDigestAlgorithm, signature: bytes, message: bytes, digest: str | None = None
) -> bool:
    """Whether the signature over the message is this key's.

    Args:
        algorithm: As the certificate or signer names it.
        digest: Hash for algorithms that name none by themselves (`rsaEncryption`, bare ECDSA), by its hashlib name.

    `MalformedFileError` for an algorithm that Doc 9303-12 does not list, or one that does not fit the key.
    """
    try:
        name = algorithm["algorithm"].native
        if isinstance(key, EcKey):
            if name not in ("ecdsa", "ec") and not name.endswith("_ecdsa"):
                raise MalformedFileError("signature algorithm", "does not fit an elliptic curve key")
            return _ecdsa_holds(key, signature, message, _hash_name(name, digest))
        if name == "rsassa_pss":
            return _pss_holds(key, algorithm["parameters"], signature, message)
        if name in ("rsassa_pkcs1v15", "rsa") or name.endswith("_rsa"):
            return _rsa_holds(key, signature, message, padding.PKCS1v15(), HASHES[_hash_name(name, digest)])
    except (UnsupportedAlgorithm, *ASN1_ERRORS) as error:
        raise MalformedFileError("signature", type(error).__name__) from error
    raise MalformedFileError("signature algorithm", "none that Doc 9303-12 §4.4 lists")


def _hash_name(algorithm: str, digest: str | None) -> str:
    """`sha256` of `sha256_rsa`, or the digest named elsewhere; `MalformedFileError` when it is not one of SHA-1, -2."""
    name = algorithm.split("_")[0]
    if name not in HASHES:
        name = digest or ""
    if name not in HASHES:
        raise MalformedFileError("signature algorithm", "hash outside SHA-1 and SHA-2")
    return name


def _pss_holds(key: rsa.RSAPublicKey, parameters: Any, signature: bytes, message: bytes) -> bool:
    """RSASSA-PSS with the parameters as given."""
    outer = HASHES[parameters["hash_algorithm"]["algorithm"].native]
    inner = HASHES[parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native]
    scheme = padding.PSS(padding.MGF1(inner), parameters["salt_length"].native)
    return _rsa_holds(key, signature, message, scheme, outer)


def _rsa_holds(
    key: rsa.RSAPublicKey,
    signature: bytes,
    message: bytes,
    scheme: padding.PKCS1v15 | padding.PSS,
    hash_algorithm: hashes.HashAlgorithm,
) -> bool:
    """RSA in either padding."""
    try:
        key.verify(signature, message, scheme, hash_algorithm)
    except InvalidSignature:
        return False
    return True


def _ecdsa_holds(key: EcKey, signature: bytes, message: bytes, digest: str) -> bool:
    """ECDSA by the library where it has the curve, else by our own arithmetic."""
    if key.curve.name in LIBRARY_CURVES:
        numbers = ec.EllipticCurvePublicNumbers(key.x, key.y, LIBRARY_CURVES[key.curve.name])
        try:
            numbers.public_key().verify(signature, message, ec.ECDSA(HASHES[digest]))
        except InvalidSignature:
            return False
        return True
    pair = core.SequenceOf.load(signature, spec=core.Integer, strict=True)
    r, s = (number.native for number in pair)
    return verify_ecdsa(key.curve, (key.x, key.y), (r, s), message, digest)
