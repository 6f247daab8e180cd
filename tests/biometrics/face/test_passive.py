"""The operator's passive detector: ncnn's own numbers, refusals by name, a cue that decides nothing uncalibrated."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from biometrics.decision import CheckOutcome, Verdict
from biometrics.errors import CalibrationError, ManifestError, ModelError
from biometrics.face.engine import Landmarks, Picture
from biometrics.face.engines.ncnn_file import draw_ncnn
from biometrics.face.engines.network import load_network
from biometrics.face.outcome import FaceReason
from biometrics.face.session import FaceSession
from biometrics.face.texture import LOOKS_MIN, MANIFEST, Passive, Texture, passive_from
from tests.biometrics.simulated_customer import face_engine, read_picture
from tests.biometrics.test_session import ASKED, portrait, run, thresholds, willing
from tests.journeys.photographs import photograph

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("COUNTER_EVALUATION_DATA") or REPOSITORY / ".." / "shared" / "data")
WEIGHTS = DATA / "weights" / "minifasnet"
wants_weights = pytest.mark.skipif(
    not (WEIGHTS / "model_2.bin").is_file(), reason="wants weights/minifasnet in COUNTER_EVALUATION_DATA"
)

TINY = """7767517
6 6
Input in 0 1 data 0=2 1=2 2=3
Convolution c 1 1 data c 0=2 1=1 5=1 6=6
BatchNorm b 1 1 c b 0=2
PReLU p 1 1 b p 0=2
Pooling g 1 1 p g 0=1 1=2 2=2
InnerProduct f 1 1 g f 0=2 1=0 2=4
"""
TINY_NUMBERS: tuple[list[float], ...] = (
    [1, 0, 0, 0, 1, -2],  # kernels of two outputs
    [0.5, 0.25],  # their bias
    [2, 1], [1, 0], [4, 1], [3, -1],  # slope, mean, variance, bias
    [0.1, 0.5],  # slopes below zero
    [1, 1, 1, -1],
)  # fmt: skip


def tiny(numbers: tuple[list[float], ...] = TINY_NUMBERS) -> bytes:
    plain = [np.array(one, "<f4").tobytes() for one in numbers]
    tag = bytes(4)
    return tag + plain[0] + b"".join(plain[1:-1]) + tag + plain[-1]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest_in(folder: Path, *, more: str = "", change: Callable[[str], str] = lambda text: text) -> Path:
    """A manifest of the real files, linked beside it."""
    views = []
    for number, surroundings in ((1, 2.7), (2, 4.0)):
        names = [f"model_{number}.{kind}" for kind in ("param", "bin")]
        for name in names:
            (folder / name).symlink_to(WEIGHTS / name)
        layers, weights = names
        views.append(
            f'[[views]]\nlayers = "{layers}"\nlayers_sha256 = "{sha256(folder / layers)}"\n'
            f'weights = "{weights}"\nweights_sha256 = "{sha256(folder / weights)}"\nsurroundings = {surroundings}\n'
        )
    path = folder / "passive.toml"
    head = f'manifest = 1\nname = "silent-face"\nlicence = "Apache-2.0"\n{more}\n'
    path.write_text(change(head + "\n".join(views)), encoding="utf-8")
    return path


def opened(path: Path) -> Passive:
    passive = passive_from({MANIFEST: str(path)})
    assert passive is not None
    return passive


# --- reading ncnn ---------------------------------------------------------------------------------------------------


def test_a_network_of_six_layers_gives_what_its_formulas_give() -> None:
    network = load_network(draw_ncnn(TINY, tiny(), channels=3, side_px=2))
    pixels = np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2)
    first, second = pixels[0, 0] + 0.5, pixels[0, 1] - 2 * pixels[0, 2] + 0.25
    first, second = (first - 1) / 2 * 2 + 3, second - 1
    first, second = np.where(first > 0, first, 0.1 * first), np.where(second > 0, second, 0.5 * second)
    a, b = first.mean(), second.mean()
    assert network.run(pixels)[0] == pytest.approx([a + b, a - b], rel=1e-5)


@pytest.mark.parametrize(
    ("param", "weights"),
    [
        ("", tiny()),
        ("7767517\n1 1\n", tiny()),
        (TINY.replace("7767517", "7767518"), tiny()),
        (TINY.replace("PReLU", "Swish"), tiny()),
        (TINY.replace("1 1 b p", "1 1 nothing p"), tiny()),
        (TINY.replace("6=6", "6=7"), tiny()),
        (TINY.replace("6=6", "6=600000000"), tiny()),
        (TINY.replace("0=2 1=1 5=1", "0=2 1=1 2=2 5=1"), tiny()),
        (TINY, tiny()[:-1]),
        (TINY, tiny() + bytes(4)),
        (TINY, b"\x47\x6b\x30\x01" + tiny()[4:]),  # half floats
        (TINY, tiny((*TINY_NUMBERS[:4], [-4, 1], *TINY_NUMBERS[5:]))),  # a negative variance
    ],
)
def test_what_cannot_be_read_is_refused(param: str, weights: bytes) -> None:
    with pytest.raises(ModelError):
        draw_ncnn(param, weights, channels=3, side_px=2)


@wants_weights
@pytest.mark.parametrize(
    ("name", "noise", "ramp"),
    [
        ("model_1", (0.0008541, 0.99289578, 0.00625007), (0.0000513, 0.29096702, 0.70898169)),
        ("model_2", (0.00002917, 0.99996471, 0.00000611), (0.00020638, 0.85835087, 0.14144270)),
    ],
)
@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_the_real_networks_give_what_ncnn_gives(
    name: str, noise: tuple[float, ...], ramp: tuple[float, ...], runtime: str
) -> None:
    """Oracle: ncnn 1.0.20261020 itself, 32-bit floats, on the same two pictures."""
    drawn = draw_ncnn(
        (WEIGHTS / f"{name}.param").read_text(), (WEIGHTS / f"{name}.bin").read_bytes(), channels=3, side_px=80
    )
    network = load_network(drawn, prefer=runtime)
    slope = np.indices((80, 80)).sum(0) * 255 / 158
    pictures = (
        np.random.default_rng(7).integers(0, 256, (80, 80, 3), dtype=np.uint8),
        np.stack([slope, slope[::-1], 255 - slope], -1).astype(np.uint8),
    )
    for picture, expected in zip(pictures, (noise, ramp), strict=True):
        assert network.run(picture.transpose(2, 0, 1)[None].astype(np.float32))[0] == pytest.approx(expected, abs=2e-6)


# --- the operator's files -------------------------------------------------------------------------------------------


def test_whoever_names_nothing_has_no_passive_detector() -> None:
    assert passive_from({}) is None


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"passive\.toml cannot be read"):
        opened(tmp_path / "passive.toml")


@wants_weights
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("licence", "license"), "licence"),
        (lambda text: text.replace('layers = "model_1.param"', 'layers = "../model_1.param"'), "layers"),
        (lambda text: text.replace("surroundings = 2.7", "surroundings = 0"), "surroundings"),
        (lambda text: text + "\n[[views", "no TOML"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused_by_field(
    tmp_path: Path, change: Callable[[str], str], says: str
) -> None:
    with pytest.raises(ManifestError, match=says):
        opened(manifest_in(tmp_path, change=change))


@wants_weights
def test_another_file_than_the_manifest_says_is_refused(tmp_path: Path) -> None:
    path = manifest_in(tmp_path)
    (tmp_path / "model_2.bin").unlink()
    with pytest.raises(ModelError, match=r"model_2\.bin cannot be read"):
        opened(path)
    (tmp_path / "model_2.bin").write_bytes((WEIGHTS / "model_2.bin").read_bytes()[:-1] + b"\x00")
    with pytest.raises(ModelError, match=r"model_2\.bin has SHA-256"):
        opened(path)


CALIBRATION = """passive_calibration = 2
engine = "{engine}"
measured_on = "the test's own words"
measured_at = 2026-11-22
data_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
seed = 1
refuses = true
told_only_because = []
accept_from = {accept_from}
bpcer_bound = 0.2
bpcer_upper = 0.14
people = 20
people_refused = 0
bona_fide = 20
bona_fide_refused = 0
bona_fide_imitated = 0
bona_fide_not_possible = 0
[weights]
"model_1.bin" = "0000000000000000000000000000000000000000000000000000000000000000"
[attacks.print]
clips = {clips}
recorded = true
accepted = 0
not_possible = 0
apcer_upper = 0.14
"""


def calibrated(folder: Path, *, engine: str | None = None, accept_from: float = 0.5, clips: int = 20) -> Path:
    path = manifest_in(folder, more='calibration = "own.toml"')
    told = engine or opened_uncalibrated(path)
    (folder / "own.toml").write_text(CALIBRATION.format(engine=told, accept_from=accept_from, clips=clips))
    return path


def opened_uncalibrated(path: Path) -> str:
    words = path.read_text()
    path.write_text(words.replace('calibration = "own.toml"', ""))
    name = opened(path).detector.id
    path.write_text(words)
    return name


@wants_weights
def test_a_calibration_of_other_networks_or_of_too_few_clips_is_refused(tmp_path: Path) -> None:
    for number, (wrong, says) in enumerate(
        [({"engine": "silent-face/000000000000"}, "was measured with"), ({"clips": 19}, r"attacks\.print\.clips")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(CalibrationError, match=says):
            opened(calibrated(folder, **wrong))  # type: ignore[arg-type]  # one wrong word at a time
    (tmp_path / "none").mkdir()
    path = manifest_in(tmp_path / "none", more='calibration = "absent.toml"')
    with pytest.raises(CalibrationError, match="cannot be read"):
        opened(path)


# --- the cue --------------------------------------------------------------------------------------------------------


class Constant:
    """A detector that always says the same."""

    id = "constant/0"

    def __init__(self, share: float) -> None:
        self.share = share

    def live_share(self, picture: Picture, points: Landmarks) -> float:
        return self.share


def texture_of(
    share: float, accept_from: float | None, looks: int = LOOKS_MIN
) -> tuple[CheckOutcome, list[FaceReason]]:
    texture, reasons = Texture(Passive(Constant(share), accept_from)), list[FaceReason]()
    for _ in range(looks):
        texture.see(np.zeros((2, 2, 3), np.uint8), np.zeros((68, 2)))
    return texture.check(reasons).outcome, reasons


def test_without_a_calibration_the_value_is_told_and_decides_nothing() -> None:
    assert texture_of(0.0, None) == (CheckOutcome.NOT_POSSIBLE, [])
    assert texture_of(1.0, None) == (CheckOutcome.NOT_POSSIBLE, [])


def test_with_one_that_earned_nothing_it_is_told_and_refuses_nobody() -> None:
    for share, told in (
        (0.9, "not below 0.70"),
        (0.1, "below 0.70"),
        (float("nan"), "below 0.70"),
    ):
        texture, reasons = Texture(Passive(Constant(share), 0.7, refuses=False)), list[FaceReason]()
        for _ in range(LOOKS_MIN):
            texture.see(np.zeros((2, 2, 3), np.uint8), np.zeros((68, 2)))
        check = texture.check(reasons)
        assert (check.outcome, reasons) == (CheckOutcome.NOT_POSSIBLE, [])
        assert check.why.startswith(f"told only, {told} where people begin: ")


def test_with_one_it_refuses_what_lies_below() -> None:
    assert texture_of(0.7, 0.7) == (CheckOutcome.PASSED, [])
    assert texture_of(0.69, 0.7) == (CheckOutcome.FAILED, [FaceReason.NO_SKIN])
    assert texture_of(float("nan"), 0.7) == (CheckOutcome.FAILED, [FaceReason.NO_SKIN])
    assert texture_of(0.0, 0.7, looks=LOOKS_MIN - 1) == (CheckOutcome.NOT_POSSIBLE, [])


@pytest.mark.parametrize(
    ("accept_from", "verdict"), [(None, Verdict.ACCEPT), (0.5, Verdict.REJECT)], ids=["told", "calibrated"]
)
def test_a_check_is_refused_by_the_cue_only_where_it_is_calibrated(accept_from: float | None, verdict: Verdict) -> None:
    texture = Texture(Passive(Constant(0.1), accept_from))
    session = FaceSession(face_engine(), portrait(), ASKED, thresholds(), 0.0, texture=texture)
    run(session, willing())
    decision = session.decide(20.0)
    assert decision.verdict is verdict
    assert decision.live is (verdict is Verdict.ACCEPT)
    (check,) = [one for one in decision.checks if one.name == "texture"]
    assert "0.10 of 1" in check.why
    assert (FaceReason.NO_SKIN in decision.reasons) is (accept_from is not None)


@wants_weights
def test_photographs_of_people_have_a_high_value_and_noise_on_a_face_does_not_crash(tmp_path: Path) -> None:
    passive = opened(calibrated(tmp_path))
    assert passive.accept_from == 0.5
    engine, shares = face_engine(), []
    for name in ("obama.jpg", "biden.jpg", "obama2.jpg"):
        picture = read_picture(photograph(name))
        points = engine.landmarks(picture, engine.detect(picture)[0])
        shares.append(passive.detector.live_share(picture, points))
        for moved in (points - 10_000, points + 10_000, points * 1e-3):  # no face lies there
            assert 0 <= passive.detector.live_share(picture, moved) <= 1
    assert np.median(shares) > 0.5
