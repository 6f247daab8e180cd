"""Simulated chips that speak PACE, what they say of themselves, and their passwords."""

from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.bac import access_keys
from hardware_drivers.id_chip.pace import PaceSession, establish_pace
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.simulated_chip import SimulatedChip
from hardware_drivers.id_chip.simulated_pace import PaceProfile, SimulatedPace
from hardware_drivers.smartcard.channel import PlainChannel
from tests.hardware_drivers.cards import DirectLink, make_card, seeded

CAN = PacePassword.can("123456")
PIN = PacePassword.pin("246810")
CARD_SECURITY = bytes.fromhex("3003020101")


def set_of(*infos: bytes) -> bytes:
    return tlv.encode(der.SET, b"".join(infos))


def pace_info(family: int, suite: int, parameter_id: int, version: int = 2) -> bytes:
    oid = der.encode_object_identifier(f"0.4.0.127.0.7.2.2.4.{family}.{suite}")
    numbers = der.encode_unsigned(version) + der.encode_unsigned(parameter_id)
    return tlv.encode(der.SEQUENCE, tlv.encode(der.OBJECT_IDENTIFIER, oid) + numbers)


def chip_key_info(parameter_id: int, point: bytes) -> bytes:
    standardized = tlv.encode(0x06, der.encode_object_identifier("0.4.0.127.0.7.1.2")) + der.encode_unsigned(
        parameter_id
    )
    spki = tlv.encode(0x30, tlv.encode(0x30, standardized) + tlv.encode(0x03, b"\x00" + point))
    return tlv.encode(0x30, tlv.encode(0x06, der.encode_object_identifier("0.4.0.127.0.7.2.2.1.2")) + spki)


def make_pace(card_access: bytes, *, static_key: int | None = None, seed: int = 3) -> SimulatedPace:
    passwords = (PacePassword.mrz(make_card().key), CAN, PIN)
    return SimulatedPace(PaceProfile(card_access, passwords, CARD_SECURITY, static_key), seeded(seed))


def make_pace_chip(card_access: bytes, *, static_key: int | None = None, seed: int = 3) -> SimulatedChip:
    card = make_card()
    pace = make_pace(card_access, static_key=static_key, seed=seed)
    return SimulatedChip(card.files, access_keys(card.key), seeded(9), pace=pace)


def open_chip(
    chip: SimulatedChip, card_access: bytes, password: PacePassword = CAN, *, spend_last_try: bool = False
) -> PaceSession:
    link = DirectLink(chip.answer, chip.atr)
    return establish_pace(PlainChannel(link), password, card_access, seeded(5), spend_last_try=spend_last_try)
