"""Orders of the command line, as files: the counter is the only one who writes its database (see `db`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ORDERS = "outbox-orders"


class What(StrEnum):
    """What is to be done with a delivery that nobody took."""

    RETRY = "retry"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Order:
    """One file in the folder of orders."""

    number: int
    what: What
    path: Path


def write_order(home: Path, number: int, what: What) -> Path:
    """Leave an order for the counter, which follows it within seconds, or at its next start."""
    folder = home / ORDERS
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{number}.{what.value}"
    path.touch(mode=0o600)
    return path


def read_orders(home: Path) -> list[Order]:
    """What is ordered; files of other names are left alone."""
    return list(_read(home / ORDERS))


def _read(folder: Path) -> Iterator[Order]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        number, _, what = path.name.partition(".")
        if number.isdecimal() and what in set(What):
            yield Order(int(number), What(what), path)
