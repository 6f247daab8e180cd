import contextlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import image_worker
from hardware_drivers.id_chip.image_sandbox import REASONS, WORKER, ImageLimits, decode_image
from hardware_drivers.id_chip.lds import parse_dg2
from tests.hardware_drivers.cards import ID_CARD_DATA, SPECIMENS_MISSING, drawn_portrait, seeded

needs_specimens = pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)


def encoded(picture: Image.Image, kind: str) -> bytes:
    stored = io.BytesIO()
    picture.save(stored, kind)
    return stored.getvalue()


def gradient(mode: str = "RGB", width: int = 60, height: int = 40) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_lossless_picture_comes_back_pixel_for_pixel(mode: str) -> None:
    picture = gradient(mode)
    np.testing.assert_array_equal(decode_image(encoded(picture, "JPEG2000")), np.asarray(picture.convert("RGB")))


def test_a_jpeg_comes_back_as_pillow_decodes_it() -> None:
    content = drawn_portrait(120)
    np.testing.assert_array_equal(decode_image(content), np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


@needs_specimens
@pytest.mark.parametrize(
    ("name", "shape"),
    [("bsi_specimen_2008/Datagroup2.bin", (531, 413, 3)), ("nl_specimen_2006/ef0102.bin", (598, 449, 3))],
)
def test_the_specimens_portraits_are_decoded(name: str, shape: tuple[int, int, int]) -> None:
    (portrait,) = parse_dg2((ID_CARD_DATA / name).read_bytes())
    decoded = decode_image(portrait.image)
    assert decoded.shape == shape
    np.testing.assert_array_equal(decoded, np.asarray(Image.open(io.BytesIO(portrait.image)).convert("RGB")))


@needs_specimens
def test_a_finger_in_wsq_is_decoded() -> None:
    pytest.importorskip("wsq", reason="wants the decoder of fingers, `wsq` from PyPI")
    decoded = decode_image((ID_CARD_DATA / "iso39794_samples/sample_image.wsq").read_bytes())
    assert decoded.shape == (622, 545, 3)
    assert decoded.std() > 20  # ridges, not a grey area


@needs_specimens
def test_a_finger_that_aborts_its_decoder_is_refused_and_nothing_else_ends() -> None:
    pytest.importorskip("wsq", reason="wants the decoder of fingers, `wsq` from PyPI")
    source, rng = (ID_CARD_DATA / "iso39794_samples/sample_image.wsq").read_bytes(), seeded(4)
    for _ in range(10):  # NBIS calls abort() for some of them
        mutated = bytearray(source)
        for _ in range(20):
            mutated[int.from_bytes(rng(2), "big") % 300] = rng(1)[0]
        with contextlib.suppress(MalformedFileError):
            decode_image(bytes(mutated))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + bytes(50),
        encoded(gradient(), "TIFF"),  # Pillow could; a chip may not
        drawn_portrait(120)[:400],
        encoded(gradient(), "JPEG2000")[:200],
        b"\xff\xa0\xff\xa8" + bytes(50),
        b"\xff\xd8\xff" + bytes(50),
    ],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedFileError, match="picture"):
        decode_image(content)


@pytest.mark.parametrize(("kind", "pixels"), [("JPEG", 2399), ("JPEG2000", 2399)])
def test_a_picture_of_one_pixel_too_many_is_refused_before_it_is_decoded(kind: str, pixels: int) -> None:
    content = encoded(gradient(), kind)
    assert decode_image(content, limits=ImageLimits(pixels=2400)).shape == (40, 60, 3)
    with pytest.raises(MalformedFileError, match="more pixels"):
        decode_image(content, limits=ImageLimits(pixels=pixels))


def test_a_picture_that_eats_memory_ends_its_own_process_only() -> None:
    bomb = encoded(Image.new("RGB", (3000, 4000)), "JPEG2000")  # 12 million pixels in a few kilobytes
    assert len(bomb) < 100_000
    with pytest.raises(MalformedFileError):
        decode_image(bomb, limits=ImageLimits(memory_bytes=128 * 1024 * 1024))


def test_a_picture_that_eats_time_is_ended_by_its_own_clock_and_by_ours() -> None:
    slow = encoded(Image.effect_noise((2000, 2000), 80).convert("RGB"), "JPEG2000")
    with pytest.raises(MalformedFileError, match="not decoded within"):
        decode_image(slow, limits=ImageLimits(wall_s=0.2))
    with pytest.raises(MalformedFileError, match=r"-9|-24"):  # SIGKILL or SIGXCPU
        decode_image(slow, limits=ImageLimits(cpu_s=0))


def test_a_header_that_lies_about_its_size_harms_nobody() -> None:
    content = bytearray(encoded(gradient(), "JPEG2000"))
    at = content.index(bytes.fromhex("FF4FFF51")) + 8
    for width in (0, 59, 61, 6000, 0xFFFFFFFF):
        content[at : at + 4] = width.to_bytes(4, "big")
        with pytest.raises(MalformedFileError):
            decode_image(bytes(content))


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_mutated_pictures_are_decoded_or_refused(kind: str) -> None:
    rng = seeded(3)
    source = encoded(gradient(), kind)
    for _ in range(12):
        mutated = bytearray(source)
        for _ in range(4):
            mutated[int.from_bytes(rng(2), "big") % len(mutated)] = rng(1)[0]
        try:
            assert decode_image(bytes(mutated)).size <= 3 * 12_000_000
        except MalformedFileError:
            continue


def test_the_worker_can_open_nothing_start_nothing_and_says_nothing(tmp_path: Path) -> None:
    spy = f"""
import os, runpy, sys
worker = runpy.run_path({str(WORKER)!r})
worker["limit"](512 << 20, 5, 1000)
assert os.geteuid() != 0
try:
    os.fork()
    sys.exit(99)
except OSError:
    pass
try:
    open({str(tmp_path / "stolen")!r}, "w")
except OSError as error:
    sys.exit(error.errno)
"""
    ended = subprocess.run([sys.executable, "-I", "-c", spy], capture_output=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (24, b"", b"")  # EMFILE
    assert not list(tmp_path.iterdir())


def test_every_way_to_end_has_its_words() -> None:
    ends = (image_worker.NOT_A_PICTURE, image_worker.TOO_LARGE, image_worker.NO_DECODER, image_worker.OUT_OF_MEMORY)
    assert set(REASONS) == set(ends)


def test_the_parent_never_loads_a_decoder_of_its_own() -> None:
    program = "import sys, hardware_drivers.id_chip.image_sandbox; sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3], check=True)
