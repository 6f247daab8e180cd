"""Secure messaging with 3DES and AES: Doc 9303-11 §9.8."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hardware_drivers.errors import MalformedFileError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.cipher_suites import MAC_LENGTH, CipherSuite
from hardware_drivers.id_chip.keys import macs_match, unpad
from hardware_drivers.smartcard.apdu import EXTENDED_MAX, SHORT_NE_MAX, Command, Response
from hardware_drivers.smartcard.channel import Channel

CRYPTOGRAM, ODD_CRYPTOGRAM, PROTECTED_LE, STATUS, MAC = 0x87, 0x85, 0x97, 0x99, 0x8E  # §9.8.4
PADDING_INDICATOR = b"\x01"


@dataclass(slots=True)
class SessionKeys:
    """Keys of one session and its send sequence counter, which rises with every command and every answer (§9.8.2).

    The counter starts from both nonces after basic access and from zero otherwise (§9.8.6.3); it has a block of 8 or 16
    bytes to rise in, more than any session lasts.
    """

    encryption: bytes = field(repr=False)
    authentication: bytes = field(repr=False)
    send_sequence_counter: int
    suite: CipherSuite = CipherSuite.TDES

    def protect(self, command: Command) -> Command:
        """The command with its data encrypted, its Le hidden inside, and a MAC over all of it (§9.8.4)."""
        self.send_sequence_counter += 1
        secure = replace(command, cla=command.cla | 0x0C)
        objects = b""
        if command.data:
            cryptogram = self.suite.encrypt(self.encryption, self.suite.pad(command.data), self._iv())
            odd = command.ins & 1
            objects += (
                tlv.encode(ODD_CRYPTOGRAM, cryptogram)
                if odd
                else tlv.encode(CRYPTOGRAM, PADDING_INDICATOR + cryptogram)
            )
        if command.ne:
            le = command.ne & 0xFF if command.ne <= SHORT_NE_MAX else command.ne & 0xFFFF
            objects += tlv.encode(PROTECTED_LE, le.to_bytes(1 if command.ne <= SHORT_NE_MAX else 2, "big"))
        # ISO/IEC 7816-4:2020 §10.2.3.1: every part is padded once, so a bare header is not padded twice
        mac = self._mac(self.suite.pad(secure.header) + objects if objects else secure.header)
        ne = SHORT_NE_MAX if command.ne <= SHORT_NE_MAX else EXTENDED_MAX
        return replace(secure, data=objects + tlv.encode(MAC, mac), ne=ne)

    def open(self, answer: Response) -> Response:
        """The answer inside; `TamperedAnswerError` when it is unprotected, forged or not one of ours.

        A chip that answers a bare error status has ended the session (§9.8.3). Nobody vouches for that status, but
        it promises nothing either: it becomes a `StatusError`.
        """
        self.send_sequence_counter += 1
        if not answer.data and answer.sw != 0x9000:
            raise StatusError(answer.sw, "secure messaging, without protection")
        objects = self._authenticate(answer)
        try:
            sw_bytes = tlv.pick(objects, STATUS)
        except MalformedFileError as error:
            raise TamperedAnswerError("protected answer without its status") from error
        if len(sw_bytes) != 2:
            raise TamperedAnswerError(f"protected status of {len(sw_bytes)} bytes")
        return Response(self._plain(objects), int.from_bytes(sw_bytes, "big"))

    def _authenticate(self, answer: Response) -> list[tlv.Tlv]:
        """The data objects of an answer whose MAC, the last of them, holds over the bytes as received."""
        try:
            objects = tlv.parse_all(answer.data)
        except MalformedFileError as error:
            raise TamperedAnswerError(f"protected answer is no list of data objects: {error}") from error
        if not objects or objects[-1].tag != MAC:
            raise TamperedAnswerError(f"answer without MAC, status {answer.sw:04X}")
        covered = answer.data[: len(answer.data) - 2 - len(objects[-1].value)]
        if len(objects[-1].value) != MAC_LENGTH or not macs_match(self._mac(covered), objects[-1].value):
            raise TamperedAnswerError("MAC of an answer does not hold")
        if len({found.tag for found in objects}) != len(objects):
            raise TamperedAnswerError("data object twice in an answer")
        return objects

    def _plain(self, objects: list[tlv.Tlv]) -> bytes:
        """The decrypted data field, empty when there was none."""
        for found in objects:
            if found.tag not in (CRYPTOGRAM, ODD_CRYPTOGRAM):
                continue
            cryptogram = found.value
            if found.tag == CRYPTOGRAM:
                if cryptogram[:1] != PADDING_INDICATOR:
                    raise TamperedAnswerError("cryptogram with an unknown padding indicator")
                cryptogram = cryptogram[1:]
            if not cryptogram or len(cryptogram) % self.suite.block:
                raise TamperedAnswerError(f"cryptogram of {len(cryptogram)} bytes is no whole number of blocks")
            plain = unpad(self.suite.decrypt(self.encryption, cryptogram, self._iv()))
            if plain is None:
                raise TamperedAnswerError("cryptogram without padding")
            return plain
        return b""

    def _mac(self, message: bytes) -> bytes:
        """MAC over the counter and the message (§9.8.6)."""
        return self.suite.mac(self.authentication, self.suite.pad(self._counter() + message))

    def _iv(self) -> bytes | None:
        """The IV that this command or answer is encrypted under."""
        return self.suite.message_iv(self.encryption, self._counter())

    def _counter(self) -> bytes:
        """The counter as one block."""
        return self.send_sequence_counter.to_bytes(self.suite.block, "big")


@dataclass(slots=True)
class SecureChannel:
    """Secure messaging worn over any other channel."""

    inner: Channel
    keys: SessionKeys

    def transmit(self, command: Command) -> Response:
        """Protect, send, check the MAC; raise `TamperedAnswerError` when it does not hold."""
        protected = self.keys.protect(command)
        return self.keys.open(self.inner.transmit(protected))

    def transmit_many(self, commands: Sequence[Command]) -> list[Response]:
        """As one journey, protected ahead of time: the counter rises by two per command whatever the chip answers.

        Ends early behind the first answer that is neither 9000 nor a warning; the counter then stands where the chip's
        does.
        """
        begin = self.keys.send_sequence_counter
        protected: list[Command] = []
        for index, command in enumerate(commands):
            self.keys.send_sequence_counter = begin + 2 * index
            protected.append(self.keys.protect(command))
        answers: list[Response] = []
        for index, answer in enumerate(self.inner.transmit_many(protected)):
            self.keys.send_sequence_counter = begin + 2 * index + 1
            answers.append(self.keys.open(answer))
        return answers
