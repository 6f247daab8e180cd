"""Everything the data groups say, as typed values, for whoever shows a document. Worth as much as the checks are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.dg3 import FingerImage, parse_dg3
from hardware_drivers.id_chip.dg7 import parse_dg7
from hardware_drivers.id_chip.dg11 import PersonalDetails, parse_dg11
from hardware_drivers.id_chip.dg12 import DocumentDetails, parse_dg12
from hardware_drivers.id_chip.lds import parse_dg1, parse_dg2
from hardware_drivers.id_chip.mrz import Mrz
from hardware_drivers.id_chip.portrait import Portrait

Group = TypeVar("Group")


@dataclass(frozen=True, slots=True)
class DocumentContents:
    """What a document says. None or empty where the group was not read, or cannot be.

    Attributes:
        optional: DG13 as it stands; what it means is the issuing state's own affair (Doc 9303-10 §4.7.13).
        unreadable: Number of each group that was read and does not follow its standard, to why, naming nobody.
    """

    zone: Mrz | None
    portraits: tuple[Portrait, ...]
    fingers: tuple[FingerImage, ...]
    signatures: tuple[Portrait, ...]
    person: PersonalDetails | None
    document: DocumentDetails | None
    optional: bytes | None
    unreadable: Mapping[int, str]


def parse_contents(data_groups: Mapping[int, bytes]) -> DocumentContents:
    """The contents of these files. One that is malformed is named, and the others are read all the same."""
    unreadable: dict[int, str] = {}

    def read(number: int, parse: Callable[[bytes], Group]) -> Group | None:
        """That group, where it is there and follows its standard."""
        if number not in data_groups:
            return None
        try:
            return parse(data_groups[number])
        except MalformedFileError as error:
            unreadable[number] = str(error)
            return None

    return DocumentContents(
        zone=read(1, parse_dg1),
        portraits=read(2, parse_dg2) or (),
        fingers=read(3, parse_dg3) or (),
        signatures=read(7, parse_dg7) or (),
        person=read(11, parse_dg11),
        document=read(12, parse_dg12),
        optional=data_groups.get(13),
        unreadable=unreadable,
    )
