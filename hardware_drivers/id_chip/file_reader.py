"""Whole files with the fewest commands and journeys.

No SELECT (short identifiers), no separate head (the first block holds it), blocks as large as chip, reader and cable
carry, and everything whose position is known in one batch: what costs time is the number of answers waited for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hardware_drivers.errors import MalformedFileError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.files import ElementaryFile
from hardware_drivers.smartcard.apdu import SHORT_NE_MAX, Command, Response
from hardware_drivers.smartcard.channel import Channel

LAST_EVEN_OFFSET = 0x7FFF  # ISO/IEC 7816-4:2020 §11.3.3: beyond it only the odd instruction reaches
LAST_SHORT_OFFSET = 0xFF  # same place: with a short identifier the offset is one byte
ODD_WRAPPER = 5  # the odd instruction wraps its answer in object 53: tag and up to four length bytes at our sizes
END_OF_FILE_WARNING = 0x6282
BATCH_MAX = 100  # commands; a portrait of 22 KB in short blocks, and a progress sign at least that often
DRIPS_MAX = 8  # a chip may end a block early; one that drips byte by byte only wants our time
NO_SHORT_IDENTIFIERS = {0x6A81, 0x6A82, 0x6A86, 0x6B00}
WRONG_LENGTH = {0x6700, 0x6B00}  # and 6Cxx: what chips answer to a block they cannot give


def plain_room(answer_max: int, cipher_block: int) -> int:
    """Most plain bytes whose protected answer fits in `answer_max` bytes of data (Doc 9303-11 §9.8.4).

    Object 87 with its padding indicator, object 99 (4 bytes), object 8E (10 bytes); 231 of 256 with 3DES, 223 with AES.
    """
    length_bytes = 1 if answer_max < 128 + 16 else 2 if answer_max <= SHORT_NE_MAX + 16 else 3
    if answer_max > 65_535:
        length_bytes = 4
    room = answer_max - 14 - 1 - length_bytes - 1
    return room // cipher_block * cipher_block - 1


def begin_in_clear(file: ElementaryFile) -> Command:
    """The command that `read_in_clear` begins with."""
    return Command(0x00, 0xB0, 0x80 | file.sfi, 0x00, ne=SHORT_NE_MAX)


def read_in_clear(channel: Channel, file: ElementaryFile, begun: Response | None = None) -> bytes:
    """A file of the Master File before access, empty where there is none or none that may be read.

    Args:
        begun: The answer to `begin_in_clear`, where that was sent already and other commands since.
    """
    answer = begun or channel.transmit(begin_in_clear(file))
    if not answer.data:
        selected = channel.transmit(Command(0x00, 0xA4, 0x02, 0x0C, file.fid.to_bytes(2, "big")))
        if selected.sw != 0x9000:
            return b""
        answer = channel.transmit(Command(0x00, 0xB0, 0x00, 0x00, ne=SHORT_NE_MAX))
    content = answer.data
    while content and answer.data and answer.sw in (0x9000, END_OF_FILE_WARNING):
        try:
            total = announced_length(file, content)
        except MalformedFileError:
            return b""
        if len(content) >= total:
            return content[:total]
        if begun is not None:
            return read_in_clear(channel, file)  # another file is the current one by now
        answer = channel.transmit(read_at(len(content), min(SHORT_NE_MAX, total - len(content))))
        content += answer.data
    return b""


class BlockTooLargeError(StatusError):
    """The chip or the way to it does not carry blocks of this size, and secure messaging may be gone with it."""


@dataclass(slots=True)
class AheadChannel:
    """A channel that sends one command along with whatever comes next, so that it costs no journey of its own.

    Attributes:
        judge: Raises what its answer deserves.
    """

    inner: Channel
    command: Command | None
    judge: Callable[[Response], None]

    def transmit(self, command: Command) -> Response:
        """As `transmit_many`, for one."""
        return self.transmit_many([command])[0]

    def transmit_many(self, commands: Sequence[Command]) -> list[Response]:
        """Send them, the one that waits before them."""
        ahead, self.command = self.command, None
        if ahead is None:
            return self.inner.transmit_many(commands)
        answers = self.inner.transmit_many([ahead, *commands])
        self.judge(answers[0])
        return answers[1:] or self.inner.transmit_many(commands)


@dataclass(slots=True)
class FileReader:
    """Reads files over a channel.

    Attributes:
        block: Most plain bytes asked for at once.
        commands: How many were sent, for whoever counts.
    """

    channel: Channel
    block: int
    commands: int = 0
    _by_select: bool = field(default=False, init=False)

    def read(self, file: ElementaryFile) -> bytes:
        """The file as stored, without what lies behind its announced end."""
        return self.read_many([file])[file.fid]

    def read_many(self, files: Sequence[ElementaryFile]) -> dict[int, bytes]:
        """All of these files by their identifier, in two journeys where the chip plays along.

        Raises:
            BlockTooLargeError: Begin again with smaller blocks.
            StatusError: A file is missing, not permitted, or the chip gave up.
            MalformedFileError: A file is not what its tag says, or longer than allowed.
            TamperedAnswerError: The chip drips, or breaks secure messaging.
        """
        begun = self._begin_all(files)
        # the last file begun is still the current one: it goes first and needs no overlap to be found again
        ordered = [*files[-1:], *files[:-1]]
        rests = [rest for file in ordered for rest in self._plan(file, begun[file.fid], current=file is files[-1])]
        for at in range(0, len(rests), BATCH_MAX):
            batch = rests[at : at + BATCH_MAX]
            answers = self._send([rest.command for rest in batch])
            for rest, answer in zip(batch, answers, strict=False):
                rest.keep(answer, begun[rest.file.fid])
            if len(answers) < len(batch):
                break
        return {file.fid: self._finish(file, begun[file.fid]) for file in files}

    def _begin_all(self, files: Sequence[ElementaryFile]) -> dict[int, bytearray]:
        """The first block of each file, by short identifier or, where the chip has none, after SELECT."""
        begun: dict[int, bytearray] = {}
        if not self._by_select:
            answers = self._send([Command(0x00, 0xB0, 0x80 | file.sfi, 0x00, ne=self.block) for file in files])
            for file, answer in zip(files, answers, strict=False):
                if answer.sw in NO_SHORT_IDENTIFIERS:
                    break
                begun[file.fid] = bytearray(content_of(answer, file.name, self.block))
        for file in files:
            if file.fid not in begun:
                begun[file.fid] = bytearray(self._select_and_begin(file))
        return begun

    def _select_and_begin(self, file: ElementaryFile) -> bytes:
        """The first block of a file that has to be selected."""
        (selected,) = self._send([Command(0x00, 0xA4, 0x02, 0x0C, file.fid.to_bytes(2, "big"))])
        if selected.sw != 0x9000:
            raise StatusError(selected.sw, f"SELECT {file.name}")
        self._by_select = True
        (answer,) = self._send([Command(0x00, 0xB0, 0x00, 0x00, ne=self.block)])
        return content_of(answer, file.name, self.block)

    def _plan(self, file: ElementaryFile, content: bytearray, *, current: bool) -> "list[_Rest]":
        """The commands for what is missing of a file; one that is not current is found again by its identifier."""
        total = announced_length(file, content)
        rests: list[_Rest] = []
        at = len(content)
        if at >= total or (self._by_select and not current):
            return []  # selecting costs a command of its own: `_finish` goes file by file
        if not current:
            at = min(at, LAST_SHORT_OFFSET)  # a short identifier reaches no further: overlap
            first = min(self.block, total - at)
            rests.append(_Rest(file, at, first, Command(0x00, 0xB0, 0x80 | file.sfi, at, ne=first)))
            at += first
        while at < total:
            wanted = self._wanted(at, total)
            rests.append(_Rest(file, at, wanted, read_at(at, wanted)))
            at += wanted
        return rests

    def _finish(self, file: ElementaryFile, content: bytearray) -> bytes:
        """What a batch left over: a chip that ends blocks early, or one that has to be selected."""
        total = announced_length(file, content)
        drips, selected = 0, False
        while len(content) < total:
            if not selected:
                self._reselect(file)
                selected = True
            wanted = self._wanted(len(content), total)
            (answer,) = self._send([read_at(len(content), wanted)])
            part = unwrapped(answer, len(content), wanted, file.name, self.block)
            if not part:
                raise MalformedFileError(file.name, f"ends after {len(content)} of {total} bytes")
            drips += len(part) < wanted
            if drips > DRIPS_MAX:
                raise TamperedAnswerError(f"{file.name} drips: {len(part)} of {wanted} bytes at a time")
            content += part
        return bytes(content[:total])

    def _reselect(self, file: ElementaryFile) -> None:
        """Make it the current file again; others may have been read since."""
        (answer,) = self._send([Command(0x00, 0xA4, 0x02, 0x0C, file.fid.to_bytes(2, "big"))])
        if answer.sw != 0x9000:
            raise StatusError(answer.sw, f"SELECT {file.name}")

    def _wanted(self, at: int, total: int) -> int:
        """How much to ask for at this position."""
        room = self.block if at <= LAST_EVEN_OFFSET else self.block - ODD_WRAPPER
        return min(room, total - at)

    def _send(self, commands: Sequence[Command]) -> list[Response]:
        """As one journey."""
        if not commands:
            return []
        try:
            answers = self.channel.transmit_many(commands)
        except StatusError as refused:
            if is_about_length(refused.sw):
                raise BlockTooLargeError(refused.sw, f"READ BINARY of {self.block} bytes, session lost") from refused
            raise
        self.commands += len(answers)
        if not 1 <= len(answers) <= len(commands):
            raise TamperedAnswerError(f"{len(answers)} answers to {len(commands)} commands")
        return answers


@dataclass(slots=True)
class _Rest:
    """One planned command and where its answer belongs."""

    file: ElementaryFile
    at: int
    wanted: int
    command: Command

    def keep(self, answer: Response, content: bytearray) -> None:
        """Take the answer up if it continues what is there; after an early end nothing does."""
        overlap = len(content) - self.at
        if overlap < 0:
            return
        part = unwrapped(answer, self.at, self.wanted, self.file.name, self.wanted)
        content += part[overlap:]


def announced_length(file: ElementaryFile, content: bytes | bytearray) -> int:
    """Bytes of the whole file by its own header, held to the file's tag and to what we are ready to read."""
    header = tlv.read_header(bytes(content[:16]))
    if header.tag != file.tag:
        raise MalformedFileError(file.name, f"begins with tag {header.tag:X}")
    if header.total_length > file.longest:
        raise MalformedFileError(file.name, f"announces {header.total_length} bytes, {file.longest} allowed")
    return header.total_length


