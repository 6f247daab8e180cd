import random
from collections.abc import Callable
from datetime import date

import pytest

from hardware_drivers.errors import (
    AccessDeniedError,
    CardError,
    MalformedFileError,
    NotAnIdCardError,
    StatusError,
    TamperedAnswerError,
)
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.block_sizes import historical_bytes, takes_extended_length
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.personalise import Defect, _com
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.simulated_chip import ATR_EXTENDED, ATR_SHORT, SimulatedChip
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import verify_evidence
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import LARGEST_LIMITS, SHORT_LIMITS, UNTRIED_LIMITS, LinkLimits
from tests.hardware_drivers.cards import (
    CHALLENGE,
    ID_CARD_DATA,
    NOW,
    SPECIMENS_MISSING,
    WEI,
    DirectLink,
    drawn_portrait,
    link_to,
    make_card,
    make_chip,
    make_issuer,
    seeded,
)

SIZES = [24, 1811, 93, 15083, 334, 164]  # of COM, SOD, DG1, DG2, DG14, DG15 in issue 3 and research id_card.md §5
needs_specimens = pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)


def ignore(_: str) -> None:
    return None


@pytest.mark.parametrize("extended", [True, False])
def test_every_file_comes_home_byte_for_byte(extended: bool) -> None:
    card = make_card()
    evidence = read_chip(link_to(make_chip(card, extended=extended)), card.key, CHALLENGE, seeded(), ignore)
    assert evidence.ef_com == card.files[0x011E]
    assert evidence.ef_sod == card.files[0x011D]
    assert evidence.data_groups == {1: card.files[0x0101], 2: card.files[0x0102]}
    assert evidence.access == "BAC"


@pytest.mark.parametrize("extended", [True, False])
def test_a_portrait_beyond_32767_bytes_is_read_with_the_odd_instruction(extended: bool) -> None:
    card = make_card(portrait=drawn_portrait(360))
    assert len(card.files[0x0102]) > 0x9000
    evidence = read_chip(link_to(make_chip(card, extended=extended)), card.key, CHALLENGE, seeded(), ignore)
    assert evidence.data_groups[2] == card.files[0x0102]


def specimen_with_every_group() -> PersonalisedCard:
    """The BSI's specimen with a security object of the size that today's have, and DG15, which its own does not list.

    The object's content is only filling: it cannot be read, and EF.COM is asked instead.
    """
    specimen = PersonalisedCard.load(ID_CARD_DATA / "bsi_specimen_2008")
    files = {**specimen.files, 0x011D: tlv.encode(0x77, bytes(1807)), 0x011E: _com((1, 2, 14, 15))}
    assert [len(files[fid]) for fid in (0x011E, 0x011D, 0x0101, 0x0102, 0x010E, 0x010F)] == SIZES
    return PersonalisedCard(files, specimen.mrz_lines, specimen.key)


@needs_specimens
@pytest.mark.parametrize(
    ("limits", "at_most"),
    [(SHORT_LIMITS, 79), (UNTRIED_LIMITS, 13), (LARGEST_LIMITS, 6)],
    ids=["short", "2 KB", "64 KB"],
)
def test_the_specimen_is_read_with_as_few_commands_as_planned(limits: LinkLimits, at_most: int) -> None:
    # issue 3, Speed: COM 24 + SOD 1.8 K + DG1 + DG2 15 K + DG14 + DG15; JMRTD takes 88 to 94, gmrtd 84
    card = specimen_with_every_group()
    chip = make_chip(card, extended=limits is not SHORT_LIMITS)
    link = link_to(chip)
    link.limits = limits
    reads: list[Command] = []
    inside = chip._answer_files

    def count(command: Command) -> Response:
        reads.append(command)
        return inside(command)

    chip._answer_files = count  # type: ignore[method-assign]
    evidence = read_chip(link, card.key, CHALLENGE, seeded(), ignore)
    assert evidence.data_groups == {number: card.files[0x0100 + number] for number in (1, 2, 14, 15)}
    assert (evidence.ef_com, evidence.ef_sod) == (card.files[0x011E], card.files[0x011D])
    print(len(reads), len(link.commands), link.journeys)
    assert len(reads) <= at_most
    # outside: EF.CardAccess twice, EF.ATR, SELECT, two of basic access, and one refused proof of either kind
    assert len(link.commands) <= at_most + 8


