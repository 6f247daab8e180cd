"""Later, at the safe: records are verified, opened and played, and a changed bit is found."""

import io
from pathlib import Path

import av

from tests.journeys.programs import ProgramError
from tests.journeys.report import Report, StoryError
from tests.journeys.stack import Stack

FEWEST_PICTURES = 20  # a call of the story lasts some seconds at 15 to 30 pictures per second


def check_safe(stack: Stack, records: list[str], report: Report) -> None:
    """Later: the records are whole, open with the key, and one changed bit is named.

    Raises:
        StoryError: where it did not hold.
    """
    report.chapter("Later, at the safe · 封存记录核验")
    for record in records:
        with report.step(f"counter record verify {record}"):
            stack.record("verify", record, "--content")
    with report.step(f"counter record open {records[-1]}"):
        out = stack.folder / "opened"
        stack.record("open", records[-1], "--out", str(out), "--reason", "demonstration of opening")
        names = sorted(file.name for file in out.rglob("*") if file.is_file())
        if not any(name.endswith(".pdf") for name in names):
            raise StoryError(f"the opened record holds no contract: {names}")
    with report.step("the recording of both sides plays from begin to end"):
        for side in ("customer", "clerk"):
            pictures = count_pictures(sorted(out.rglob(f"{side}-*.mkv")))
            if pictures < FEWEST_PICTURES:
                raise StoryError(f"the {side}'s recording holds {pictures} pictures")
            report.say(f"{side}: {pictures} pictures decode")
    with report.step("one bit of one object changes: the broken check is named"):
        report.say(flip_a_bit(stack, records[0]))


def flip_a_bit(stack: Stack, record: str) -> str:
    """Change one bit in one sealed object; `record verify` must say no and name it, in the words returned."""
    folders = [path for path in (stack.home / "records").rglob(f"*{record}*") if path.is_dir()]
    objects = sorted((path for path in folders[0].rglob("*.age")), key=lambda path: path.stat().st_size)
    content = bytearray(objects[-1].read_bytes())
    content[len(content) // 2] ^= 1
    objects[-1].chmod(0o600)
    objects[-1].write_bytes(content)
    try:
        said = stack.record("verify", record)
    except ProgramError as refused:
        verdict = str(refused).strip().splitlines()[-1]
        if "object_hashes_hold" not in verdict:
            raise StoryError(f"verify does not name the broken check: {refused}") from refused
        return verdict
    else:
        raise StoryError(f"verify accepts a changed object: {said}")
    finally:
        content[len(content) // 2] ^= 1
        objects[-1].write_bytes(content)


def count_pictures(segments: list[Path]) -> int:
    """How many pictures of a recording decode; its segments, in order, are one Matroska file."""
    whole = io.BytesIO(b"".join(segment.read_bytes() for segment in segments))
    with av.open(whole) as recording:
        return sum(1 for _ in recording.decode(video=0))
