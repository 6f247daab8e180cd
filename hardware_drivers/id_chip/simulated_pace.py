"""The chip's side of PACE: Doc 9303-11 §4.4, with the counters of TR-03110-2 §2.4 on PIN and PUK.

It shares key agreement and ciphers with the reader, not the protocol: what both must agree on is held against
the worked examples and against libeac.
"""

import hashlib
from collections.abc import Mapping as Mapped
from dataclasses import dataclass, field

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.cipher_suites import PASSWORD
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.domain_parameters import Domain
from hardware_drivers.id_chip.key_agreement import KeyAgreement, agreement_over
from hardware_drivers.id_chip.keys import AUTHENTICATION, ENCRYPTION, RandomBytes, macs_match
from hardware_drivers.id_chip.pace_mapping import (
    generic_generator,
    integrated_generator,
    integrated_nonce_length,
    seal_chip_data,
)
from hardware_drivers.id_chip.pace_password import PacePassword, PasswordKind
from hardware_drivers.id_chip.secure_messaging import SessionKeys
from hardware_drivers.id_chip.security_infos import Mapping, PaceInfo, parse_security_infos
from hardware_drivers.smartcard.apdu import Command, Response

OK, AUTHENTICATION_FAILED, SUSPENDED, BAD_DATA, NO_SUCH_KEY = 0x9000, 0x6300, 0x6985, 0x6A80, 0x6A88
TRIES = {PasswordKind.PIN: 3, PasswordKind.PUK: 10}  # TR-03110-2 §2.4.2.1
EF_CARD_ACCESS_FID, EF_CARD_SECURITY_FID = 0x011C, 0x011D  # Doc 9303-10 §3.11.3, §3.11.4, in the Master File


@dataclass(frozen=True, slots=True)
class PaceProfile:
    """What a chip knows about PACE.

    Attributes:
        card_access: EF.CardAccess, readable by anybody.
        passwords: The secrets it takes.
        card_security: EF.CardSecurity, readable after PACE; None where there is none.
        static_key: The private key of chip authentication mapping, on the curve of its PACEInfo.
    """

    card_access: bytes
    passwords: tuple[PacePassword, ...]
    card_security: bytes | None = None
    static_key: int | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Run:
    """One chain of GENERAL AUTHENTICATE on its way."""

    info: PaceInfo
    domain: Domain
    password: PacePassword
    step: int = 0
    nonce: bytes = b""
    map_private: int = 0
    generator: bytes = b""
    ours: bytes = b""
    theirs: bytes = b""
    keys: SessionKeys | None = None

    @property
    def agreement(self) -> KeyAgreement:
        """Arithmetic over the domain."""
        return agreement_over(self.domain)


