"""Builders: a generated person, a drawn portrait, a state, a card, and a link straight into a simulated chip."""

import io
import os
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from PIL import Image

from hardware_drivers.errors import CardRemovedError
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.card_protection import Protection
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.files import EF_COM, EF_SOD
from hardware_drivers.id_chip.issuer import KeyKind, TestIssuer
from hardware_drivers.id_chip.personalise import NO_PROTECTION, Defect, Person, personalise
from hardware_drivers.id_chip.simulated_chip import SimulatedChip
from hardware_drivers.smartcard.channel import UNTRIED_LIMITS, LinkLimits, ends_batch

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WEI = Person("ZHANG", "WEI", "VC1234567", date(1990, 5, 17), date(2031, 1, 1), "F")
CHALLENGE = bytes.fromhex("0123456789ABCDEF")
EVALUATION_DATA = Path(
    os.environ.get("COUNTER_EVALUATION_DATA", Path(__file__).resolve().parents[2] / "../shared/data")
).resolve()
ID_CARD_DATA = EVALUATION_DATA / "id_card"
SPECIMENS_MISSING = f"wants the specimen cards in {'$COUNTER_EVALUATION_DATA'}/id_card"


def drawn_portrait(side_px: int = 200) -> bytes:
    """A JPEG that is nobody: noise, so that it does not compress to nothing."""
    noise = random.Random(1).randbytes(side_px * side_px)  # noqa: S311 - a picture, not a secret
    stored = io.BytesIO()
    Image.frombytes("L", (side_px, side_px), noise).save(stored, "JPEG", quality=60)
    return stored.getvalue()


def seeded(seed: int = 7) -> Callable[[int], bytes]:
    """Repeatable randomness."""
    return random.Random(seed).randbytes  # noqa: S311 - repeatable on purpose


def make_issuer(kind: KeyKind = KeyKind.P256, seed: int = 7) -> TestIssuer:
    return TestIssuer.create(seeded(seed), NOW, kind=kind)


def make_card(
    issuer: TestIssuer | None = None,
    *,
    defects: Collection[Defect] = (),
    portrait: bytes | None = None,
    protection: Protection = NO_PROTECTION,
    with_details: bool = False,
) -> PersonalisedCard:
    return personalise(
        WEI,
        portrait or drawn_portrait(),
        issuer or make_issuer(),
        seeded(8),
        defects=defects,
        protection=protection,
        with_details=with_details,
    )


def evidence_of(card: PersonalisedCard) -> ChipEvidence:
    """What an honest reading of the card brings home."""
    groups = {fid - 0x0100: content for fid, content in card.files.items() if fid not in (EF_COM.fid, EF_SOD.fid)}
    return ChipEvidence("BAC", b"", card.files[EF_COM.fid], card.files[EF_SOD.fid], groups, 0)


def make_chip(card: PersonalisedCard, *, extended: bool = True) -> SimulatedChip:
    return SimulatedChip.of(card, seeded(9), extended=extended)


@dataclass
class DirectLink:
    """A link without any cable; `answer` may lie, and counts what passes."""

    answer: Callable[[bytes], bytes]
    atr: bytes
    commands: list[bytes] = field(default_factory=list)
    open: bool = True
    limits: LinkLimits = UNTRIED_LIMITS
    journeys: int = 0

    def learn(self, limits: LinkLimits) -> None:
        self.limits = limits

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        if not self.open:
            raise CardRemovedError("closed")
        self.journeys += 1
        answers: list[bytes] = []
        for command in commands:
            self.commands.append(command)
            answers.append(self.answer(command))
            if ends_batch(answers[-1]):
                break
        return answers

    def close(self) -> None:
        self.open = False


def link_to(chip: SimulatedChip) -> DirectLink:
    return DirectLink(chip.answer, chip.atr)
