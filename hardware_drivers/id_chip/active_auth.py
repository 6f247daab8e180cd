"""Active authentication: Doc 9303-11 §6.1. The chip signs a challenge with a key that never leaves it.

Whoever chose the challenge may believe the answer, wherever it was carried: this is the one proof against copies that
a lying terminal cannot make up (chip_auth.py says why chip authentication is weaker evidence).
"""

import hashlib
from dataclasses import dataclass

from asn1crypto import core, keys
from cryptography.hazmat.primitives.asymmetric import rsa

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.curves import verify_ecdsa
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS
from hardware_drivers.id_chip.keys import macs_match
from hardware_drivers.id_chip.security_infos import ActiveAuthenticationInfo
from hardware_drivers.id_chip.signatures import ASN1_ERRORS, RSA_BITS_MAX, EcKey, PublicKey, public_key
from hardware_drivers.smartcard.apdu import EXTENDED_MAX, SHORT_NE_MAX, Command
from hardware_drivers.smartcard.channel import Channel

CHALLENGE_LENGTH = 8  # §6.1.2: RND.IFD
CHALLENGE_LENGTH_MAX = 32
EXPONENT_BITS_MAX = 64  # OpenSSL's own limit; a longer one only makes the verifier work
SIGNATURE_MAX = 1024  # bytes of an RSA-8192 signature, the largest key signatures.py takes

# Trailers of ISO/IEC 9796-2:2010 §8.1.2 and the hash identifiers of ISO/IEC 10118-3; BC means SHA-1 by agreement.
IMPLICIT_TRAILER, EXPLICIT_TRAILER = 0xBC, 0xCC
HASH_BY_IDENTIFIER = {0x33: "sha1", 0x34: "sha256", 0x35: "sha512", 0x36: "sha384", 0x38: "sha224"}
# Without that entry (documents from before it was asked for): the hash that fits the curve, TR-03111 §4.2.1.
HASH_BY_BYTES = ((20, "sha1"), (28, "sha224"), (32, "sha256"), (48, "sha384"), (66, "sha512"))


@dataclass(frozen=True, slots=True)
class ActiveAuthenticationProof:
    """What was asked and what the chip answered.

    Attributes:
        challenge: The eight bytes the chip was given.
        signature: Its answer, as received.
    """

    challenge: bytes
    signature: bytes


def challenge_bytes(challenge: bytes) -> bytes:
    """The eight bytes a chip signs: the challenge itself, or of a longer one the beginning of its SHA-256.

    `ValueError` for a challenge outside 8 to 32 bytes.
    """
    if not CHALLENGE_LENGTH <= len(challenge) <= CHALLENGE_LENGTH_MAX:
        raise ValueError(f"a challenge has 8 to 32 bytes, not {len(challenge)}")
    return challenge if len(challenge) == CHALLENGE_LENGTH else hashlib.sha256(challenge).digest()[:CHALLENGE_LENGTH]


def authenticate_chip(channel: Channel, challenge: bytes, *, extended: bool) -> ActiveAuthenticationProof | None:
    """INTERNAL AUTHENTICATE with this challenge; None where the chip refuses, `StatusError` where it breaks off.

    Args:
        challenge: Eight bytes, from whoever is to be convinced.
        extended: Whether answers longer than 256 bytes fit; RSA keys above 1 792 bits need them.
    """
    ne = EXTENDED_MAX - 536 if extended else SHORT_NE_MAX  # 65 000: vpcd and several readers end below 65 536
    answer = channel.transmit(Command(0x00, 0x88, 0x00, 0x00, challenge, ne=ne))
    if answer.sw != 0x9000 or not 0 < len(answer.data) <= SIGNATURE_MAX:
        return None
    return ActiveAuthenticationProof(challenge, answer.data)