class SimulatedPace:
    """One chip's PACE; counters outlive a reset, everything else does not."""

    def __init__(self, profile: PaceProfile, rng: RandomBytes) -> None:
        self._profile = profile
        self._infos = parse_security_infos(profile.card_access)
        self._rng = rng
        self._tries = dict(TRIES)
        self.reset()

    @property
    def public_files(self) -> Mapped[int, bytes]:
        """Files of the Master File before access."""
        return {EF_CARD_ACCESS_FID: self._profile.card_access}

    @property
    def opened_files(self) -> Mapped[int, bytes]:
        """Files of the Master File after access."""
        security = self._profile.card_security
        return self.public_files if security is None else {**self.public_files, EF_CARD_SECURITY_FID: security}

    def reset(self) -> None:
        """Power or reset."""
        self._run: _Run | None = None
        self._opened_with: PasswordKind | None = None
        self._agreed: SessionKeys | None = None
        self.compressed_public = b""

    def answer(self, command: Command) -> Response:
        """MSE:Set AT and the chain of GENERAL AUTHENTICATE; anything else breaks the chain."""
        try:
            if command.ins == 0x22 and (command.p1, command.p2) == (0xC1, 0xA4):
                return self._set_template(command.data)
            run, self._run = self._run, None
            if command.ins != 0x86 or run is None or command.cla != (0x00 if run.step == 3 else 0x10):
                return Response(b"", SUSPENDED)
            received = {found.tag: found.value for found in tlv.parse_all(tlv.only(command.data, 0x7C))}
            steps = (self._give_nonce, self._map, self._agree, self._authenticate)
            answer = steps[run.step](run, received)
        except MalformedFileError:
            return Response(b"", BAD_DATA)
        if answer.sw == OK and run.step < 3:
            run.step += 1
            self._run = run
        return answer

    def take_session(self) -> SessionKeys | None:
        """The keys that the last answer agreed on, once; they protect from the next command on (§9.8.2)."""
        agreed, self._agreed = self._agreed, None
        return agreed

    def _set_template(self, content: bytes) -> Response:
        """Choose way and password (§4.4.4.1)."""
        self._run = None
        objects = tlv.parse_all(content)
        oid = der.object_identifier(tlv.pick(objects, 0x80))
        kind = int.from_bytes(tlv.pick(objects, 0x83), "big")
        named = [int.from_bytes(found.value, "big") for found in objects if found.tag == 0x84]
        fitting = [info for info in self._infos.pace if info.oid == oid and (not named or info.parameter_id in named)]
        password = next((known for known in self._profile.passwords if known.kind == kind), None)
        domain = self._infos.pace_domain(fitting[0]) if len(fitting) == 1 else None
        if domain is None or password is None:
            return Response(b"", NO_SUCH_KEY)
        self._run = _Run(fitting[0], domain, password)
        left = self._tries.get(password.kind)
        if left is None or left == TRIES[password.kind]:
            return Response(b"", OK)
        if left == 0:
            self._run = None
        return Response(b"", 0x63C0 | left)

    def _give_nonce(self, run: _Run, received: Mapped[int, bytes]) -> Response:
        """Step 1: a suspended PIN is answered only inside a session opened with the CAN."""
        suspended = run.password.kind is PasswordKind.PIN and self._tries[PasswordKind.PIN] == 1
        if received or (suspended and self._opened_with is not PasswordKind.CAN):
            return Response(b"", SUSPENDED)
        run.nonce = self._rng(integrated_nonce_length(run.info.suite) if run.info.mapping is Mapping.INTEGRATED else 16)
        suite = run.info.suite
        return _dynamic({0x80: suite.encrypt(suite.derive_key(run.password.seed, PASSWORD), run.nonce)})

    def _map(self, run: _Run, received: Mapped[int, bytes]) -> Response:
        """Step 2."""
        sent = received.get(0x81, b"")
        if run.info.mapping is Mapping.INTEGRATED:
            if len(sent) != run.info.suite.key_length:
                return Response(b"", BAD_DATA)
            run.generator = integrated_generator(run.domain, run.info.suite, run.nonce, sent)
            return _dynamic({0x82: b""})
        theirs = run.agreement.received(sent)
        run.map_private = run.agreement.draw_private_key(self._rng)
        ours = run.agreement.power(run.agreement.generator, run.map_private)
        common = run.agreement.power(theirs, run.map_private) if theirs else None
        if common is None or ours is None:
            return Response(b"", BAD_DATA)
        run.generator = generic_generator(run.agreement, run.nonce, common)
        return _dynamic({0x82: self._value(run, ours)})

    def _agree(self, run: _Run, received: Mapped[int, bytes]) -> Response:
        """Step 3."""
        run.theirs = received.get(0x83, b"")
        theirs = run.agreement.received(run.theirs)
        private = run.agreement.draw_private_key(self._rng)
        ours = run.agreement.power(run.generator, private)
        if theirs is None or ours is None or theirs == ours:
            return Response(b"", BAD_DATA)
        run.ours = self._value(run, ours)
        secret, suite = run.agreement.shared_secret(theirs, private), run.info.suite
        encryption, mac = suite.derive_key(secret, ENCRYPTION), suite.derive_key(secret, AUTHENTICATION)
        run.keys = SessionKeys(encryption, mac, 0, suite)
        return _dynamic({0x84: run.ours})

    def _authenticate(self, run: _Run, received: Mapped[int, bytes]) -> Response:
        """Step 4: their token first, then ours, and with CAM the chip's own data."""
        kind = run.password.kind
        if run.keys is None or not macs_match(received.get(0x85, b""), self._token(run, run.keys, run.ours)):
            return self._count_failure(kind)
        if kind in self._tries:
            self._tries[kind] = TRIES[kind]
        objects = {0x86: self._token(run, run.keys, run.theirs)}
        if run.info.mapping is Mapping.CHIP_AUTHENTICATION:
            objects[0x8A] = self._chip_data(run, run.keys)
        self._opened_with, self._agreed = kind, run.keys
        on_curve = isinstance(run.domain, Curve)
        # how terminal authentication names this session: TR-03110-3 §A.2.2.3
        self.compressed_public = (
            run.ours[1 : 1 + len(run.ours) // 2] if on_curve else hashlib.sha1(run.ours, usedforsecurity=False).digest()
        )
        return _dynamic(objects)

    def _count_failure(self, kind: PasswordKind) -> Response:
        """One attempt less where attempts are counted."""
        if kind not in self._tries:
            return Response(b"", AUTHENTICATION_FAILED)
        self._tries[kind] = max(0, self._tries[kind] - 1)
        return Response(b"", 0x63C0 | self._tries[kind])

    def _chip_data(self, run: _Run, keys: SessionKeys) -> bytes:
        """CA_IC = SK_IC to the -1 times SK_Map,IC (§4.4.3.5.1), sealed."""
        if not isinstance(run.domain, Curve) or self._profile.static_key is None:
            raise MalformedFileError("profile", "offers CAM without a curve and a key")
        order = run.domain.n
        factor = pow(self._profile.static_key, -1, order) * run.map_private % order
        return seal_chip_data(keys.suite, keys.encryption, factor.to_bytes((order.bit_length() + 7) // 8, "big"))

    @staticmethod
    def _token(run: _Run, keys: SessionKeys, value: bytes) -> bytes:
        """MAC over 7F49 { OID, public value }, written once more so that a slip in the reader's does not cancel out."""
        body = tlv.encode(0x06, der.encode_object_identifier(run.info.oid))
        body += tlv.encode(0x86 if isinstance(run.domain, Curve) else 0x84, value)
        return keys.suite.token_mac(keys.authentication, tlv.encode(0x7F49, body))

    @staticmethod
    def _value(run: _Run, element: bytes) -> bytes:
        """The element as it travels: a number loses its leading zeros (§9.4.1)."""
        return element if isinstance(run.domain, Curve) else element.lstrip(b"\x00")


def _dynamic(objects: Mapped[int, bytes]) -> Response:
    """Dynamic authentication data."""
    return Response(tlv.encode(0x7C, b"".join(tlv.encode(tag, value) for tag, value in objects.items())), OK)
