import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardware_drivers.bench import open_readers
from hardware_drivers.errors import (
    AccessDeniedError,
    CardError,
    CardMuteError,
    CardRemovedError,
    NoCardError,
    NoReaderError,
    ReaderBusyError,
)
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.simulated_chip import ATR_SHORT
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import verify_evidence
from hardware_drivers.smartcard.pcsc import PcscReaders
from hardware_drivers.smartcard.readers import ReaderPresence
from hardware_drivers.smartcard.simulated import Faults, VpcdCard
from tests.hardware_drivers.cards import CHALLENGE, NOW, WEI, make_card, make_issuer
from tests.hardware_drivers.pcscd_rig import PrivatePcscd, card_on_reader

pytestmark = pytest.mark.pcsc


@pytest.fixture
def readers(pcscd: PrivatePcscd) -> Iterator[PcscReaders]:
    watching = PcscReaders(name_contains="Kiosk A", command_timeout_s=2.0)
    watching.start()
    yield watching
    watching.stop()


@pytest.fixture
def card_file(tmp_path: Path) -> Path:
    make_card().save(tmp_path / "card.json")
    return tmp_path / "card.json"


def never() -> bool:
    return False


def ignore(_: str) -> None:
    return None


@dataclass
class Liar:
    """A chip that says what it is told to say."""

    said: bytes
    atr: bytes = ATR_SHORT

    def answer(self, _: bytes) -> bytes:
        return self.said

    def reset(self) -> None:
        pass


@contextlib.contextmanager
def liar_on_reader(port: int, chip: Liar) -> Iterator[None]:
    """A lying card on the reader, served by a thread of ours."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            VpcdCard(chip, Faults()).serve_connection(reader)

    with socket.create_connection(("127.0.0.1", port)) as reader:
        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                reader.shutdown(socket.SHUT_RDWR)
            serving.join()


def until(true: Callable[[], bool], within_s: float = 5.0) -> float:
    """Seconds until it became true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, "did not become true in time"
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.mark.parametrize("options", [(), ("--short",)], ids=["extended", "short"])
def test_a_card_is_read_and_verified_through_pcscd(
    pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path, options: tuple[str, ...]
) -> None:
    issuer = make_issuer()
    card = make_card(issuer)
    card.save(card_file)
    steps: list[str] = []
    with card_on_reader(pcscd.ports[0], card_file, *options):
        link = readers.wait_for_card(10, never)
        evidence = read_chip(link, card.key, CHALLENGE, secrets.token_bytes, steps.append)
        link.close()
    assert steps == ["opening", "access", "reading_security", "reading_text", "reading_portrait"]
    report = verify_evidence(evidence, TrustStore.of([issuer.csca_der]), NOW, access_key=card.key)
    assert report.refusals() == ()
    assert report.holder is not None
    assert report.holder.name == "ZHANG WEI"


def test_the_state_follows_the_card(pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path) -> None:
    until(lambda: readers.state().state is ReaderPresence.EMPTY)
    with card_on_reader(pcscd.ports[0], card_file):
        until(lambda: readers.state().state is ReaderPresence.CARD_PRESENT)
        assert readers.state().reader == "Kiosk A 00 00"
    until(lambda: readers.state().state is ReaderPresence.EMPTY)


def test_the_wrong_zone_is_denied_and_the_right_one_then_works(
    pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path
) -> None:
    wrong = MrzKey("VC1234568", WEI.date_of_birth, WEI.date_of_expiry)
    with card_on_reader(pcscd.ports[0], card_file):
        link = readers.wait_for_card(10, never)
        with pytest.raises(AccessDeniedError):
            read_chip(link, wrong, CHALLENGE, secrets.token_bytes, ignore)
        assert read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, ignore).data_groups[1]
        link.close()


def test_a_card_pulled_while_it_is_read_says_so_at_once(
    pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path
) -> None:
    with card_on_reader(pcscd.ports[0], card_file, "--pull-after", "7"):
        link = readers.wait_for_card(10, never)
        began = time.monotonic()
        with pytest.raises(CardRemovedError):
            read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, ignore)
        assert time.monotonic() - began < 2
        with pytest.raises(CardRemovedError):  # never again on this handle: the next card may be somebody else's
            link.transmit_many([b"\x00\x84\x00\x00\x08"])


