"""Phones that lend their reader: who may, for which visit, once. `docs/relay.md` has the frames."""

import hashlib
import secrets
from dataclasses import dataclass, field

from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.smartcard.channel import CardLink

TOKEN_BYTES = 16  # 128 bits
TOKEN_LIFE_S = 60.0
PAIRINGS_MAX = 1000  # open at once in one counter; the oldest give way
CHALLENGE_LENGTH = 8

Access = MrzKey | PacePassword


@dataclass(frozen=True, slots=True)
class Pairing:
    """A visit that waits for a phone.

    Attributes:
        access: What opens the chip; it never leaves the counter.
        until_s: When the token ends, by the clock handed in.
    """

    visit_id: str
    access: Access = field(repr=False)
    until_s: float


@dataclass(slots=True)
class Pairings:
    """Tokens not yet used, by their hash. One per visit: asking again makes the one before worthless."""

    _open: dict[bytes, Pairing] = field(default_factory=dict)

    def offer(self, visit_id: str, access: Access, now_s: float) -> str:
        """A fresh token for this visit."""
        kept = {key: one for key, one in self._open.items() if one.visit_id != visit_id and one.until_s > now_s}
        while len(kept) >= PAIRINGS_MAX:
            del kept[next(iter(kept))]
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._open = kept | {_key(token): Pairing(visit_id, access, now_s + TOKEN_LIFE_S)}
        return token

    def redeem(self, token: str, now_s: float) -> Pairing | None:
        """What the token stands for, once; None for one that is unknown, used or too old."""
        pairing = self._open.pop(_key(token), None)
        return pairing if pairing is not None and pairing.until_s > now_s else None


def _key(token: str) -> bytes:
    """Tokens are not kept, so that a memory image opens no door."""
    return hashlib.sha256(token.encode()).digest()


def draw_challenge() -> bytes:
    """What a chip is to prove itself over, in one reading that the counter drives."""
    return secrets.token_bytes(CHALLENGE_LENGTH)


def read_over_phone(link: CardLink, access: Access, challenge: bytes) -> ChipEvidence:
    """The chip on the phone; blocks the calling thread. Errors as `read_chip` lists them.

    The counter is the terminal here: it has the keys, so it may believe its own run of chip authentication.
    """
    return read_chip(link, access, challenge, secrets.token_bytes, _nobody_watches)


def _nobody_watches(_: str) -> None:
    """The phone shows one sentence for all steps."""