def read_at(offset: int, wanted: int) -> Command:
    """READ BINARY in the current file: the even instruction as far as it reaches, then the odd one."""
    if offset <= LAST_EVEN_OFFSET:
        return Command(0x00, 0xB0, offset >> 8, offset & 0xFF, ne=wanted)
    position = tlv.encode(0x54, offset.to_bytes(3, "big"))
    return Command(0x00, 0xB1, 0x00, 0x00, position, ne=wanted + ODD_WRAPPER)


def unwrapped(answer: Response, offset: int, wanted: int, name: str, block: int) -> bytes:
    """The file's bytes in an answer to `read_at`, at most as many as asked for."""
    content = content_of(answer, name, block)
    if offset > LAST_EVEN_OFFSET and content:
        content = tlv.only(content, 0x53)
    return content[:wanted]


def content_of(answer: Response, name: str, block: int) -> bytes:
    """The data, where the status says that there is some; `BlockTooLargeError` where the length was the trouble."""
    if answer.sw == 0x9000 or (answer.sw == END_OF_FILE_WARNING and answer.data):
        return answer.data
    if is_about_length(answer.sw):
        raise BlockTooLargeError(answer.sw, f"READ BINARY of {block} bytes of {name}")
    raise StatusError(answer.sw, f"READ BINARY of {name}")


def is_about_length(sw: int) -> bool:
    """Whether a status complains of how much was asked for."""
    return sw in WRONG_LENGTH or sw >> 8 == 0x6C
