"""A person for test browsers, made from one photograph.

The script replaces the browser's camera by a canvas on which the photograph, bent over a simple three-dimensional
head, does what the page asks. It lives with the simulators; no product page loads it, and no product switch knows it.
"""

import base64
import json
from collections.abc import Sequence
from enum import StrEnum
from importlib.resources import files

LANDMARKS = 68
"""Points of the iBUG 300-W mark-up the head is fitted on."""


class Mode(StrEnum):
    """How the simulated person behaves. A test may change it in the running page: `__simulatedPerson.mode`."""

    REACTS = "reacts"
    STILL = "still"  # a held photograph, or a video that cannot hear the instruction
    WRONG = "wrong"  # moves, but the other way
    COVERED = "covered"  # something lies over the lens
    ABSENT = "absent"  # an empty chair
    TWO = "two"  # somebody looks over the shoulder
    FROZEN = "frozen"  # the last picture goes on being sent
    SWAPPED = "swapped"  # somebody else sits there, who does not react
    REFUSED = "refused"  # getUserMedia: permission denied
    MISSING = "missing"  # getUserMedia: no such device
    BUSY = "busy"  # getUserMedia: another program has it


def init_script(
    photo_jpeg: bytes,
    landmarks: Sequence[tuple[float, float]],
    mode: Mode = Mode.REACTS,
    *,
    seed: int = 7,
    other_jpeg: bytes = b"",
) -> str:
    """The script to inject before any page script (Playwright: `context.add_init_script`).

    Args:
        photo_jpeg: 640 x 480 pixels, head and shoulders, looking into the camera.
        landmarks: The 68 points of the face in pixels of that picture.
        mode: How the person behaves.
        seed: Of reaction times, so that a run can be repeated.
        other_jpeg: Who sits there in mode `swapped`, 640 x 480 pixels.

    Raises:
        ValueError: There are not 68 landmarks.
    """
    if len(landmarks) != LANDMARKS:
        raise ValueError(f"{LANDMARKS} landmarks are needed, {len(landmarks)} given")
    person = {
        "photo": base64.b64encode(photo_jpeg).decode("ascii"),
        "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in landmarks],
        "mode": Mode(mode).value,
        "seed": seed,
        "other": base64.b64encode(other_jpeg).decode("ascii"),
    }
    script = files("hardware_drivers.camera").joinpath("simulated_person.js").read_text(encoding="utf-8")
    return f"window.__simulatedPerson = {json.dumps(person)};\n{script}"