@pytest.mark.parametrize(
    "key",
    [
        MrzKey("VC1234568", WEI.date_of_birth, WEI.date_of_expiry),
        MrzKey("VC1234567", date(1990, 5, 18), WEI.date_of_expiry),
        MrzKey("VC1234567", WEI.date_of_birth, date(2031, 1, 2)),
    ],
    ids=["number", "birth", "expiry"],
)
def test_a_wrong_zone_is_denied(key: MrzKey) -> None:
    with pytest.raises(AccessDeniedError):
        read_chip(link_to(make_chip(make_card())), key, CHALLENGE, seeded(), ignore)


def test_nothing_is_read_without_access() -> None:
    chip = make_chip(make_card())
    chip.answer(bytes.fromhex("00A4040C07A0000002471001"))
    for command in ("00B09E0000", "00A4020C020101", "00B0000000", "0CB09E000D9701008E08000000000000000000"):
        assert len(chip.answer(bytes.fromhex(command))) == 2


def test_a_card_without_the_application_is_no_id_card() -> None:
    with pytest.raises(NotAnIdCardError):
        read_chip(DirectLink(lambda _: bytes.fromhex("6A82"), b"\x3b\x00"), WEI.key, CHALLENGE, seeded(), ignore)


def test_a_chip_that_promises_extended_length_and_refuses_it_is_read_short() -> None:
    card = make_card()
    chip = make_chip(card, extended=False)
    link = DirectLink(chip.answer, ATR_EXTENDED)
    assert read_chip(link, card.key, CHALLENGE, seeded(), ignore).data_groups[2] == card.files[0x0102]


def test_a_chip_without_short_identifiers_is_read_by_select() -> None:
    card = make_card()
    chip = make_chip(card)
    inside = chip._answer_inside

    def refuse(command: Command) -> Response:
        short = command.ins == 0xB0 and command.p1 & 0x80
        return Response(b"", 0x6A82) if short else inside(command)

    chip._answer_inside = refuse  # type: ignore[method-assign]
    assert read_chip(link_to(chip), card.key, CHALLENGE, seeded(), ignore).ef_sod == card.files[0x011D]


def test_extended_length_is_read_from_the_historical_bytes() -> None:
    assert takes_extended_length(ATR_EXTENDED)
    assert not takes_extended_length(ATR_SHORT)
    assert not takes_extended_length(b"")
    # a contactless card without historical objects, as readers synthesise it (PC/SC part 3 §3.1.3.2.3)
    plain = bytes.fromhex("3B8880010000000000000000 09".replace(" ", ""))
    assert historical_bytes(plain) == bytes(8)
    assert not takes_extended_length(plain)


def test_a_file_that_announces_too_much_is_refused_before_it_is_read() -> None:
    card = make_card(defects={Defect.HUGE_LENGTH})
    link = link_to(make_chip(card))
    with pytest.raises(MalformedFileError):
        read_chip(link, card.key, CHALLENGE, seeded(), ignore)
    assert len(link.commands) < 20


def honest() -> SimulatedChip:
    return make_chip(make_card())


def one_byte(chip: SimulatedChip) -> Callable[[bytes], bytes]:
    return lambda command: chip.answer(command)[:1]


def nothing(_: SimulatedChip) -> Callable[[bytes], bytes]:
    return lambda _: b""


def endless_more(_: SimulatedChip) -> Callable[[bytes], bytes]:
    return lambda _: b"\x00" * 16 + b"\x61\x10"


def always_yes(_: SimulatedChip) -> Callable[[bytes], bytes]:
    return lambda _: b"\x90\x00"


def garbage(_: SimulatedChip) -> Callable[[bytes], bytes]:
    rng = seeded(3)
    return lambda _: rng(40) + b"\x90\x00"


def oversized(chip: SimulatedChip) -> Callable[[bytes], bytes]:
    return lambda command: bytes(65_000) + chip.answer(command)


def bit_flip_after_access(chip: SimulatedChip) -> Callable[[bytes], bytes]:
    def answer(command: bytes) -> bytes:
        said = chip.answer(command)
        return bytes((said[0] ^ 1,)) + said[1:] if command[0] == 0x0C else said

    return answer


