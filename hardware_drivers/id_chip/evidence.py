"""What a reading brings home: the files as the chip gave them, unjudged."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChipEvidence:
    """Files of one chip, byte for byte.

    Attributes:
        access: How the chip was opened, `BAC` (later `PACE`).
        atr: Answer to reset.
        data_groups: Number of the data group to the whole file, its outer tag included.
        read_ms: From the first command to the last answer.
    """

    access: str
    atr: bytes
    ef_com: bytes
    ef_sod: bytes
    data_groups: Mapping[int, bytes]
    read_ms: int
