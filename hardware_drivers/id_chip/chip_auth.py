"""Chip authentication, versions 1 and 2: Doc 9303-11 §6.2, BSI TR-03110-1 §3.4 and TR-03110-3 §A.4.

The chip holds a static key whose public half is signed in DG14. Terminal and chip agree on new session keys; a copy of
the files cannot follow, because it lacks the private half.

**What the evidence is worth.** Nothing is signed here: whoever knows the terminal's ephemeral private key can compute
the session keys alone, and with them every "answer of the chip". So a proof convinces exactly those who know that the
ephemeral key was not in a liar's hands:

| who made the ephemeral key            | a copied chip at an honest terminal | a lying terminal without the chip |
|---------------------------------------|-------------------------------------|-----------------------------------|
| the reading terminal (`salt` present) | found out                           | NOT found out                     |
| the counter (`Offer`, `salt` empty)   | found out                           | found out                         |
| active authentication, for comparison | found out                           | found out                         |

Binding the terminal's key to the counter's challenge (`ephemeral_key`: challenge and salt) makes evidence of one visit
useless in another and lets anybody recompute an honest run; it does not stop a liar, who knows challenge and salt.
The same holds for PACE with chip authentication mapping: its transcript is made up by choosing the chip authentication
data first and multiplying. None of these binds place: all of them can be carried over a relay.

So the counter believes, in this order: its own run (`CounterTerminal`; it hands out a public key and one protected
command after seeing DG14, and keeps the private key), active authentication over its challenge, and calls a terminal's
own run what it is: the terminal's word.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.cipher_suites import CipherSuite
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.domain_parameters import AgreementKey, Domain
from hardware_drivers.id_chip.evidence import PROTOCOL_BYTES_MAX, ChipAuthenticationProof
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.keys import AUTHENTICATION, ENCRYPTION, RandomBytes, macs_match
from hardware_drivers.id_chip.secure_messaging import SessionKeys
from hardware_drivers.id_chip.security_infos import (
    BSI,
    Agreement,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKeyInfo,
    SecurityInfos,
    parse_dg14,
)
from hardware_drivers.smartcard.apdu import Command, Response
from hardware_drivers.smartcard.channel import Channel

SALT_LENGTH = 32
PUBLIC_VALUES_DRAWN_MAX = 64  # as in PACE: one in 256 is drawn again, so only a made-up group gets here
LABEL = b"visual counter, ephemeral key of chip authentication"
# AES-256 first; elliptic curves before prime fields, which cost chips seconds
PREFERENCE = (CipherSuite.AES_256, CipherSuite.AES_192, CipherSuite.AES_128, CipherSuite.TDES)
PLAIN_OID = {Agreement.DH: f"{BSI}.3.1.1", Agreement.ECDH: f"{BSI}.3.2.1"}  # 3DES, Doc 9303-11 §9.2.5
VERSIONS = (1, 2)  # 3 is for pseudonyms (TR-03110-2 §3.4.2), no document here
NONCE, TOKEN = 0x81, 0x82  # version 2's answer, TR-03110-3 §B.2
NONCE_LENGTH, TOKEN_LENGTH = 8, 8
DG1_FIRST = Command(0x00, 0xB0, 0x81, 0x00, ne=0xDF)  # what a counter asks under its own keys: 223 bytes, short


@dataclass(frozen=True, slots=True)
class ChipKey:
    """One static key of the chip and the protocol to run with it."""

    oid: str
    agreement: Agreement
    suite: CipherSuite
    key_id: int | None
    public: AgreementKey
    version: int = 1


@dataclass(frozen=True, slots=True)
class EphemeralKey:
    """The terminal's side of one run."""

    domain: Domain
    private: int = field(repr=False)
    public: bytes


def chip_keys(infos: SecurityInfos) -> list[ChipKey]:
    """Every way this chip can prove itself, best first; empty when DG14 offers none that we know.

    A key without its ChipAuthenticationInfo means plain 3DES (Doc 9303-11 §9.2.5).
    """
    found: list[ChipKey] = []
    for info in infos.chip_authentication:
        key = infos.chip_key(info.key_id)
        if key is not None and key.agreement is info.agreement and info.version in VERSIONS:
            found.append(_chip_key(info, key))
    named = {(key.agreement, key.key_id) for key in found}
    for key in infos.chip_keys:
        if not infos.chip_authentication and (key.agreement, key.key_id) not in named:
            oid = PLAIN_OID[key.agreement]
            found.append(ChipKey(oid, key.agreement, CipherSuite.TDES, key.key_id, key.key))
    return sorted(found, key=lambda one: (one.version, PREFERENCE.index(one.suite), one.agreement is Agreement.DH))


def chip_key_of(infos: SecurityInfos, oid: str, key_id: int | None) -> ChipKey | None:
    """The way that a proof says was taken, if DG14 offers it."""
    return next((key for key in chip_keys(infos) if (key.oid, key.key_id) == (oid, key_id)), None)


