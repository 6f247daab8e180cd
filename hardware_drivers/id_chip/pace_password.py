"""What a person types, or a camera reads, to open a chip by PACE (Doc 9303-11 §9.7.3)."""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from hardware_drivers.id_chip.mrz import MrzKey

SECRET_LENGTH_MAX = 32  # a CAN has 6 digits, a PUK 10


class PasswordKind(IntEnum):
    """Which secret it is, by its number in MSE:Set AT (§4.4.4.1; 3 and 4: TR-03110-3 §B.11.1)."""

    MRZ = 1
    CAN = 2
    PIN = 3
    PUK = 4


@dataclass(frozen=True, slots=True)
class PacePassword:
    """One secret; PIN and PUK have a counter on the chip, the printed ones have not.

    Attributes:
        seed: f(π) of §9.7.3, table 14: what the key for the nonce is derived from.
    """

    kind: PasswordKind
    seed: bytes = field(repr=False)

    @classmethod
    def mrz(cls, key: MrzKey) -> Self:
        """From number, birth and expiry of the printed zone."""
        return cls(PasswordKind.MRZ, hashlib.sha1(key.mrz_information(), usedforsecurity=False).digest())

    @classmethod
    def can(cls, digits: str) -> Self:
        """The card access number printed on the front."""
        return cls(PasswordKind.CAN, _latin_1(digits))

    @classmethod
    def pin(cls, digits: str) -> Self:
        """The holder's own secret."""
        return cls(PasswordKind.PIN, _latin_1(digits))

    @classmethod
    def puk(cls, digits: str) -> Self:
        """The secret from the letter, which gives a blocked PIN new attempts."""
        return cls(PasswordKind.PUK, _latin_1(digits))

    @property
    def counted(self) -> bool:
        """Whether a wrong one costs an attempt."""
        return self.kind in (PasswordKind.PIN, PasswordKind.PUK)


def _latin_1(text: str) -> bytes:
    """ISO/IEC 8859-1; `ValueError`, which does not repeat the secret, for what cannot be one."""
    if not 1 <= len(text) <= SECRET_LENGTH_MAX or any(ord(character) > 0xFF for character in text):
        raise ValueError(f"password of {len(text)} characters, 1 to {SECRET_LENGTH_MAX} of ISO 8859-1 wanted")
    return text.encode("latin-1")
