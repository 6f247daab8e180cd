"""People in folders: one folder per person with pictures in it, `*info.csv` (person, group) beside them where known."""

import csv
from dataclasses import dataclass
from pathlib import Path

from biometrics.errors import EvaluationDataError

PICTURES = {".jpg", ".jpeg", ".png", ".jp2"}


@dataclass(frozen=True, slots=True)
class Person:
    """One person's pictures, in the order of their names; the first serves as the reference."""

    name: str
    group: str | None
    pictures: tuple[Path, ...]


def people_in(folder: Path) -> tuple[Person, ...]:
    """Everybody in the folder, and in the folders below it.

    Raises:
        EvaluationDataError: The folder is absent or has fewer than two people.
    """
    if not folder.is_dir():
        raise EvaluationDataError(f"no folder {folder}")
    groups: dict[Path, dict[str, str]] = {}
    for table in sorted(folder.rglob("*info.csv")):
        with table.open(encoding="utf-8-sig", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row.get("person") and row.get("group")]
        groups[table.parent] = {row["person"]: row["group"] for row in rows}
    people = []
    for place in sorted(path for path in folder.rglob("*") if path.is_dir()):
        pictures = tuple(sorted(path for path in place.iterdir() if path.suffix.lower() in PICTURES))
        if pictures:
            group = groups.get(place.parent, {}).get(place.name)
            people.append(Person(str(place.relative_to(folder)), group, pictures))
    if len(people) < 2:
        raise EvaluationDataError(f"{folder} has {len(people)} people with pictures, at least 2 are needed")
    return tuple(people)
