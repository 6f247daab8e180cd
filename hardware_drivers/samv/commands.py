"""What can be asked of a SAM_V module, and what its answers must look like.

Every answer has one size, or one of a few; anything else is not an answer. Sources: research id_card.md §7; the makers'
published `SAM_V 通信协议` (tables of CMD and Para).
"""

import struct
from dataclasses import dataclass

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.samv.errors import refused
from hardware_drivers.samv.status import Status

TEXT_BYTES, PHOTO_BYTES, FINGERPRINT_BYTES = 256, 1024, 512
ADDED_ADDRESS_BYTES = 70  # 35 characters, as the address on the card itself
LONGEST_ADDED_ADDRESSES = 32  # more fit no frame
ANSWER_TIMEOUT_S = 1.0  # the module answers these from its own memory
CARD_TIMEOUT_S = 5.0  # the module reads 2.3 KB from the card at 106 kbit/s and authenticates; 1 to 2 s is usual


@dataclass(frozen=True, slots=True)
class Command:
    """One question.

    Attributes:
        name: What we say we were doing, for error messages.
        code: CMD and PARA.
        success: The SW3 that means it worked.
        payload_sizes: How many bytes may follow the status, in bytes.
        timeout_s: How long the whole answer may take.
    """

    name: str
    code: bytes
    success: Status
    payload_sizes: frozenset[int]
    timeout_s: float = ANSWER_TIMEOUT_S


RESET = Command("module reset", bytes.fromhex("10FF"), Status.DONE, frozenset({0}))
STATUS = Command("module status", bytes.fromhex("11FF"), Status.DONE, frozenset({0}))
MODULE_ID = Command("module number", bytes.fromhex("12FF"), Status.DONE, frozenset({16}))
FIND = Command("find card", bytes.fromhex("2001"), Status.FOUND, frozenset({4}))
SELECT = Command("select card", bytes.fromhex("2002"), Status.DONE, frozenset({8}))
READ = Command(
    "read text and photograph", bytes.fromhex("3001"), Status.DONE, frozenset({4 + 1280}), timeout_s=CARD_TIMEOUT_S
)
READ_WITH_FINGERPRINTS = Command(
    "read text, photograph and fingerprints",
    bytes.fromhex("3010"),
    Status.DONE,
    frozenset({6 + 1280, 6 + 1280 + 512, 6 + 1280 + 1024}),  # none, one or two fingers were enrolled
    timeout_s=CARD_TIMEOUT_S,
)
# From memory of the protocol, not confirmed by a document at hand (research id_card.md §7).
READ_ADDED_ADDRESS = Command(
    "read added addresses",
    bytes.fromhex("3003"),
    Status.DONE,
    frozenset(ADDED_ADDRESS_BYTES * count for count in range(LONGEST_ADDED_ADDRESSES + 1)),
    timeout_s=CARD_TIMEOUT_S,
)
COMMANDS = (RESET, STATUS, MODULE_ID, FIND, SELECT, READ, READ_WITH_FINGERPRINTS, READ_ADDED_ADDRESS)


@dataclass(frozen=True, slots=True)
class CardRecord:
    """What one reading of a card gives: 256 bytes of text, 1024 of WLT photograph, 0, 512 or 1024 of fingerprints."""

    text: bytes
    photo_wlt: bytes
    fingerprints: bytes


def payload_of(command: Command, body: bytes) -> bytes:
    """What follows the status in an answer's body.

    Raises:
        TamperedAnswerError: No status of the table, or a payload of a size that this command never has.
        CardRefusedError: The status is about the card.
        ReaderRefusedError: The status is about the module.
    """
    if len(body) < 3 or body[:2] != b"\0\0" or body[2] not in Status.__members__.values():
        raise TamperedAnswerError(f"{command.name}: no known status in an answer of {len(body)} bytes")
    status, payload = Status(body[2]), body[3:]
    if status is not command.success:
        raise refused(status, command.name)
    if len(payload) not in command.payload_sizes:
        raise TamperedAnswerError(f"{command.name}: answer carries {len(payload)} bytes")
    return payload


def parse_record(command: Command, payload: bytes) -> CardRecord:
    """The parts of a card's content; their lengths stand in front and must be the only possible ones."""
    counts = 3 if command is READ_WITH_FINGERPRINTS else 2
    lengths = struct.unpack_from(f">{counts}H", payload)
    fingerprint_bytes = len(payload) - 2 * counts - TEXT_BYTES - PHOTO_BYTES
    if lengths != (TEXT_BYTES, PHOTO_BYTES, fingerprint_bytes)[:counts]:
        raise TamperedAnswerError(f"{command.name}: stated lengths and content differ")
    text_ends = 2 * counts + TEXT_BYTES
    photo_ends = text_ends + PHOTO_BYTES
    return CardRecord(payload[2 * counts : text_ends], payload[text_ends:photo_ends], payload[photo_ends:])


def split_added_addresses(payload: bytes) -> tuple[bytes, ...]:
    """The added addresses in the order the card keeps them, 70 bytes each."""
    return tuple(payload[at : at + ADDED_ADDRESS_BYTES] for at in range(0, len(payload), ADDED_ADDRESS_BYTES))


def module_number(module_id: bytes) -> str:
    """The module's 16 bytes as makers print them on the reader: `05.03-20180101-0000012345-0123456789`.

    Two little-endian 16-bit and three 32-bit numbers, as public readers print them.
    """
    kind, version, day, serial, check = struct.unpack("<HHIII", module_id)
    return f"{kind:02d}.{version:02d}-{day:08d}-{serial:010d}-{check:010d}"
