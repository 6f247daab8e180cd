import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware_drivers.bench import open_readers
from hardware_drivers.errors import CardMuteError, CardRemovedError, NoCardError, NoReaderError, ReaderBusyError
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.smartcard.cable import CableReaders
from hardware_drivers.smartcard.readers import ReaderPresence
from tests.hardware_drivers.cards import CHALLENGE, WEI, make_card
from tests.hardware_drivers.pcscd_rig import REPOSITORY, card_on_reader


@pytest.fixture
def cable() -> Iterator[CableReaders]:
    readers = CableReaders(command_timeout_s=1.0)
    readers.start()
    yield readers
    readers.stop()


@pytest.fixture
def card_file(tmp_path: Path) -> Path:
    make_card().save(tmp_path / "card.json")
    return tmp_path / "card.json"


def test_a_card_is_read_over_the_cable_twice(cable: CableReaders, card_file: Path) -> None:
    card = make_card()
    with card_on_reader(cable.port, card_file):
        for _ in range(2):
            link = cable.wait_for_card(10, lambda: False)
            evidence = read_chip(link, card.key, CHALLENGE, secrets.token_bytes, lambda _: None)
            link.close()
            assert evidence.data_groups[2] == card.files[0x0102]


def test_nothing_of_the_document_is_logged(
    cable: CableReaders, card_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with card_on_reader(cable.port, card_file):
        link = cable.wait_for_card(10, lambda: False)
        read_chip(link, WEI.key, CHALLENGE, secrets.token_bytes, lambda _: None)
        link.close()
    assert caplog.records
    assert not any(word in caplog.text for word in ("VC1234567", "ZHANG", "900517", "564331323334353637"))


def test_a_card_pulled_while_it_is_read_says_so(cable: CableReaders, card_file: Path) -> None:
    with card_on_reader(cable.port, card_file, "--pull-after", "6"):
        link = cable.wait_for_card(10, lambda: False)
        with pytest.raises(CardRemovedError):
            read_chip(link, make_card().key, CHALLENGE, secrets.token_bytes, lambda _: None)
        with pytest.raises(CardRemovedError):
            link.transmit_many([b"\x00\xb0\x00\x00\x00"])


def test_a_mute_card_ends_within_the_watchdog(cable: CableReaders, card_file: Path) -> None:
    with card_on_reader(cable.port, card_file, "--mute-after", "3"):
        link = cable.wait_for_card(10, lambda: False)
        began = time.monotonic()
        with pytest.raises(CardMuteError):
            read_chip(link, make_card().key, CHALLENGE, secrets.token_bytes, lambda _: None)
        assert time.monotonic() - began < 3


def test_a_second_session_beside_the_first_is_refused(cable: CableReaders, card_file: Path) -> None:
    with card_on_reader(cable.port, card_file):
        link = cable.wait_for_card(10, lambda: False)
        with pytest.raises(ReaderBusyError):
            cable.wait_for_card(1, lambda: False)
        link.close()


def test_no_card_in_time(cable: CableReaders) -> None:
    assert cable.state().state is ReaderPresence.EMPTY
    with pytest.raises(NoCardError):
        cable.wait_for_card(0.2, lambda: False)


def test_waiting_can_be_called_off(cable: CableReaders) -> None:
    called_off = threading.Event()
    threading.Timer(0.2, called_off.set).start()
    began = time.monotonic()
    with pytest.raises(NoCardError):
        cable.wait_for_card(30, called_off.is_set)
    assert time.monotonic() - began < 5


def test_a_cable_that_is_not_started_is_no_reader() -> None:
    with pytest.raises(NoReaderError):
        open_readers("cable").wait_for_card(1, lambda: False)


def test_an_unknown_kind_of_reader_is_refused() -> None:
    with pytest.raises(ValueError, match="serial"):
        open_readers("serial")


def test_the_protocol_and_the_bench_load_without_pcsc() -> None:
    program = (
        "import sys; sys.modules['smartcard'] = None; sys.modules['smartcard.scard'] = None\n"
        "import hardware_drivers.bench, hardware_drivers.id_chip.verify, hardware_drivers.id_chip.read\n"
        "readers = hardware_drivers.bench.open_readers('pcsc'); readers.start(); print(readers.state().state)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "no_service"
