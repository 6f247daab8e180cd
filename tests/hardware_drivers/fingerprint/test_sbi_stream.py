"""Live pictures of a signing device: shown while a capture goes on, and harmless whatever the stream says."""

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hardware_drivers.fingerprint.sbi_stream import FRAME_MAX, next_part
from hardware_drivers.fingerprint.scanner import CaptureWish
from tests.hardware_drivers.fingerprint.rigs import FINGER, SbiRig, empty, picture, rig


def test_the_finger_is_seen_while_it_comes(tmp_path: Path) -> None:
    with rig("sbi", tmp_path) as desk:
        assert isinstance(desk, SbiRig)
        desk.scanner.open()
        desk.device.live = empty()
        wish = CaptureWish(FINGER, 60.0, 40)
        qualities: list[int] = []
        capture = threading.Thread(
            target=lambda: qualities.append(desk.scanner.capture(wish, lambda: False).quality), daemon=True
        )
        capture.start()
        wait_for(lambda: desk.scanner.preview() is not None)
        assert not desk.scanner.present()
        desk.device.live = picture()
        wait_for(desk.scanner.present)
        shown = desk.scanner.preview()
        assert shown is not None
        assert shown.shape == picture().shape
        desk.device.acts.put(picture())
        capture.join(10)
        assert qualities == [77]
        assert desk.scanner.preview() is None


def wait_for(become: Callable[[], bool]) -> None:
    """Until it is true, at most twenty seconds."""
    give_up_at = time.monotonic() + 20
    while not become():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def part(body: bytes, length: int | None = None) -> bytes:
    return b"--b\r\nContent-Type:image/jpeg\r\nContent-Length:%d\r\n\r\n" % (length or len(body)) + body


@pytest.mark.parametrize(
    ("stream", "parts"),
    [
        (part(b"one") + b"\r\n" + part(b"two"), [b"one", b"two"]),
        (b"", []),
        (part(b"x", FRAME_MAX + 1), []),
        (b"Content-Length: -5\r\n\r\nx", []),
        (b"a:b\r\n" * 100, []),
        (b"x" * 100_000, []),
    ],
)
def test_parts_are_cut_by_their_length_and_nothing_else(stream: bytes, parts: list[bytes]) -> None:
    source = io.BytesIO(stream)
    found = []
    while (each := next_part(source)) is not None:
        found.append(each)
    assert found == parts
