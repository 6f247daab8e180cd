"""Secure messaging with 3DES: Doc 9303-11 §9.8."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hardware_drivers.errors import MalformedFileError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.keys import BLOCK, decrypt, encrypt, macs_match, pad, retail_mac, unpad
from hardware_drivers.smartcard.apdu import EXTENDED_MAX, SHORT_NE_MAX, Command, Response
from hardware_drivers.smartcard.channel import Channel

CRYPTOGRAM, ODD_CRYPTOGRAM, PROTECTED_LE, STATUS, MAC = 0x87, 0x85, 0x97, 0x99, 0x8E  # §9.8.4
PADDING_INDICATOR = b"\x01"


@dataclass(slots=True)
class SessionKeys:
    """Keys of one session and its send sequence counter, which rises with every command and every answer (§9.8.2)."""

    encryption: bytes
    authentication: bytes
    send_sequence_counter: int

    def protect(self, command: Command) -> Command:
        """The command with its data encrypted, its Le hidden inside, and a MAC over all of it (§9.8.4)."""
        self.send_sequence_counter += 1
        secure = replace(command, cla=command.cla | 0x0C)
        objects = b""
        if command.data:
            cryptogram = encrypt(self.encryption, pad(command.data))
            odd = command.ins & 1
            objects += (
                tlv.encode(ODD_CRYPTOGRAM, cryptogram)
                if odd
                else tlv.encode(CRYPTOGRAM, PADDING_INDICATOR + cryptogram)
            )
        if command.ne:
            le = command.ne & 0xFF if command.ne <= SHORT_NE_MAX else command.ne & 0xFFFF
            objects += tlv.encode(PROTECTED_LE, le.to_bytes(1 if command.ne <= SHORT_NE_MAX else 2, "big"))
        mac = self._mac(pad(secure.header) + objects)
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
        if len(objects[-1].value) != BLOCK or not macs_match(self._mac(covered), objects[-1].value):
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
            if not cryptogram or len(cryptogram) % BLOCK:
                raise TamperedAnswerError(f"cryptogram of {len(cryptogram)} bytes is no whole number of blocks")
            plain = unpad(decrypt(self.encryption, cryptogram))
            if plain is None:
                raise TamperedAnswerError("cryptogram without padding")
            return plain
        return b""

    def _mac(self, message: bytes) -> bytes:
        """MAC over the counter and the message (§9.8.6.1)."""
        return retail_mac(self.authentication, pad(self.send_sequence_counter.to_bytes(BLOCK, "big") + message))


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
