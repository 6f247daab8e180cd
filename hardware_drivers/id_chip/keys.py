"""Key derivation, 3DES and the retail MAC, as Doc 9303-11 §9.7 and §9.8 use them."""

import hashlib
import hmac
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

RandomBytes = Callable[[int], bytes]

BLOCK = 8
ENCRYPTION, AUTHENTICATION = 1, 2  # counters of Doc 9303-11 §9.7.1
ZERO_IV = bytes(BLOCK)


def derive_key(shared_secret: bytes, counter: int) -> bytes:
    """A two-key 3DES key of 16 bytes with odd parity (§9.7.1.1), for `ENCRYPTION` or `AUTHENTICATION`."""
    digest = hashlib.sha1(shared_secret + counter.to_bytes(4, "big"), usedforsecurity=False).digest()
    return bytes(_odd_parity(byte) for byte in digest[:16])


def encrypt(key: bytes, plain: bytes) -> bytes:
    """3DES in CBC mode with a zero IV; whole blocks in, whole blocks out."""
    return _cbc(key, ZERO_IV).encryptor().update(plain)


def decrypt(key: bytes, cipher_text: bytes) -> bytes:
    """The inverse of `encrypt`."""
    return _cbc(key, ZERO_IV).decryptor().update(cipher_text)


def retail_mac(key: bytes, padded: bytes) -> bytes:
    """ISO/IEC 9797-1 MAC algorithm 3 with DES over already padded blocks; 8 bytes (§9.8.6.1).

    DES under the first key up to the last block, which the closing decryption and encryption make one of 3DES.
    """
    chained = _cbc(key[:BLOCK], ZERO_IV).encryptor().update(padded[:-BLOCK])[-BLOCK:]
    return _cbc(key, chained or ZERO_IV).encryptor().update(padded[-BLOCK:])


def macs_match(one: bytes, other: bytes) -> bool:
    """Equality in constant time."""
    return hmac.compare_digest(one, other)


def pad(message: bytes) -> bytes:
    """ISO/IEC 9797-1 padding method 2: 80, then zeros to the block."""
    padded = message + b"\x80"
    return padded + bytes(-len(padded) % BLOCK)


def unpad(padded: bytes) -> bytes | None:
    """What was padded, or None when it was not."""
    stripped = padded.rstrip(b"\x00")
    return stripped[:-1] if stripped.endswith(b"\x80") else None


def _cbc(key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    """The cipher under a one- or two-key 3DES key, always handed over as three keys (two are to be removed)."""
    return Cipher(TripleDES(key * 3 if len(key) == BLOCK else key + key[:BLOCK]), modes.CBC(iv))


def _odd_parity(byte: int) -> int:
    """The byte with its lowest bit set so that the number of ones is odd (§9.7.1.1)."""
    return byte & 0xFE | (bin(byte >> 1).count("1") + 1) % 2
