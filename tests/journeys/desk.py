"""The demo's little desk: ID cards of generated people, and a hand that puts them on the reader and takes them off."""

import secrets
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
)
from hardware_drivers.id_chip.issuer import TestIssuer
from hardware_drivers.id_chip.personalise import Defect, Person, personalise, portrait_for_chip
from tests.journeys.photographs import photograph
from tests.journeys.programs import Program
from tests.journeys.reader import Reader

CUSTOMER_PHOTOGRAPH = "obama.jpg"  # who stands at the kiosk
CUSTOMER_PORTRAIT = "obama2.jpg"  # another photograph of the same person
STRANGER_PORTRAIT = "biden.jpg"  # somebody else
SETTLE_S = 0.6  # pcscd looks for cards every 0.4 s (research id_card.md §1)


class CardName(StrEnum):
    """Which card is meant."""

    GENUINE = "genuine"
    IMPOSTOR = "impostor"  # a genuine card of another person
    EXPIRED = "expired"
    UNKNOWN_ISSUER = "unknown-issuer"
    TAMPERED = "tampered"  # one bit of the portrait changed after signing
    COPIED = "copied"  # every file of the genuine card, and none of its private keys


# name -> (portrait, surname, given names, what is wrong with it)
MADE_OUT: dict[CardName, tuple[str, str, str, tuple[Defect, ...]]] = {
    CardName.GENUINE: (CUSTOMER_PORTRAIT, "CHEN", "MING", ()),
    CardName.IMPOSTOR: (STRANGER_PORTRAIT, "WANG", "FANG", ()),
    CardName.EXPIRED: (CUSTOMER_PORTRAIT, "CHEN", "MING", (Defect.EXPIRED,)),
    CardName.UNKNOWN_ISSUER: (CUSTOMER_PORTRAIT, "CHEN", "MING", (Defect.FOREIGN_ISSUER,)),
    CardName.TAMPERED: (CUSTOMER_PORTRAIT, "CHEN", "MING", (Defect.TAMPERED_DG2,)),
    CardName.COPIED: (CUSTOMER_PORTRAIT, "CHEN", "MING", (Defect.COPIED,)),
}
# As a European card of these years: opened by PACE, its chip proves itself twice over.
PROTECTION = Protection(
    pace=PaceKind.GENERIC, chip=ChipAuthenticationKind.ECDH_AES128, active=ActiveAuthenticationKind.ECDSA
)


@dataclass(frozen=True, slots=True)
class DemoCard:
    """One personalised card, and what is printed on it to type."""

    name: CardName
    file: Path
    document_number: str
    date_of_birth: date
    date_of_expiry: date
    holder: str


@dataclass(frozen=True, slots=True)
class Wallet:
    """Every card of one demo, and the authority to trust for them."""

    cards: dict[CardName, DemoCard]
    csca: Path


def make_wallet(folder: Path, *, portrait_of_visitor: Path | None = None) -> Wallet:
    """Cards made on the spot: generated people, a state of this run's own, portraits from the photographs.

    With a photograph of whoever tries the demo, every card but the stranger's carries that face.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).replace(microsecond=0)
    issuer = TestIssuer.create(secrets.token_bytes, now)
    csca = folder / "csca.der"
    csca.write_bytes(issuer.csca_der)
    cards = {}
    for name, (shown, surname, given_names, defects) in MADE_OUT.items():
        portrait = photograph(shown)
        if portrait_of_visitor is not None and shown == CUSTOMER_PORTRAIT:
            portrait = portrait_of_visitor
        person = Person(
            surname=surname,
            given_names=given_names,
            document_number=f"VC{secrets.randbelow(10**7):07d}",
            date_of_birth=date(1961, 8, 4),
            date_of_expiry=now.date() + timedelta(days=5 * 365),
        )
        picture = portrait_for_chip(portrait.read_bytes())
        card = personalise(
            person, picture, issuer, secrets.token_bytes, defects=defects, protection=PROTECTION, with_details=True
        )
        file = folder / f"{name}.json"
        card.save(file)
        key = card.key
        holder = f"{surname} {given_names}"
        cards[name] = DemoCard(name, file, key.document_number, key.date_of_birth, key.date_of_expiry, holder)
    return Wallet(cards, csca)


class Desk:
    """One reader, and at most one card on it."""

    def __init__(self, reader: Reader, logs: Path) -> None:
        self._reader = reader
        self._logs = logs
        self._card: Program | None = None

    def put(self, card: DemoCard, *faults: str) -> None:
        """Put a card down; `faults` are options of `hardware_drivers.smartcard.simulated`, such as `--pull-after 9`."""
        self.pull()
        command = [*self._reader.card_prefix, sys.executable, "-m", "hardware_drivers.smartcard.simulated"]
        command += ["--port", str(self._reader.card_port), "--card", str(card.file), *faults]
        self._card = Program(f"card {card.name}", command, self._logs / "card.log")

    def pull(self) -> None:
        """Take the card off, and give the reader the moment it needs to notice."""
        if self._card is not None:
            self._card.stop()
            self._card = None
            time.sleep(SETTLE_S)
