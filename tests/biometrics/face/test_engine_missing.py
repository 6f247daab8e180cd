"""Machines that lack something: each test is a process in which that thing cannot be imported."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
NO_MODELS = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "face_recognition_models" else find(name, package)
"""
OPEN = """
from biometrics.__main__ import main
sys.exit(main())
"""


FINGERS = """
from biometrics.__main__ import main
sys.exit(main(["fingers"]))
"""


def run(program: str, *, absent: tuple[str, ...] = (), **environment: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-W", "error", "-c", WITHOUT.format(absent=absent) + program]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COUNTER_FACE_")}
    return subprocess.run(words, env=kept | environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_the_package_itself_needs_nothing_at_all() -> None:
    heavy = ("dlib", "onnxruntime", "onnx", "cv2", "face_recognition", "face_recognition_models")
    done = run("import biometrics, biometrics.errors, biometrics.face.engine, biometrics.face.engines", absent=heavy)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("library", "how"), [("dlib", "pip install dlib-bin"), ("cv2", "pip install opencv")])
def test_a_missing_library_is_one_line_with_its_remedy(library: str, how: str) -> None:
    done = run(OPEN, absent=(library,))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert library in done.stderr
    assert how in done.stderr


def test_a_bare_machine_is_told_everything_in_one_line() -> None:
    done = run(NO_MODELS + OPEN, absent=("numpy", "cv2", "dlib", "onnxruntime", "onnx", "pydantic"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for how in ("numpy", "opencv-python-headless", "dlib-bin", "--no-deps face_recognition_models==0.3.0"):
        assert f"pip install {how}" in done.stderr


def test_an_environment_with_nothing_in_it_is_told_too(tmp_path: Path) -> None:
    """No blocker here: an interpreter without site-packages, as a fresh virtual environment has it."""
    venv.create(tmp_path / "bare", with_pip=False)
    words = [str(tmp_path / "bare" / "bin" / "python"), "-m", "biometrics"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COUNTER_FACE_", "PYTHON"))}
    done = subprocess.run(words, env=kept, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("biometrics: faces need numpy, cv2, dlib, face_recognition_models, which cannot be")


def test_missing_models_are_one_line_with_their_remedy() -> None:
    done = run(NO_MODELS + OPEN)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install --no-deps face_recognition_models==0.3.0" in done.stderr


def test_without_onnxruntime_opencv_runs_the_network() -> None:
    done = run(OPEN, absent=("onnxruntime", "onnx"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "opencv 5" in done.stdout or "opencv 4" in done.stdout
    assert "onnxruntime" in run(OPEN).stdout


def test_face_recognition_that_calls_quit_is_told_with_the_true_cause() -> None:
    done = run(OPEN, absent=("pkg_resources",), COUNTER_FACE_ENGINE="face_recognition")
    assert done.returncode == 2
    assert done.stdout == ""  # its own advice is wrong: the models are there
    assert done.stderr.count("\n") == 1
    assert "No module named 'pkg_resources'" in done.stderr
    assert "setuptools<82" in done.stderr


@pytest.mark.parametrize(
    ("named", "how"),
    [
        ({"COUNTER_FACE_ENGINE": "engine.toml"}, "pip install pydantic"),
        ({"COUNTER_FACE_PASSIVE": "passive.toml"}, "pip install pydantic"),
        ({"COUNTER_FACE_ENGINE": "face_recognition"}, "pip install pillow"),
    ],
    ids=["manifest", "passive", "face_recognition"],
)
def test_what_only_another_engine_needs_is_told_to_whoever_chose_it(named: dict[str, str], how: str) -> None:
    done = run(OPEN, absent=("pydantic", "PIL"), **named)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert how in done.stderr


def test_a_bare_machine_is_told_what_face_recognition_needs_besides() -> None:
    bare = ("dlib", "PIL", "pkg_resources", "face_recognition", "face_recognition_models")
    done = run(OPEN, absent=bare, COUNTER_FACE_ENGINE="face_recognition")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for how in ("dlib-bin", "pillow", "'setuptools<82'", "--no-deps face_recognition;"):
        assert f"pip install {how}" in done.stderr


def test_a_detector_file_that_is_absent_is_named(tmp_path: Path) -> None:
    done = run(OPEN, COUNTER_FACE_YUNET=str(tmp_path / "yunet.onnx"))
    assert done.returncode == 2
    assert done.stderr == "biometrics: the face detector's file yunet.onnx cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("absent", "how"),
    [
        (("onnxruntime",), "pip install onnxruntime"),
        (("numpy", "cv2", "onnxruntime", "pyfing"), "pip install --no-deps pyfing==0.7.3"),
        (("onnx", "h5py"), "pip install h5py; pip install onnx"),
    ],
    ids=["onnxruntime", "everything", "conversion"],
)
def test_a_machine_that_cannot_compare_fingers_says_so_in_one_line(
    tmp_path: Path, absent: tuple[str, ...], how: str
) -> None:
    done = run(FINGERS, absent=absent, XDG_CACHE_HOME=str(tmp_path))  # nothing is converted yet
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "fingers" in done.stderr
    assert how in done.stderr


def test_the_finger_process_ends_with_one_line() -> None:
    program = """
from multiprocessing import Pipe
from counter_server.identification.finger_process import main
main(Pipe()[1])
"""
    done = run(program, absent=("onnxruntime",))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "no finger can be looked at: fingers need onnxruntime, which cannot be loaded: pip install onnxruntime\n"
    )


def test_face_recognition_that_is_absent_is_told_too() -> None:
    done = run(OPEN, absent=("face_recognition",), COUNTER_FACE_ENGINE="face_recognition")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No module named 'face_recognition'" in done.stderr


def test_the_default_engine_never_imports_face_recognition() -> None:
    done = run(OPEN, absent=("face_recognition", "pkg_resources", "pydantic"))
    assert (done.returncode, done.stderr) == (0, "")