def parse_dg15(content: bytes) -> PublicKey:
    """The key in DG15 (Doc 9303-10 §4.7.15); `MalformedFileError` for one that cannot be used."""
    try:
        info = keys.PublicKeyInfo.load(tlv.only(content, DATA_GROUP_TAGS[15]), strict=True)
        if info["algorithm"]["algorithm"].native != "rsa":
            return public_key(info)
        # The BSI's own specimen writes a modulus without the zero byte that would make it positive: read it unsigned.
        numbers = info["public_key"].parsed
        modulus, exponent = (int.from_bytes(numbers[part].contents, "big") for part in ("modulus", "public_exponent"))
        if modulus.bit_length() > RSA_BITS_MAX or exponent.bit_length() > EXPONENT_BITS_MAX:
            raise MalformedFileError("DG15", f"RSA of {modulus.bit_length()} and {exponent.bit_length()} bits")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ASN1_ERRORS as error:
        raise MalformedFileError("DG15", type(error).__name__) from error


def signature_proves(
    key: PublicKey, proof: ActiveAuthenticationProof, info: ActiveAuthenticationInfo | None = None
) -> bool:
    """Whether the owner of the key in DG15 signed the challenge.

    Args:
        info: From DG14, the hash it signs with; only elliptic keys need it.

    `MalformedFileError` for an algorithm that Doc 9303-11 §6.1.2 does not list.
    """
    if isinstance(key, EcKey):
        return _ecdsa_proves(key, proof, info)
    numbers = key.public_numbers()
    signature = int.from_bytes(proof.signature, "big")
    if not 0 < signature < numbers.n or len(proof.signature) > (numbers.n.bit_length() + 7) // 8:
        return False
    opened = pow(signature, numbers.e, numbers.n)
    # ISO/IEC 9796-2 §B.5: a signer may have published the smaller of s and n - s; the true one ends in nibble C.
    if opened & 0xF != 0xC:
        opened = numbers.n - opened
    return recovers(opened.to_bytes((numbers.n.bit_length() + 7) // 8, "big"), proof.challenge)


def recovers(block: bytes, challenge: bytes) -> bool:
    """Whether this opened block is digital signature scheme 1 of ISO/IEC 9796-2 over M1 from inside and the challenge.

    The block is header, M1, H(M1 || challenge), trailer (Doc 9303-11 §6.1.2.2).
    """
    if len(block) < 2:
        return False
    if block[-1] == IMPLICIT_TRAILER:
        hash_name, trailer = "sha1", 1
    elif block[-1] == EXPLICIT_TRAILER and block[-2] in HASH_BY_IDENTIFIER:
        hash_name, trailer = HASH_BY_IDENTIFIER[block[-2]], 2
    else:
        return False
    begin = _end_of_header(block)
    end = len(block) - trailer - hashlib.new(hash_name, usedforsecurity=False).digest_size
    if begin is None or end < begin:
        return False
    hashed = hashlib.new(hash_name, block[begin:end] + challenge, usedforsecurity=False).digest()
    return macs_match(hashed, block[end : len(block) - trailer])


def _end_of_header(block: bytes) -> int | None:
    """Where M1 begins: after bits 011 (partial recovery), zero or more padding nibbles B, and nibble A; None if not so.

    Total recovery (bits 010) is refused: then the challenge, which the verifier adds, would not be under the hash.
    """
    if block[0] >> 4 != 0x6:
        return None
    nibbles = [half for byte in block for half in (byte >> 4, byte & 0xF)]
    at = 1
    while at < len(nibbles) and nibbles[at] == 0xB:
        at += 1
    return (at + 1) // 2 if at < len(nibbles) and nibbles[at] == 0xA and at % 2 else None


def _ecdsa_proves(key: EcKey, proof: ActiveAuthenticationProof, info: ActiveAuthenticationInfo | None) -> bool:
    """ECDSA as r || s of equal length (TR-03111 §5.2.1); chips that answer in DER are understood as well."""
    size = (key.curve.n.bit_length() + 7) // 8
    hash_name = next(name for most, name in HASH_BY_BYTES if size <= most) if info is None else info.digest
    if hash_name is None:
        raise MalformedFileError("ActiveAuthenticationInfo", "signature algorithm outside TR-03111")
    signature = proof.signature
    if len(signature) == 2 * size:
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    else:
        try:
            r, s = (number.native for number in core.SequenceOf.load(signature, spec=core.Integer, strict=True))
        except ASN1_ERRORS:
            return False
    return verify_ecdsa(key.curve, (key.x, key.y), (r, s), proof.challenge, hash_name)
