"""A chip and a terminal whose PACE and secure messaging are libeac's (OpenPACE, C on OpenSSL): peers nobody here wrote.

Debian's package `libeac3` has generic mapping; integrated mapping is not compiled in and chip authentication mapping
not written. Tests load the library; nothing of ours is linked with it or ships it.
"""

import ctypes
from collections.abc import Callable

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.pace_password import PasswordKind
from hardware_drivers.id_chip.security_infos import PaceInfo
from hardware_drivers.smartcard.apdu import Command, Response

LIBEAC_MISSING = "wants the other implementation: apt-get install libeac3"
FILE = bytes(range(200))


class _Buffer(ctypes.Structure):
    """OpenSSL's BUF_MEM."""

    _fields_ = (
        ("length", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("max", ctypes.c_size_t),
        ("flags", ctypes.c_ulong),
    )


_POINTER, _BUFFER = ctypes.c_void_p, ctypes.POINTER(_Buffer)
_FUNCTIONS = {
    "EAC_CTX_new": (_POINTER,),
    "EAC_CTX_clear_free": (None, _POINTER),
    "EAC_CTX_init_pace": (ctypes.c_int, _POINTER, ctypes.c_int, ctypes.c_int),
    "PACE_SEC_new": (_POINTER, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int),
    "PACE_SEC_clear_free": (None, _POINTER),
    "PACE_STEP1_enc_nonce": (_BUFFER, _POINTER, _POINTER),
    "PACE_STEP2_dec_nonce": (ctypes.c_int, _POINTER, _POINTER, _BUFFER),
    "PACE_STEP3A_generate_mapping_data": (_BUFFER, _POINTER),
    "PACE_STEP3A_map_generator": (ctypes.c_int, _POINTER, _BUFFER),
    "PACE_STEP3B_generate_ephemeral_key": (_BUFFER, _POINTER),
    "PACE_STEP3B_compute_shared_secret": (ctypes.c_int, _POINTER, _BUFFER),
    "PACE_STEP3C_derive_keys": (ctypes.c_int, _POINTER),
    "PACE_STEP3D_compute_authentication_token": (_BUFFER, _POINTER, _BUFFER),
    "PACE_STEP3D_verify_authentication_token": (ctypes.c_int, _POINTER, _BUFFER),
    "EAC_CTX_set_encryption_ctx": (ctypes.c_int, _POINTER, ctypes.c_int),
    "EAC_encrypt": (_BUFFER, _POINTER, _BUFFER),
    "EAC_decrypt": (_BUFFER, _POINTER, _BUFFER),
    "EAC_authenticate": (_BUFFER, _POINTER, _BUFFER),
    "EAC_increment_ssc": (ctypes.c_int, _POINTER),
    "EAC_reset_ssc": (ctypes.c_int, _POINTER),
    "EAC_add_iso_pad": (_BUFFER, _POINTER, _BUFFER),
    "EAC_remove_iso_pad": (_BUFFER, _BUFFER),
}
EAC_ID_PACE = 0


def load() -> tuple[ctypes.CDLL, ctypes.CDLL] | None:
    """libeac and the OpenSSL under it, or None where it is not installed."""
    try:
        eac, crypto = ctypes.CDLL("libeac.so.3"), ctypes.CDLL("libcrypto.so.3")
    except OSError:
        return None
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(eac, name)
        function.restype, function.argtypes = result, arguments
    crypto.OBJ_txt2nid.argtypes = [ctypes.c_char_p]
    crypto.BUF_MEM_new.restype = _BUFFER
    crypto.BUF_MEM_grow.argtypes = [_BUFFER, ctypes.c_size_t]
    crypto.BUF_MEM_free.argtypes = [_BUFFER]
    eac.EAC_init()
    return eac, crypto


LIBRARIES = load()


class _Libeac:
    """One side of PACE in the library.

    Args:
        secret: The full machine readable zone (88 or 90 characters), or the digits of the CAN.
    """

    def __init__(self, info: PaceInfo, kind: PasswordKind, secret: bytes) -> None:
        if LIBRARIES is None or info.parameter_id is None:
            raise RuntimeError(LIBEAC_MISSING)
        self._eac, self._crypto = LIBRARIES
        self._context = self._eac.EAC_CTX_new()
        nid = self._crypto.OBJ_txt2nid(info.oid.encode())
        if not nid or self._eac.EAC_CTX_init_pace(self._context, nid, info.parameter_id) != 1:
            raise RuntimeError(f"libeac does not take {info.oid} with parameters {info.parameter_id}")
        self._secret = self._eac.PACE_SEC_new(secret, len(secret), kind)
        self._info, self._kind = info, kind

    def close(self) -> None:
        """Free what the library holds."""
        self._eac.PACE_SEC_clear_free(self._secret)
        self._eac.EAC_CTX_clear_free(self._context)

    def _start_session(self) -> None:
        self._eac.EAC_CTX_set_encryption_ctx(self._context, EAC_ID_PACE)
        self._eac.EAC_reset_ssc(self._context)

    def _mac(self, message: bytes) -> bytes:
        return self._bytes(self._eac.EAC_authenticate(self._context, self._buffer(self._padded(message))))

    def _padded(self, message: bytes) -> bytes:
        return self._bytes(self._eac.EAC_add_iso_pad(self._context, self._buffer(message)))

    def _decrypted(self, cryptogram: bytes) -> bytes:
        padded = self._eac.EAC_decrypt(self._context, self._buffer(cryptogram))
        return self._bytes(self._eac.EAC_remove_iso_pad(padded))

    def _buffer(self, content: bytes) -> object:
        made = self._crypto.BUF_MEM_new()
        self._crypto.BUF_MEM_grow(made, len(content))
        ctypes.memmove(made.contents.data, content, len(content))
        return made

    @staticmethod
    def _bytes(buffer: object) -> bytes:
        if not buffer:
            raise RuntimeError("libeac returned nothing")
        content = buffer.contents  # type: ignore[attr-defined]
        return ctypes.string_at(content.data, content.length)


class LibeacCard(_Libeac):
    """Answers MSE:Set AT, the chain of GENERAL AUTHENTICATE, and under secure messaging READ BINARY of one file."""

    def __init__(self, info: PaceInfo, kind: PasswordKind, secret: bytes) -> None:
        super().__init__(info, kind, secret)
        self._step = 0
        self._secure = False

    def answer(self, raw: bytes) -> bytes:
        """The answer to one command."""
        command = Command.parse(raw)
        if self._secure:
            return self._answer_protected(command).encode()
        if command.ins == 0x22:
            self._step = 0
            return Response(b"", 0x9000).encode()
        steps = (self._give_nonce, self._map, self._agree, self._authenticate)
        received = {found.tag: found.value for found in tlv.parse_all(tlv.only(command.data, 0x7C))}
        answer = steps[self._step](received)
        self._step += 1
        return answer.encode()

    def _give_nonce(self, _: dict[int, bytes]) -> Response:
        return self._dynamic(0x80, self._eac.PACE_STEP1_enc_nonce(self._context, self._secret))

    def _map(self, received: dict[int, bytes]) -> Response:
        ours = self._eac.PACE_STEP3A_generate_mapping_data(self._context)
        if self._eac.PACE_STEP3A_map_generator(self._context, self._buffer(received[0x81])) != 1:
            return Response(b"", 0x6A80)
        return self._dynamic(0x82, ours)

    def _agree(self, received: dict[int, bytes]) -> Response:
        ours = self._eac.PACE_STEP3B_generate_ephemeral_key(self._context)
        self._theirs = self._buffer(received[0x83])
        agreed = self._eac.PACE_STEP3B_compute_shared_secret(self._context, self._theirs)
        if agreed != 1 or self._eac.PACE_STEP3C_derive_keys(self._context) != 1:
            return Response(b"", 0x6A80)
        return self._dynamic(0x84, ours)

    def _authenticate(self, received: dict[int, bytes]) -> Response:
        token = self._eac.PACE_STEP3D_compute_authentication_token(self._context, self._theirs)
        if self._eac.PACE_STEP3D_verify_authentication_token(self._context, self._buffer(received[0x85])) != 1:
            return Response(b"", 0x6300)
        self._start_session()
        self._secure = True
        return self._dynamic(0x86, token)

    def _answer_protected(self, command: Command) -> Response:
        """Secure messaging by libeac's encryption, MAC and counter; only the framing is ours."""
        self._eac.EAC_increment_ssc(self._context)
        objects = tlv.parse_all(command.data)
        protected = command.data[: -2 - len(objects[-1].value)]
        if self._mac(self._padded(command.header) + protected) != objects[-1].value:
            return Response(b"", 0x6988)
        data = b""
        for found in objects:
            if found.tag == 0x87:
                data = self._decrypted(found.value[1:])
        try:
            ne = int.from_bytes(tlv.pick(objects, 0x97), "big")
        except MalformedFileError:
            ne = 0
        self._eac.EAC_increment_ssc(self._context)
        plain = data or FILE[:ne]
        padded = self._eac.EAC_add_iso_pad(self._context, self._buffer(plain))
        cryptogram = self._bytes(self._eac.EAC_encrypt(self._context, padded))
        answer = tlv.encode(0x87, b"\x01" + cryptogram) + bytes.fromhex("99029000")
        return Response(answer + tlv.encode(0x8E, self._mac(answer)), 0x9000)

    def _dynamic(self, tag: int, value: object) -> Response:
        return Response(tlv.encode(0x7C, tlv.encode(tag, self._bytes(value))), 0x9000)


class LibeacTerminal(_Libeac):
    """Opens a chip by PACE, then reads under secure messaging."""

    def open(self, chip: Callable[[bytes], bytes]) -> bool:
        """Whether chip and library came to the same keys; False when the chip refused our token."""
        self._chip = chip
        oid = der.encode_object_identifier(self._info.oid)
        template = tlv.encode(0x80, oid) + tlv.encode(0x83, bytes((self._kind,)))
        assert self._send(Command(0x00, 0x22, 0xC1, 0xA4, template)).sw == 0x9000
        nonce = self._step(0x10, b"", 0x80)
        assert self._eac.PACE_STEP2_dec_nonce(self._context, self._secret, self._buffer(nonce)) == 1
        ours = self._bytes(self._eac.PACE_STEP3A_generate_mapping_data(self._context))
        theirs = self._step(0x10, tlv.encode(0x81, ours), 0x82)
        assert self._eac.PACE_STEP3A_map_generator(self._context, self._buffer(theirs)) == 1
        ours = self._bytes(self._eac.PACE_STEP3B_generate_ephemeral_key(self._context))
        public = self._buffer(self._step(0x10, tlv.encode(0x83, ours), 0x84))
        assert self._eac.PACE_STEP3B_compute_shared_secret(self._context, public) == 1
        assert self._eac.PACE_STEP3C_derive_keys(self._context) == 1
        token = self._bytes(self._eac.PACE_STEP3D_compute_authentication_token(self._context, public))
        answer = self._general_authenticate(0x00, tlv.encode(0x85, token))
        if answer.sw != 0x9000:
            return False
        token = tlv.pick(tlv.parse_all(tlv.only(answer.data, 0x7C)), 0x86)
        self._start_session()
        return bool(self._eac.PACE_STEP3D_verify_authentication_token(self._context, self._buffer(token)) == 1)

    def read_binary(self, p1: int, ne: int) -> bytes:
        """READ BINARY under the new keys."""
        self._eac.EAC_increment_ssc(self._context)
        header, wanted = bytes((0x0C, 0xB0, p1, 0x00)), tlv.encode(0x97, bytes((ne,)))
        protected = wanted + tlv.encode(0x8E, self._mac(self._padded(header) + wanted))
        answer = self._send(Command(0x0C, 0xB0, p1, 0x00, protected, ne=256))
        self._eac.EAC_increment_ssc(self._context)
        objects = tlv.parse_all(answer.data)
        assert self._mac(answer.data[: -2 - len(objects[-1].value)]) == objects[-1].value
        return self._decrypted(tlv.pick(objects, 0x87)[1:])

    def _step(self, cla: int, sent: bytes, wanted: int) -> bytes:
        answer = self._general_authenticate(cla, sent)
        assert answer.sw == 0x9000
        return tlv.pick(tlv.parse_all(tlv.only(answer.data, 0x7C)), wanted)

    def _general_authenticate(self, cla: int, sent: bytes) -> Response:
        return self._send(Command(cla, 0x86, 0x00, 0x00, tlv.encode(0x7C, sent), ne=512))

    def _send(self, command: Command) -> Response:
        return Response.parse(self._chip(command.encode()))
