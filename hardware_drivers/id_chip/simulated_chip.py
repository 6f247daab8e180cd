"""The chip's side of ICAO Doc 9303: answers commands from its files, behind basic access and secure messaging.

It holds state (keys, selected file) but touches no cable, no clock and no randomness of its own, so the same chip sits
behind pcscd, behind the simulated cable, and inside a test.
"""

from collections.abc import Mapping
from typing import Self

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.bac import KEY_LENGTH, NONCE_LENGTH, AccessKeys, access_keys, seal, session_keys, unseal
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.cv_certificate import ReadRight
from hardware_drivers.id_chip.files import ID_APPLICATION
from hardware_drivers.id_chip.keys import RandomBytes, macs_match, unpad
from hardware_drivers.id_chip.mrz import NUMBER_LENGTH, check_digit
from hardware_drivers.id_chip.secure_messaging import SessionKeys
from hardware_drivers.id_chip.simulated_pace import SimulatedPace
from hardware_drivers.id_chip.simulated_proofs import SimulatedProofs
from hardware_drivers.smartcard.apdu import EXTENDED_MAX, BadCommandError, Command, Response

# ISO/IEC 7816-4:2020 table 6
OK, END_OF_FILE, AUTHENTICATION_FAILED = 0x9000, 0x6282, 0x6300
WRONG_LENGTH, NOT_SATISFIED, SM_MISSING, SM_WRONG = 0x6700, 0x6982, 0x6987, 0x6988
NOT_FOUND, WRONG_PARAMETERS, BEYOND_FILE, UNKNOWN_INSTRUCTION = 0x6A82, 0x6A86, 0x6B00, 0x6D00
NO_CURRENT_FILE = 0x6986

SECURE_CLASS = 0x0C
FINGERPRINTS = 0x0103
EXTENDED_ANSWER_MAX = 65_000  # vpcd frames end at 65 535 bytes (research id_card.md §1)
# Historical bytes: category 80, card capabilities 73 = SFI selection, byte-sized units, extended length.
ATR_EXTENDED = bytes.fromhex("3B858001807394214002")
ATR_SHORT = bytes.fromhex("3B858001807394210042")