def unprotected_after_access(chip: SimulatedChip) -> Callable[[bytes], bytes]:
    def answer(command: bytes) -> bytes:
        return bytes.fromhex("600F5F0104303130375C0161") + b"\x90\x00" if command[0] == 0x0C else chip.answer(command)

    return answer


def replays_the_first_file(chip: SimulatedChip) -> Callable[[bytes], bytes]:
    kept: list[bytes] = []

    def answer(command: bytes) -> bytes:
        said = chip.answer(command)
        if command[0] == 0x0C:
            kept.append(said)
            return kept[0]
        return said

    return answer


def drips(chip: SimulatedChip) -> Callable[[bytes], bytes]:
    portion = chip._portion
    chip._portion = lambda offset, ne: portion(offset, min(ne, 4))  # type: ignore[method-assign]
    return chip.answer


LIARS = [
    one_byte,
    nothing,
    endless_more,
    always_yes,
    garbage,
    oversized,
    bit_flip_after_access,
    unprotected_after_access,
    replays_the_first_file,
    drips,
]


@pytest.mark.parametrize("liar", LIARS)
def test_a_lying_chip_ends_in_an_error_of_ours_and_soon(
    liar: Callable[[SimulatedChip], Callable[[bytes], bytes]],
) -> None:
    chip = honest()
    link = DirectLink(liar(chip), chip.atr)
    with pytest.raises(CardError):
        read_chip(link, WEI.key, CHALLENGE, seeded(), ignore)
    assert len(link.commands) < 700


@pytest.mark.parametrize("seed", range(4))
def test_no_mutated_answer_changes_what_comes_home(seed: int) -> None:
    card = make_card(portrait=drawn_portrait(64))
    honest_link = link_to(make_chip(card))
    honest_evidence = read_chip(honest_link, card.key, CHALLENGE, seeded(), ignore)
    chance = random.Random(seed)  # noqa: S311 - repeatable mutations
    refused = 0
    for _ in range(60):
        chip = make_chip(card)
        target, count = chance.randrange(len(honest_link.commands)), [-1]

        def mutate(command: bytes, chip: SimulatedChip = chip, target: int = target, count: list[int] = count) -> bytes:
            said = bytearray(chip.answer(command))
            count[0] += 1
            if count[0] == target:
                match chance.randrange(3):
                    case 0:
                        said[chance.randrange(len(said))] ^= 1 << chance.randrange(8)
                    case 1:
                        del said[chance.randrange(len(said)) :]
                    case _:
                        said[chance.randrange(len(said)) : 0] = chance.randbytes(5)
            return bytes(said)

        try:
            evidence = read_chip(DirectLink(mutate, chip.atr), card.key, CHALLENGE, seeded(), ignore)
        except CardError:
            refused += 1
            continue
        assert (evidence.ef_com, evidence.ef_sod) == (honest_evidence.ef_com, honest_evidence.ef_sod)
        assert evidence.data_groups == honest_evidence.data_groups
    assert refused > 30


def test_extended_length_can_be_forbidden_for_a_small_reader() -> None:
    card = make_card()
    link = link_to(make_chip(card))
    assert read_chip(link, card.key, CHALLENGE, seeded(), ignore).data_groups[2] == card.files[0x0102]
    assert max(len(command) for command in link.commands) <= 261


def test_a_drip_is_called_tampering() -> None:
    chip = honest()
    with pytest.raises(TamperedAnswerError):
        read_chip(DirectLink(drips(chip), chip.atr), WEI.key, CHALLENGE, seeded(), ignore)


def test_a_chip_that_stops_in_the_middle_is_a_status() -> None:
    chip = honest()
    said = [0]

    def answer(command: bytes) -> bytes:
        said[0] += 1
        return chip.answer(command) if said[0] < 7 else bytes.fromhex("6F00")

    with pytest.raises(StatusError) as stopped:
        read_chip(DirectLink(answer, chip.atr), WEI.key, CHALLENGE, seeded(), ignore)
    assert stopped.value.sw == 0x6F00


