"""What a reading brings home: bytes as the module gave them, unjudged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SamvEvidence:
    """One card, byte for byte.

    Attributes:
        module_id: 16 bytes, the number the reader's security module states. A statement, not a proof.
        card_serial: 8 bytes from the selection.
        text: 256 bytes, UTF-16LE.
        photo_wlt: 1024 bytes, only the maker's library reads them.
        fingerprints: 0, 512 or 1024 bytes in the format of GA/T 1012, only the maker's library compares them.
        fingerprints_asked: Whether they were asked for at all.
        added_addresses: 70 bytes each, UTF-16LE.
        read_ms: From the first command to the last answer.
    """

    module_id: bytes
    card_serial: bytes
    text: bytes
    photo_wlt: bytes
    fingerprints: bytes
    fingerprints_asked: bool
    added_addresses: tuple[bytes, ...]
    read_ms: int