class SimulatedChip:
    """One chip with its files.

    Args:
        files: File identifier (0x0101) to the whole file.
        keys: Document basic access keys.
        rng: Where its nonces come from.
        extended: Whether it takes and announces extended length.
        pace: Its other way in, with the files of the Master File; None for a chip of basic access alone.
        proofs: Its secrets against copies, and its demands of terminals; None for a chip that has none.
    """

    def __init__(
        self,
        files: Mapping[int, bytes],
        keys: AccessKeys,
        rng: RandomBytes,
        *,
        extended: bool = True,
        pace: SimulatedPace | None = None,
        proofs: SimulatedProofs | None = None,
    ) -> None:
        self._files = dict(files)
        self._access = keys
        self._rng = rng
        self._extended = extended
        self._pace = pace
        self._proofs = proofs
        self.reset()

    @classmethod
    def of(cls, card: PersonalisedCard, rng: RandomBytes, *, extended: bool = True) -> Self:
        """The chip in that card, with everything it was personalised with."""
        number = card.key.document_number.upper().ljust(NUMBER_LENGTH, "<")
        return cls(
            card.files,
            access_keys(card.key),
            rng,
            extended=extended,
            pace=None if card.pace is None else SimulatedPace(card.pace, rng),
            proofs=SimulatedProofs(card.secrets, (number + check_digit(number)).encode("ascii"), rng),
        )

    @property
    def atr(self) -> bytes:
        """Answer to reset, honest about extended length."""
        return ATR_EXTENDED if self._extended else ATR_SHORT

    def reset(self) -> None:
        """Power or reset: everything of the session is forgotten."""
        self._application_selected = False
        self._challenge: bytes | None = None
        self._session: SessionKeys | None = None
        self._selected: bytes | None = None
        if self._pace is not None:
            self._pace.reset()
        if self._proofs is not None:
            self._proofs.reset()

    def answer(self, raw: bytes) -> bytes:
        """The answer to one command, as bytes."""
        try:
            command = Command.parse(raw)
        except BadCommandError:
            return Response(b"", WRONG_LENGTH).encode()
        if not self._extended and (len(command.data) > 255 or command.ne > 256):
            return Response(b"", WRONG_LENGTH).encode()
        if command.cla & SECURE_CLASS == SECURE_CLASS:
            return self._answer_protected(command).encode()
        if self._session is not None:
            self._end_session()  # §9.8.3: a plain command ends secure messaging
        answer = self._answer_plain(command)
        self._take_over()
        return answer.encode()

    def _answer_plain(self, command: Command) -> Response:
        """What may be said before access: select the application, get a challenge, authenticate."""
        match command.ins:
            case 0xA4 if command.p1 == 0x04:
                self._application_selected, self._selected = command.data == ID_APPLICATION, None
                return Response(b"", OK if self._application_selected else NOT_FOUND)
            case 0x84 if self._application_selected:
                self._challenge = self._rng(NONCE_LENGTH)
                return Response(self._challenge, OK)
            case 0x82 if self._application_selected:
                return self._authenticate(command.data)
            case 0x22 | 0x86 if self._pace is not None:
                return self._pace.answer(command)
            case 0xA4 | 0xB0 if self._pace is not None and not self._application_selected:
                return self._answer_files(command)
            case 0xA4 | 0xB0 | 0xB1:
                return Response(b"", NOT_SATISFIED)
            case _:
                return Response(b"", UNKNOWN_INSTRUCTION)

    def _visible_files(self) -> Mapping[int, bytes]:
        """Files of the application, or before it is selected those of the Master File that may be read yet."""
        if self._application_selected or self._pace is None:
            return self._files
        return self._pace.public_files if self._session is None else self._pace.opened_files

    def _take_over(self) -> None:
        """Begin the session that PACE or chip authentication has just agreed on; its last answer still went the old
        way (§9.8.2)."""
        agreed = self._pace.take_session() if self._pace is not None else None
        if agreed is not None:
            self._session, self._application_selected, self._selected = agreed, False, None
            if self._proofs is not None and self._pace is not None:
                self._proofs.chip_name = self._pace.compressed_public
        renewed = self._proofs.take_session() if self._proofs is not None else None
        if renewed is not None:
            self._session = renewed

    def _end_session(self) -> None:
        """Forget keys, rights and the selected file."""
        self._session = self._selected = None
        if self._pace is not None:
            self._pace.reset()
        if self._proofs is not None:
            self._proofs.reset()

    def _authenticate(self, sealed: bytes) -> Response:
        """EXTERNAL AUTHENTICATE, Doc 9303-11 §4.3.4.1; a challenge serves once."""
        rnd_ic, self._challenge = self._challenge, None
        plain = unseal(self._access, sealed) if len(sealed) == 40 else None
        if plain is None or rnd_ic is None or plain[8:16] != rnd_ic:
            return Response(b"", AUTHENTICATION_FAILED)
        rnd_ifd, k_ifd, k_ic = plain[:8], plain[16:], self._rng(KEY_LENGTH)
        self._session = session_keys(k_ifd, k_ic, rnd_ic, rnd_ifd)
        return Response(seal(self._access, rnd_ic + rnd_ifd + k_ic), OK)

    def _answer_protected(self, command: Command) -> Response:
        """Unwrap, do, wrap; anything wrong with the protection ends the session (§9.8.3)."""
        if self._session is None:
            return Response(b"", SM_MISSING)
        inner = self._unwrap(self._session, command)
        if inner is None:
            self._end_session()
            return Response(b"", SM_WRONG)
        answer = self._wrap(self._session, self._answer_inside(inner), odd=bool(inner.ins & 1))
        self._take_over()
        return answer

    def _answer_inside(self, command: Command) -> Response:
        """What may be said after access: SELECT, READ BINARY, proofs, and PACE once more with another secret."""
        if self._proofs is not None and self._application_selected:
            proven = self._proofs.answer(command)
            if proven is not None:
                return proven
        match command.ins:
            case 0xA4 if command.p1 == 0x04:
                self._application_selected, self._selected = command.data == ID_APPLICATION, None
                return Response(b"", OK if self._application_selected else NOT_FOUND)
            case 0x22 | 0x86 if self._pace is not None:
                return self._pace.answer(command)
            case _:
                return self._answer_files(command)

    def _answer_files(self, command: Command) -> Response:
        """SELECT and READ BINARY among the visible files."""
        match command.ins:
            case 0xA4 if command.p1 == 0x02:
                self._selected = self._visible_files().get(int.from_bytes(command.data, "big"))
                return Response(b"", OK if self._selected is not None else NOT_FOUND)
            case 0xB0 | 0xB1 if self._selected is not None and self._is_closed(self._selected):
                return Response(b"", NOT_SATISFIED)
            case 0xB0:
                return self._read_binary(command)
            case 0xB1:
                return self._read_odd(command)
            case _:
                return Response(b"", UNKNOWN_INSTRUCTION)

    def _read_binary(self, command: Command) -> Response:
        """READ BINARY by short identifier (bit 8 of P1) or in the selected file, ISO/IEC 7816-4:2020 §11.3.3."""
        offset = command.p1 << 8 | command.p2
        if command.p1 & 0x80:
            self._selected = self._visible_files().get(0x0100 | command.p1 & 0x1F)
            if self._selected is None:
                return Response(b"", NOT_FOUND)
            if self._is_closed(self._selected):
                return Response(b"", NOT_SATISFIED)
            offset = command.p2
        return self._portion(offset, command.ne)

    def _is_closed(self, content: bytes) -> bool:
        """Whether it is the fingerprints, and no terminal has shown a right to them."""
        asks = self._proofs is not None and self._proofs.asks_for_terminals
        granted = self._proofs is not None and bool(self._proofs.rights & ReadRight.DG3)
        return asks and not granted and content is self._files.get(FINGERPRINTS)

    def _read_odd(self, command: Command) -> Response:
        """READ BINARY with the offset in object 54, for files beyond 32 767 bytes."""
        try:
            offset = int.from_bytes(tlv.only(command.data, 0x54), "big")
        except MalformedFileError:
            return Response(b"", WRONG_PARAMETERS)
        portion = self._portion(offset, max(0, command.ne - 4))
        return Response(tlv.encode(0x53, portion.data), portion.sw) if portion.data else portion

    def _portion(self, offset: int, ne: int) -> Response:
        """Up to `ne` bytes of the selected file."""
        if self._selected is None:
            return Response(b"", NO_CURRENT_FILE)
        if offset >= len(self._selected):
            return Response(b"", BEYOND_FILE)
        portion = self._selected[offset : offset + min(ne, EXTENDED_ANSWER_MAX)]
        return Response(portion, OK if len(portion) == ne else END_OF_FILE)

    def _unwrap(self, keys: SessionKeys, command: Command) -> Command | None:
        """The command inside, or None when its protection does not hold (§9.8.4, seen from the chip)."""
        keys.send_sequence_counter += 1
        try:
            objects = tlv.parse_all(command.data)
            mac = tlv.pick(objects, 0x8E)
        except MalformedFileError:
            return None
        protected = command.data[: len(command.data) - 2 - len(mac)]
        covered = keys.suite.pad(command.header) + protected if protected else command.header
        if objects[-1].tag != 0x8E or not macs_match(_mac(keys, covered), mac):
            return None
        data, ne = b"", 0
        for found in objects:
            if found.tag in (0x87, 0x85):
                plain = unpad(keys.suite.decrypt(keys.encryption, found.value[found.tag == 0x87 :], _iv(keys)))
                if plain is None:
                    return None
                data = plain
            if found.tag == 0x97:
                ne = int.from_bytes(found.value, "big") or (EXTENDED_MAX if len(found.value) == 2 else 256)
        return Command(command.cla & ~SECURE_CLASS, command.ins, command.p1, command.p2, data, ne)

    @staticmethod
    def _wrap(keys: SessionKeys, answer: Response, *, odd: bool) -> Response:
        """The protected answer."""
        keys.send_sequence_counter += 1
        objects = b""
        if answer.data:
            cryptogram = keys.suite.encrypt(keys.encryption, keys.suite.pad(answer.data), _iv(keys))
            objects += tlv.encode(0x85, cryptogram) if odd else tlv.encode(0x87, b"\x01" + cryptogram)
        objects += tlv.encode(0x99, answer.sw.to_bytes(2, "big"))
        return Response(objects + tlv.encode(0x8E, _mac(keys, objects)), answer.sw)


def _mac(keys: SessionKeys, message: bytes) -> bytes:
    """MAC over counter and message, written once more so that a slip in the reader's does not cancel out."""
    suite = keys.suite
    return suite.mac(keys.authentication, suite.pad(keys.send_sequence_counter.to_bytes(suite.block, "big") + message))


def _iv(keys: SessionKeys) -> bytes | None:
    """The IV of the command or answer that the counter stands at."""
    return keys.suite.message_iv(keys.encryption, keys.send_sequence_counter.to_bytes(keys.suite.block, "big"))