def test_another_persons_portrait_under_a_perfect_protocol_is_not_believed() -> None:
    issuer = make_issuer()
    card = make_card(issuer)
    swapped = dict(card.files)
    swapped[0x0102] = make_card(issuer, portrait=drawn_portrait(96)).files[0x0102]
    chip = make_chip(PersonalisedCard(swapped, card.mrz_lines, card.key))
    evidence = read_chip(link_to(chip), card.key, CHALLENGE, seeded(), ignore)
    report = verify_evidence(evidence, TrustStore.of([issuer.csca_der]), NOW)
    assert [refused.name for refused in report.refusals()] == ["dg_hash_2"]


@pytest.mark.parametrize("status", ["6700", "6B00", "6CC0"])
@pytest.mark.parametrize("protected", [True, False])
@pytest.mark.parametrize("largest", [2048, 223, 200, 150, 100])
def test_blocks_shrink_until_the_chip_takes_them(status: str, protected: bool, largest: int) -> None:
    card = make_card(with_details=True, portrait=drawn_portrait(100))
    chip = make_chip(card)
    inside, outside, refused = chip._answer_inside, chip.answer, [False]

    def refuse(command: Command) -> Response:
        refused[0] = command.ins in (0xB0, 0xB1) and command.ne > largest
        return Response(b"", int(status, 16)) if refused[0] else inside(command)

    def answer(raw: bytes) -> bytes:
        refused[0] = False
        said = outside(raw)
        if refused[0] and not protected:
            chip.reset()  # as chips do that take the error for the end of secure messaging
            return bytes.fromhex(status)
        return said

    chip._answer_inside = refuse  # type: ignore[method-assign]
    evidence = read_chip(DirectLink(answer, chip.atr), card.key, CHALLENGE, seeded(), ignore)
    assert evidence.data_groups == {number: card.files[0x0100 + number] for number in (1, 2, 11)}


def test_a_chip_that_takes_no_block_at_all_is_given_up_soon() -> None:
    chip = honest()
    inside = chip._answer_inside

    def refuse(command: Command) -> Response:
        return Response(b"", 0x6700) if command.ins in (0xB0, 0xB1) else inside(command)

    chip._answer_inside = refuse  # type: ignore[method-assign]
    link = link_to(chip)
    with pytest.raises(StatusError):
        read_chip(link, WEI.key, CHALLENGE, seeded(), ignore)
    assert len(link.commands) < 60


@pytest.mark.parametrize(
    ("buffers", "answer_max"), [("7F6608020204000202 0200", 510), ("7F66080202040002020800", 2046)]
)
def test_the_chips_own_word_on_its_buffers_is_kept(buffers: str, answer_max: int) -> None:
    # Doc 9303-10 §3.11.1: EF.ATR/INFO, here with 1 024 bytes for commands and 512 or 2 048 for answers
    card = make_card(portrait=drawn_portrait(100))
    chip = make_chip(card)
    longest = [0]

    def answer(raw: bytes) -> bytes:
        if raw == bytes.fromhex("00B0810000"):
            return bytes.fromhex(buffers) + b"\x90\x00"
        said = chip.answer(raw)
        longest[0] = max(longest[0], len(said) - 2)
        return said

    link = DirectLink(answer, chip.atr)
    link.limits = LARGEST_LIMITS
    assert read_chip(link, card.key, CHALLENGE, seeded(), ignore).data_groups[2] == card.files[0x0102]
    assert answer_max - 40 < longest[0] <= answer_max


@pytest.mark.parametrize("protected", [True, False])
def test_details_that_a_state_keeps_closed_do_not_stop_the_reading(protected: bool) -> None:
    card = make_card(with_details=True)
    chip = make_chip(card)
    inside, outside, refused = chip._answer_inside, chip.answer, [False]

    def refuse(command: Command) -> Response:
        refused[0] = command.ins == 0xB0 and command.p1 == 0x8B
        return Response(b"", 0x6982) if refused[0] else inside(command)

    def answer(raw: bytes) -> bytes:
        refused[0] = False
        said = outside(raw)
        if refused[0] and not protected:
            chip.reset()
            return bytes.fromhex("6982")
        return said

    chip._answer_inside = refuse  # type: ignore[method-assign]
    evidence = read_chip(DirectLink(answer, chip.atr), card.key, CHALLENGE, seeded(), ignore)
    assert set(evidence.data_groups) == {1, 2}
    assert evidence.not_permitted == (11,)
