"""Numbers people read aloud: record numbers and receipt codes in Crockford's base 32.

Eight letters are 40 bits: far too many to guess through a door that counts tries, few enough to type. At rest the
code is a salted scrypt hash, so that whoever reads the database does not get the codes by trying all of them.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # https://www.crockford.com/base32.html: no I, L, O, U
CODE_LETTERS = 8
CODE_SALT_BYTES = 16  # NIST SP 800-132 §5.1
RECORD_ID = re.compile(r"R-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{8}")
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1  # RFC 7914 §2 for interactive use; 16 MiB

Randomness = Callable[[int], bytes]


def draw_code(rng: Randomness) -> str:
    """Eight unguessable letters; 5 of each byte's 8 bits are used, so none is likelier."""
    return "".join(CROCKFORD[byte & 31] for byte in rng(CODE_LETTERS))


def draw_record_id(rng: Randomness, now: datetime) -> str:
    """A record number such as R-20261121-7K3M9Q2X; the day is UTC."""
    return f"R-{now.astimezone(UTC):%Y%m%d}-{draw_code(rng)}"


def is_record_id(spelling: str) -> bool:
    """Whether this may be used as a record's number (and so as a folder's name)."""
    return RECORD_ID.fullmatch(spelling) is not None


def read_code(typed: str) -> str:
    """What a person meant: case, dashes and the letters Crockford lets one misread do not matter."""
    return typed[:40].upper().translate(MISREAD)


def hash_code(code: str, salt: bytes) -> bytes:
    """What is stored in place of a receipt code. Takes about 40 ms by intent."""
    return hashlib.scrypt(read_code(code).encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, dklen=32)


def code_is_right(typed: str, salt: bytes, stored: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(hash_code(typed, salt), stored)