def _chip_key(info: ChipAuthenticationInfo, key: ChipAuthenticationPublicKeyInfo) -> ChipKey:
    """Both halves of DG14 together; the id counts only where the info gives one."""
    return ChipKey(info.oid, info.agreement, info.suite, info.key_id, key.key, info.version)


def ephemeral_key(domain: Domain, secret: bytes, salt: bytes) -> EphemeralKey:
    """The ephemeral key that follows from a secret (or a challenge) and a salt.

    Drawn from SHAKE256 over label, domain, length of the secret, secret and salt; drawn again while the public value
    begins with a zero byte, because chips disagree on whether to send it (pace.py draws its own the same way). The
    domain is part of the seed so that one secret has unrelated keys on different curves: whoever asks for an offer in a
    group that he can break would otherwise learn the key on the chip's own curve.
    """
    agreement = agreement_over(domain)
    stream = _Stream(LABEL + _name_of(domain) + len(secret).to_bytes(2, "big") + secret + salt)
    for _ in range(PUBLIC_VALUES_DRAWN_MAX):
        private = agreement.draw_private_key(stream.take)
        public = agreement.power(agreement.generator, private)
        if public is not None and public[0]:
            return EphemeralKey(domain, private, public)
    raise MalformedFileError("chip authentication", "a group made of small numbers")


def shared_secret(key: AgreementKey, private: int) -> bytes:
    """What both sides come to from the chip's key, which was checked when it was parsed."""
    return agreement_over(key.domain).shared_secret(key.element, private)


def _name_of(domain: Domain) -> bytes:
    """Bytes that no two domains share."""
    numbers = (domain.p, domain.a, domain.b, domain.x, domain.y) if isinstance(domain, Curve) else (domain.p, domain.g)
    return tlv.encode(der.SEQUENCE, b"".join(der.encode_unsigned(number) for number in numbers))


class _Stream:
    """SHAKE256 of a seed as a source of bytes that never repeats."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._taken = 0

    def take(self, count: int) -> bytes:
        """The next so many."""
        begin, self._taken = self._taken, self._taken + count
        return hashlib.shake_256(self._seed).digest(self._taken)[begin:]


def session_keys(suite: CipherSuite, secret: bytes, nonce: bytes = b"") -> SessionKeys:
    """Keys after chip authentication, counter at zero; version 2 mixes in the chip's nonce (TR-03110-3 §A.2.3)."""
    return SessionKeys(
        suite.derive_key(secret + nonce, ENCRYPTION), suite.derive_key(secret + nonce, AUTHENTICATION), 0, suite
    )


