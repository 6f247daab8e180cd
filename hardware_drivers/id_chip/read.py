"""Reading an ID chip: a flat list of steps in the order of ICAO Doc 9303-11 §4.1."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError, NotAnIdCardError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.bac import open_by_bac
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.files import EF_COM, EF_SOD, ID_APPLICATION, ElementaryFile, data_group
from hardware_drivers.id_chip.keys import RandomBytes
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import CardLink, Channel, PlainChannel

SHORT_BLOCK = 231  # the most plain bytes whose protected answer still fits a short one of 256 (research id_card.md §5)
EXTENDED_BLOCK = 2048  # readers with small buffers take this; 13 commands per document instead of 79 (same section)
LAST_EVEN_OFFSET = 0x7FFF  # ISO/IEC 7816-4:2020 §11.3.3: beyond it only the odd instruction reaches
ODD_WRAPPER = 4  # the odd instruction wraps its answer in object 53: tag and up to three length bytes at our sizes
END_OF_FILE_WARNING = 0x6282
SHORT_ANSWERS_MAX = 8  # a chip may end a block early; one that drips byte by byte only wants our time
NO_SUCH_APPLICATION = {0x6A82, 0x6A81, 0x6D00, 0x6E00, 0x6999}
NO_SHORT_IDENTIFIERS = {0x6A81, 0x6A82, 0x6A86, 0x6B00}
WRONG_LENGTH = {0x6700, 0x6B00}


class ReadStep(StrEnum):
    """What is going on, for whoever watches a reading."""

    OPENING = "opening"
    ACCESS = "access"
    READING_SECURITY = "reading_security"
    READING_TEXT = "reading_text"
    READING_PORTRAIT = "reading_portrait"


def read_chip(
    link: CardLink,
    access: MrzKey,
    rng: RandomBytes,
    on_step: Callable[[str], None],
    *,
    allow_extended: bool = True,
    monotonic: Callable[[], float] = time.monotonic,
) -> ChipEvidence:
    """Everything the counter needs to judge this document, read but not judged.

    Args:
        link: An open card; it stays the caller's to close.
        rng: Source of fresh random bytes (`secrets.token_bytes`).
        on_step: Told each `ReadStep` as it begins.
        allow_extended: False for a reader whose buffer ends at 261 bytes, whatever the chip can do.
        monotonic: Clock for `read_ms`, seconds.

    Raises:
        NotAnIdCardError: The card has no ID application.
        AccessDeniedError: The chip refused the key; check what was typed.
        TamperedAnswerError, MalformedFileError, StatusError: Chip or relay leave the protocol.
        DeviceError: Whatever the link raises: removed, mute, gone.
    """
    began = monotonic()
    plain = PlainChannel(link)
    block = EXTENDED_BLOCK if allow_extended and takes_extended_length(link.atr) else SHORT_BLOCK
    try:
        files = _read_files(plain, access, rng, on_step, block)
    except StatusError as refused:
        if block == SHORT_BLOCK or (refused.sw not in WRONG_LENGTH and refused.sw >> 8 != 0x6C):
            raise
        # The chip promised extended length and does not keep it. After such an error many drop the session keys, so
        # begin again with short blocks.
        files = _read_files(plain, access, rng, on_step, SHORT_BLOCK)
    groups = {number: files[number] for number in (1, 2)}
    read_ms = round((monotonic() - began) * 1000)
    return ChipEvidence("BAC", link.atr, files[EF_COM.fid], files[EF_SOD.fid], groups, read_ms)


def _read_files(
    plain: Channel, access: MrzKey, rng: RandomBytes, on_step: Callable[[str], None], block: int
) -> dict[int, bytes]:
    """One whole reading with one block size; EF.COM and EF.SOD by file identifier, data groups by number."""
    on_step(ReadStep.OPENING)
    _select_application(plain)
    on_step(ReadStep.ACCESS)
    chip = FileReader(open_by_bac(plain, access, rng), block)
    on_step(ReadStep.READING_SECURITY)
    files = {EF_SOD.fid: chip.read(EF_SOD), EF_COM.fid: chip.read(EF_COM)}
    on_step(ReadStep.READING_TEXT)
    files[1] = chip.read(data_group(1))
    on_step(ReadStep.READING_PORTRAIT)
    files[2] = chip.read(data_group(2))  # last: by far the largest, and the screen can already show the rest
    return files


def _select_application(channel: Channel) -> None:
    """SELECT by name without Le, which German chips refuse (research id_card.md §5)."""
    answer = channel.transmit(Command(0x00, 0xA4, 0x04, 0x0C, ID_APPLICATION))
    if answer.sw in NO_SUCH_APPLICATION:
        raise NotAnIdCardError(f"status {answer.sw:04X} to SELECT of the ID application")
    if answer.sw != 0x9000:
        raise StatusError(answer.sw, "SELECT application")


def takes_extended_length(atr: bytes) -> bool:
    """Whether the historical bytes claim extended length (ISO/IEC 7816-4:2020 §12.2.2.9, third table)."""
    historical = historical_bytes(atr)
    if historical[:1] not in (b"\x80", b"\x00"):
        return False
    objects = historical[1:] if historical[0] == 0x80 else historical[1:-3]
    at = 0
    while at < len(objects):
        tag, length = objects[at] >> 4, objects[at] & 0x0F
        if tag == 7 and length == 3 and at + 3 < len(objects):
            return bool(objects[at + 3] & 0x40)
        at += 1 + length
    return False


def historical_bytes(atr: bytes) -> bytes:
    """The historical bytes of an answer to reset (ISO/IEC 7816-3:2006 §8.2), empty when it is cut off."""
    if len(atr) < 2:
        return b""
    count, interface, at = atr[1] & 0x0F, atr[1] >> 4, 2
    while interface:
        at += bin(interface).count("1")
        if not interface & 0x8 or at > len(atr):
            break
        interface = atr[at - 1] >> 4
    return atr[at : at + count]


@dataclass(slots=True)
class FileReader:
    """Whole files over a channel, with the fewest commands: short identifier, no head, blocks as large as allowed."""

    channel: Channel
    block: int

    def read(self, file: ElementaryFile) -> bytes:
        """The file as stored, without what lies behind its announced end."""
        content = bytearray(self._begin(file))
        header = tlv.read_header(bytes(content))
        if header.tag != file.tag:
            raise MalformedFileError(file.name, f"begins with tag {header.tag:X}")
        if header.total_length > file.longest:
            raise MalformedFileError(file.name, f"announces {header.total_length} bytes, {file.longest} allowed")
        short_answers = 0
        while len(content) < header.total_length:
            room = self.block if len(content) <= LAST_EVEN_OFFSET else self.block - ODD_WRAPPER
            wanted = min(room, header.total_length - len(content))
            part = self._more(len(content), wanted, file.name)
            if not part:
                raise MalformedFileError(file.name, f"ends after {len(content)} of {header.total_length} bytes")
            short_answers += len(part) < wanted
            if short_answers > SHORT_ANSWERS_MAX:
                raise TamperedAnswerError(f"{file.name} drips: {len(part)} of {wanted} bytes at a time")
            content += part
        return bytes(content[: header.total_length])

    def _begin(self, file: ElementaryFile) -> bytes:
        """The first block, by short identifier or, where the chip has none, after SELECT."""
        answer = self.channel.transmit(Command(0x00, 0xB0, 0x80 | file.sfi, 0x00, ne=self.block))
        if answer.sw in NO_SHORT_IDENTIFIERS:
            selected = self.channel.transmit(Command(0x00, 0xA4, 0x02, 0x0C, file.fid.to_bytes(2, "big")))
            if selected.sw != 0x9000:
                raise StatusError(selected.sw, f"SELECT {file.name}")
            answer = self.channel.transmit(Command(0x00, 0xB0, 0x00, 0x00, ne=self.block))
        return self._content(answer, file.name)

    def _more(self, offset: int, wanted: int, name: str) -> bytes:
        """Up to `wanted` bytes from `offset` of the file now selected."""
        if offset <= LAST_EVEN_OFFSET:
            answer = self.channel.transmit(Command(0x00, 0xB0, offset >> 8, offset & 0xFF, ne=wanted))
            return self._content(answer, name)
        position = tlv.encode(0x54, offset.to_bytes(3, "big"))
        answer = self.channel.transmit(Command(0x00, 0xB1, 0x00, 0x00, position, ne=wanted + ODD_WRAPPER))
        return tlv.only(self._content(answer, name), 0x53)[:wanted]

    @staticmethod
    def _content(answer: Response, name: str) -> bytes:
        """The data, where the status says that there is some."""
        if answer.sw != 0x9000 and not (answer.sw == END_OF_FILE_WARNING and answer.data):
            raise StatusError(answer.sw, f"READ BINARY of {name}")
        return answer.data
