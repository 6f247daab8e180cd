"""Hostile chips on a real reader: whatever they say, the desk hears an error of the family or a refusal, and lives."""

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware_drivers.errors import DeviceError
from hardware_drivers.id_chip.hostile_chip import CABLE_KINDS, Depth, HostileChip, Lies, spoil_files
from hardware_drivers.id_chip.mutation import Kind
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import verify_evidence
from hardware_drivers.smartcard.pcsc import PcscReaders
from hardware_drivers.smartcard.readers import ReaderPresence
from tests.hardware_drivers.cards import CHALLENGE, NOW, evidence_of, make_card, make_issuer, seeded
from tests.hardware_drivers.pcscd_rig import PrivatePcscd, ThreadCard, card_on_reader

pytestmark = pytest.mark.pcsc

COMMAND_TIMEOUT_S = 1.5
WHOLE_S = 12.0  # a few lost commands and the reader's own time to find out


@pytest.fixture
def readers(pcscd: PrivatePcscd) -> Iterator[PcscReaders]:
    watching = PcscReaders(name_contains="Kiosk A", command_timeout_s=COMMAND_TIMEOUT_S)
    watching.start()
    yield watching
    watching.stop()


def outcome(readers: PcscReaders) -> str:
    """How reading and judging the card on the reader ends."""
    issuer = make_issuer()
    card = make_card(issuer)
    try:
        with contextlib.closing(readers.wait_for_card(10, lambda: False)) as link:
            evidence = read_chip(link, card.key, CHALLENGE, seeded(), lambda _: None)
    except DeviceError as error:
        return type(error).__name__
    report = verify_evidence(
        evidence, TrustStore.of([issuer.csca_der]), NOW, access_key=card.key, challenge=CHALLENGE, own_terminal=True
    )
    if report.refusals():
        return "refused"
    return "genuine" if evidence.data_groups == evidence_of(card).data_groups else "false genuine"


@pytest.mark.parametrize("kind", CABLE_KINDS)
def test_every_lie_on_the_cable_ends_in_time(pcscd: PrivatePcscd, readers: PcscReaders, kind: Kind) -> None:
    rng = random.Random(kind.value)  # noqa: S311 - repeatable on purpose
    chip = HostileChip.of(make_card(make_issuer()), seeded())
    chip.lies = Lies(rng, Depth.CABLE, rate=1.0, honest=rng.randrange(6), kinds=(kind,))
    began = time.monotonic()
    with ThreadCard(pcscd.ports[0], chip):
        ended = outcome(readers)
    assert ended != "false genuine"
    assert time.monotonic() - began < WHOLE_S


@pytest.mark.parametrize("depth", [Depth.INSIDE, Depth.FILES])
@pytest.mark.parametrize("seed", range(3))
def test_a_chip_that_lies_itself_is_never_believed(
    pcscd: PrivatePcscd, readers: PcscReaders, depth: Depth, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - as above
    card = make_card(make_issuer())
    lies = Lies(rng, depth, rate=0.5)
    files = spoil_files(rng, card.files, {}, lies.told) if depth is Depth.FILES else dict(card.files)
    chip = HostileChip.of(type(card)(files, card.mrz_lines, card.key), seeded())
    chip.lies = lies
    with ThreadCard(pcscd.ports[0], chip):
        ended = outcome(readers)
    assert ended != "false genuine"
    assert ended != "genuine" or not lies.told.total() or depth is Depth.INSIDE


def test_the_desk_reads_the_next_card_after_a_hostile_process(
    pcscd: PrivatePcscd, readers: PcscReaders, tmp_path: Path
) -> None:
    make_card(make_issuer()).save(tmp_path / "card.json")
    with card_on_reader(pcscd.ports[0], tmp_path / "card.json", "--lies", "cable", "--seed", "3"):
        assert outcome(readers) not in ("genuine", "false genuine")
    give_up_at = time.monotonic() + 5
    while readers.state().state is not ReaderPresence.EMPTY and time.monotonic() < give_up_at:
        time.sleep(0.05)
    with card_on_reader(pcscd.ports[0], tmp_path / "card.json"):
        assert outcome(readers) == "genuine"