def token(keys: SessionKeys, oid: str, domain: Domain, terminal_public: bytes) -> bytes:
    """The chip's authentication token of version 2: MAC over the terminal's public key object (TR-03110-3 §A.2.4)."""
    tag = agreement_over(domain).public_key_tag
    described = tlv.encode(0x06, der.encode_object_identifier(oid)) + tlv.encode(tag, terminal_public)
    return keys.suite.token_mac(keys.authentication, tlv.encode(0x7F49, described))


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the chip's answer to the terminal's public key was.

    Attributes:
        version_2: Nonce and token as the chip wrapped them, empty after version 1.
    """

    version_2: bytes


def send_ephemeral(channel: Channel, key: ChipKey, terminal_public: bytes) -> Agreed | None:
    """Tell the chip the terminal's public key; from its answer on both have new keys.

    None where it refuses and the old keys stay in force; `StatusError` where it drops them.
    """
    reference = b"" if key.key_id is None else tlv.encode(0x84, _number(key.key_id))
    if key.suite is CipherSuite.TDES:  # MSE:Set KAT, Doc 9303-11 §6.2.4.1
        answer = channel.transmit(Command(0x00, 0x22, 0x41, 0xA6, tlv.encode(0x91, terminal_public) + reference))
        if answer.sw != 0x9000:
            return None
        return Agreed(b"")
    protocol = tlv.encode(0x80, der.encode_object_identifier(key.oid))
    wrapped = tlv.encode(0x7C, tlv.encode(0x80, terminal_public))
    answers = channel.transmit_many(  # one journey: the second is only sent where the first was taken
        [
            Command(0x00, 0x22, 0x41, 0xA4, protocol + reference),  # §6.2.4.2
            Command(0x00, 0x86, 0x00, 0x00, wrapped, ne=256),
        ]
    )
    answer = answers[-1]
    if len(answers) != 2 or answer.sw != 0x9000:
        return None
    dynamic = tlv.parse_all(tlv.only(answer.data, 0x7C)) if answer.data else []
    return Agreed(answer.data if dynamic else b"")


def keys_after(key: ChipKey, ephemeral: EphemeralKey, agreed: Agreed) -> SessionKeys:
    """The new session keys; `TamperedAnswerError` when the token of version 2 does not hold."""
    secret = shared_secret(key.public, ephemeral.private)
    if not agreed.version_2:
        return session_keys(key.suite, secret)
    dynamic = tlv.parse_all(tlv.only(agreed.version_2, 0x7C))
    nonce, given = tlv.pick(dynamic, NONCE), tlv.pick(dynamic, TOKEN)
    if len(nonce) != NONCE_LENGTH or len(given) != TOKEN_LENGTH:
        raise MalformedFileError("chip authentication", "nonce or token of another length")
    keys = session_keys(key.suite, secret, nonce)
    if not macs_match(token(keys, key.oid, key.public.domain, ephemeral.public), given):
        raise TamperedAnswerError("the chip's token does not hold: it lacks the private key")
    return keys


class ProofState(StrEnum):
    """What a proof comes to."""

    HOLDS = "holds"
    OTHER_CHALLENGE = "other_challenge"
    WRONG = "wrong"


def proof_state(proof: ChipAuthenticationProof, key: ChipKey, secret: bytes, dg1: bytes) -> ProofState:
    """Whether the answer in this proof was made with the chip's key (see the module's text for what that is worth).

    Args:
        secret: The challenge, or the counter's secret where the proof has no salt.
        dg1: As in the evidence; what was read under the new keys must be of it.
    """
    ephemeral = ephemeral_key(key.public.domain, secret, proof.salt)
    if not macs_match(ephemeral.public, proof.terminal_public):
        return ProofState.OTHER_CHALLENGE
    try:
        if not proof.command:  # version 2: the token is the proof
            token_given = bool(proof.answer)
            keys_after(key, ephemeral, Agreed(proof.answer))
            return ProofState.HOLDS if token_given else ProofState.WRONG
        keys = session_keys(key.suite, shared_secret(key.public, ephemeral.private))
        keys.send_sequence_counter = 1  # the command was the first message
        opened = keys.open(Response.parse(proof.answer))
    except (MalformedFileError, StatusError, TamperedAnswerError):
        return ProofState.WRONG
    read = opened.sw in (0x9000, 0x6282) and bool(opened.data) and dg1.startswith(opened.data)
    return ProofState.HOLDS if read else ProofState.WRONG


@dataclass(slots=True)
class Witness:
    """A channel that remembers the first exchange that passes, as bytes."""

    inner: Channel
    command: bytes = b""
    answer: bytes = b""

    def transmit(self, command: Command) -> Response:
        """Pass it on."""
        answer = self.inner.transmit(command)
        self._remember(command, answer)
        return answer

    def transmit_many(self, commands: Sequence[Command]) -> list[Response]:
        """Pass them on."""
        answers = self.inner.transmit_many(commands)
        if commands and answers:
            self._remember(commands[0], answers[0])
        return answers

    def _remember(self, command: Command, answer: Response) -> None:
        """Keep the first, and of a chip that sends megabytes only as much as a proof can need."""
        if not self.command:
            self.command, self.answer = command.encode(), answer.encode()[:PROTOCOL_BYTES_MAX]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a counter hands to the terminal that has the chip: a public key, and the first command under new keys.

    Attributes:
        command: Protected for the session that only counter and chip can have; empty for version 2.
    """

    oid: str
    key_id: int | None
    terminal_public: bytes
    command: bytes


@dataclass(frozen=True, slots=True)
class CounterTerminal:
    """The counter's side of its own run.

    Attributes:
        secret: 32 random bytes that the counter keeps and never sends anywhere; one per visit.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def create(cls, rng: RandomBytes) -> "CounterTerminal":
        """A fresh one."""
        return cls(rng(32))

    def offer(self, dg14: bytes) -> Offer | None:
        """What to say to the chip with this DG14; None when it has no key of its own.

        The file need not be believed yet: the proof counts only once the same file's hash was found signed. One secret
        is to answer for one DG14 only, so that nobody can probe it with elements of his choice.
        """
        keys = chip_keys(parse_dg14(dg14))
        if not keys:
            return None
        key = keys[0]
        ephemeral = ephemeral_key(key.public.domain, self.secret, b"")
        secret = shared_secret(key.public, ephemeral.private)
        command = session_keys(key.suite, secret).protect(DG1_FIRST).encode()
        return Offer(key.oid, key.key_id, ephemeral.public, command)


def run_offer(secure: Channel, plain: Channel, key: ChipKey, offer: Offer) -> ChipAuthenticationProof | None:
    """Carry a counter's run to the chip and its answer back; ends the present session.

    None where the chip refuses; `StatusError` where it also drops the session.
    """
    agreed = send_ephemeral(secure, key, offer.terminal_public)
    if agreed is None:
        return None
    if agreed.version_2:
        return ChipAuthenticationProof(offer.oid, offer.key_id, b"", offer.terminal_public, b"", agreed.version_2)
    answer = plain.transmit(Command.parse(offer.command))
    return ChipAuthenticationProof(offer.oid, offer.key_id, b"", offer.terminal_public, offer.command, answer.encode())


def _number(key_id: int) -> bytes:
    """A key reference in its shortest form."""
    return key_id.to_bytes(max(1, (key_id.bit_length() + 7) // 8), "big")