def test_a_mute_card_is_given_up_while_everything_else_goes_on(
    pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path
) -> None:
    outcome: list[BaseException] = []

    def read_mute_card() -> None:
        link = readers.wait_for_card(10, never)
        opened.set()
        try:
            read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, ignore)
        except CardMuteError as error:
            outcome.append(error)

    opened = threading.Event()
    other = PcscReaders(name_contains="Kiosk B")
    other.start()
    with card_on_reader(pcscd.ports[0], card_file, "--mute-after", "3"):
        reading = threading.Thread(target=read_mute_card)
        reading.start()
        assert opened.wait(10)
        with card_on_reader(pcscd.ports[1], card_file):
            link = other.wait_for_card(10, never)
            assert read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, ignore).data_groups[2]
            link.close()
        reading.join(5)
        assert not reading.is_alive()
        assert len(outcome) == 1
        assert readers.state().state is ReaderPresence.CARD_PRESENT
    other.stop()
    until(lambda: readers.state().state is ReaderPresence.EMPTY)
    with card_on_reader(pcscd.ports[0], card_file):  # and the reader is good again for the next card
        link = readers.wait_for_card(10, never)
        assert read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, ignore).data_groups[2]
        link.close()


@pytest.mark.parametrize("said", [b"", b"\x90", b"\x90\x00", bytes(65_000)], ids=["nothing", "one", "yes", "64K"])
def test_a_lying_card_ends_in_an_error_about_the_card(pcscd: PrivatePcscd, readers: PcscReaders, said: bytes) -> None:
    with liar_on_reader(pcscd.ports[0], Liar(said)):
        until(lambda: readers.state().state is ReaderPresence.CARD_PRESENT)
        began = time.monotonic()
        with pytest.raises(CardError), contextlib.closing(readers.wait_for_card(10, never)) as link:
            read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, ignore)
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("atr", [b"\x3b", bytes(10), b"\x3b\x80" + bytes(32)], ids=["short", "garbage", "34 bytes"])
def test_a_card_that_cannot_be_powered_is_mute(pcscd: PrivatePcscd, readers: PcscReaders, atr: bytes) -> None:
    with liar_on_reader(pcscd.ports[0], Liar(b"\x90\x00", atr)), pytest.raises(CardMuteError):
        readers.wait_for_card(3, never)


def test_a_card_held_by_another_session_is_busy(pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path) -> None:
    with card_on_reader(pcscd.ports[0], card_file):
        link = readers.wait_for_card(10, never)
        with pytest.raises(ReaderBusyError):
            readers.wait_for_card(5, never)
        link.close()


def test_the_reader_comes_back_after_pcscd_crashed(pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path) -> None:
    until(lambda: readers.state().state is ReaderPresence.EMPTY)
    pcscd.kill()
    until(lambda: readers.state().state is ReaderPresence.NO_SERVICE)
    pcscd.start()
    assert until(lambda: readers.state().state is ReaderPresence.EMPTY) < 2.0
    with card_on_reader(pcscd.ports[0], card_file):
        link = readers.wait_for_card(10, never)
        assert read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, ignore).data_groups[2]
        link.close()


def test_a_card_put_down_before_pcscd_crashed_joins_again(
    pcscd: PrivatePcscd, readers: PcscReaders, card_file: Path
) -> None:
    with card_on_reader(pcscd.ports[0], card_file):
        until(lambda: readers.state().state is ReaderPresence.CARD_PRESENT)
        pcscd.restart()
        until(lambda: readers.state().state is not ReaderPresence.CARD_PRESENT)
        until(lambda: readers.state().state is ReaderPresence.CARD_PRESENT)


def test_no_card_in_time(readers: PcscReaders) -> None:
    with pytest.raises(NoCardError):
        readers.wait_for_card(0.5, never)


def test_no_reader_of_that_name(pcscd: PrivatePcscd) -> None:
    nowhere = open_readers("pcsc", name_contains="Kiosk Z")
    nowhere.start()
    until(lambda: nowhere.state().state is ReaderPresence.NO_READER)
    with pytest.raises(NoReaderError):
        nowhere.wait_for_card(10, never)
    nowhere.stop()


def test_no_service_is_no_reader(pcscd: PrivatePcscd, readers: PcscReaders) -> None:
    pcscd.kill()
    with pytest.raises(NoReaderError):
        readers.wait_for_card(10, never)
