"""Password authenticated connection establishment, the terminal's side: Doc 9303-11 §4.4.

Worked through in its appendices G (generic mapping), H (integrated) and I (chip authentication).
"""

from dataclasses import dataclass

from hardware_drivers.errors import AccessDeniedError, MalformedFileError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.cipher_suites import MAC_LENGTH, PASSWORD, CipherSuite
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.domain_parameters import Domain
from hardware_drivers.id_chip.key_agreement import KeyAgreement, agreement_over, integrated_mapping_works
from hardware_drivers.id_chip.keys import AUTHENTICATION, ENCRYPTION, RandomBytes, macs_match
from hardware_drivers.id_chip.modular_groups import GROUPS
from hardware_drivers.id_chip.pace_mapping import (
    MappingProof,
    generic_generator,
    integrated_generator,
    integrated_nonce_length,
    open_chip_data,
)
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.secure_messaging import SecureChannel, SessionKeys
from hardware_drivers.id_chip.security_infos import Agreement, Mapping, PaceInfo, SecurityInfos, parse_security_infos
from hardware_drivers.smartcard.apdu import SHORT_NE_MAX, Command, Response
from hardware_drivers.smartcard.channel import Channel

VERSION = 2  # §9.2.1: MUST be 2; version 1 was never in a passport
DYNAMIC_AUTHENTICATION_DATA = 0x7C  # §4.4.5, table 4, from here on
ENCRYPTED_NONCE, MAPPING_OUT, MAPPING_IN, KEY_OUT, KEY_IN, TOKEN_OUT, TOKEN_IN = (
    0x80,
    0x81,
    0x82,
    0x83,
    0x84,
    0x85,
    0x86,
)
AUTHORITY_REFERENCES = (0x87, 0x88)
SEALED_CHIP_DATA = 0x8A
PUBLIC_KEY_TEMPLATE, OBJECT_IDENTIFIER = 0x7F49, 0x06  # §9.4
CHAINED = 0x10  # ISO/IEC 7816-4:2020 §5.4.1: more commands of this chain follow
LONG_NE = 512  # a 2048-bit number with its tags is 264 bytes: the one answer that wants extended length (§9.3.1.2)
SHORT_ELEMENT_MAX = 240
NONCE_LENGTHS = range(8, 65)  # §4.4.3.3: whole blocks, as many as the chip likes; libeac sends one, eight bytes of 3DES
AUTHORITY_REFERENCE_MAX = 16  # Doc 9303-12 §7.1.2
PUBLIC_VALUES_DRAWN_MAX = 64  # a chance of 1 in 256 each to draw once more
RUNS_MAX = 3  # one in 256 runs over a prime group is worth repeating
BLOCKED = {0x6983, 0x63C0}  # ISO/IEC 7816-4:2020 table 6
# What chips answer to a token made with the wrong password: §4.4.4.2 says 6300, 63Cx counts, the rest is in the field.
REFUSALS = {0x6300, 0x6982, 0x6985, 0x6988, 0x6A80}
MAPPING_ORDER = (Mapping.CHIP_AUTHENTICATION, Mapping.GENERIC, Mapping.INTEGRATED)


@dataclass(frozen=True, slots=True)
class PaceSession:
    """A chip opened by PACE.

    Attributes:
        channel: Secure messaging under the new keys, over the cable itself.
        info: The way that was taken.
        proof: With chip authentication mapping, what is to be held against the key in EF.CardSecurity.
        authority_references: Holder names of the CVCA keys the chip trusts, the latest first, where it told them.
        tries_left: What the chip said is left of a PIN's or PUK's attempts before this one; None when it said nothing.
        chip_public: The chip's ephemeral key, by which terminal authentication names this very session.
    """

    channel: SecureChannel
    info: PaceInfo
    proof: MappingProof | None
    authority_references: tuple[bytes, ...]
    tries_left: int | None
    chip_public: bytes


def establish_pace(
    channel: Channel, password: PacePassword, card_access: bytes, rng: RandomBytes, *, spend_last_try: bool = False
) -> PaceSession:
    """Open the chip, in the best way that it and we both know.

    Args:
        channel: Plain, or secure already: a suspended PIN is tried inside a session opened with the CAN.
        card_access: EF.CardAccess as read, from the Master File. Nobody has signed it; compare with DG14 afterwards
            (`SecurityInfos.offers_the_same_pace`).
        spend_last_try: Go on although the chip says that one attempt is left before the PIN or PUK is blocked.

    Raises:
        AccessDeniedError: Wrong password, or none left to try; `tries_left` where the chip tells.
        MalformedFileError: EF.CardAccess is broken or offers nothing that we know.
        StatusError: The chip refused a step that has nothing to do with the password.
        TamperedAnswerError: An answer is out of protocol: points off the curve, our own key sent back, a wrong token.
    """
    infos = parse_security_infos(card_access)
    info, domain = choose(infos)
    return run_pace(channel, password, info, domain, rng, name_domain=ambiguous(infos), spend_last_try=spend_last_try)


def choose(infos: SecurityInfos) -> tuple[PaceInfo, Domain]:
    """The best way on offer: AES before 3DES, then CAM, GM, IM, then curves, then the chip's own order."""
    usable = []
    for position, info in enumerate(infos.pace):
        domain = infos.pace_domain(info)
        if info.version != VERSION or domain is None or not _trustworthy(domain, info.agreement):
            continue
        if info.mapping is Mapping.INTEGRATED and not integrated_mapping_works(domain):
            continue
        if info.mapping is Mapping.CHIP_AUTHENTICATION and info.suite is CipherSuite.TDES:
            continue  # §4.4.3: there is no such thing
        rank = (
            info.suite is CipherSuite.TDES,
            MAPPING_ORDER.index(info.mapping),
            info.agreement is Agreement.DH,
            position,
        )
        usable.append((rank, info, domain))
    if not usable:
        raise MalformedFileError("EF.CardAccess", f"none of {len(infos.pace)} ways to PACE is known")
    _, best, domain = min(usable, key=lambda one: one[0])
    return best, domain


def _trustworthy(domain: Domain, agreement: Agreement) -> bool:
    """Whether a password may be staked on these parameters, which nobody has signed.

    Spelled-out numbers of the sender's own choosing could make logarithms easy, and one heard token would then do to
    try all passwords at leisure. Curves are only ever ours (`curves`); of prime groups, the three standard ones.
    """
    if isinstance(domain, Curve):
        return agreement is Agreement.ECDH
    return agreement is Agreement.DH and domain in GROUPS


def ambiguous(infos: SecurityInfos) -> bool:
    """Whether the chip has more than one set of domain parameters, so that ours must be named (§4.4.4.1)."""
    return len({info.parameter_id for info in infos.pace}) > 1


def run_pace(
    channel: Channel,
    password: PacePassword,
    info: PaceInfo,
    domain: Domain,
    rng: RandomBytes,
    *,
    name_domain: bool = False,
    spend_last_try: bool = False,
) -> PaceSession:
    """PACE in one given way, step by step as in §4.4.1; arguments and errors as for `establish_pace`."""
    agreement = agreement_over(domain)
    for _ in range(RUNS_MAX):
        template = _template(password, info, name_domain=name_domain)
        ask = _chain_link(agreement, {}, last=False)
        # one journey for both, unless the first answer may forbid the second: a counted secret's last try
        answers = channel.transmit_many([template] if password.counted else [template, ask])
        tries_left = _judge_template(answers[0].sw, password, spend_last_try=spend_last_try)
        begun = answers[1] if len(answers) > 1 else channel.transmit(ask)
        nonce = _decrypt_nonce(info, password, _only(_objects_in(begun, last=False), ENCRYPTED_NONCE))
        generator, mapping_key = _map(channel, info, domain, nonce, rng)
        ours, theirs, secret = _agree(channel, agreement, generator, rng)
        if secret[0] or isinstance(domain, Curve) or password.counted:
            break
        # A prime group's secret that begins with zero is shortened by some (libeac) and not by others (PKCS #3). No
        # token has been sent, so nothing is lost by beginning again.
    keys = SessionKeys(
        info.suite.derive_key(secret, ENCRYPTION), info.suite.derive_key(secret, AUTHENTICATION), 0, info.suite
    )
    last = _exchange_tokens(channel, agreement, info, keys, ours, theirs)
    return PaceSession(
        SecureChannel(channel.inner if isinstance(channel, SecureChannel) else channel, keys),
        info,
        _proof(info, domain, keys, mapping_key, last),
        tuple(found.value for found in last if found.tag in AUTHORITY_REFERENCES),
        tries_left,
        theirs,
    )


def authentication_token(agreement: KeyAgreement, info: PaceInfo, mac_key: bytes, public_value: bytes) -> bytes:
    """MAC over the other side's public key (§4.4.3.4)."""
    identifier = tlv.encode(OBJECT_IDENTIFIER, der.encode_object_identifier(info.oid))
    value = tlv.encode(agreement.public_key_tag, public_value)
    return info.suite.token_mac(mac_key, tlv.encode(PUBLIC_KEY_TEMPLATE, identifier + value))


def _template(password: PacePassword, info: PaceInfo, *, name_domain: bool) -> Command:
    """MSE:Set AT (§4.4.4.1)."""
    content = tlv.encode(0x80, der.encode_object_identifier(info.oid)) + tlv.encode(0x83, bytes((password.kind,)))
    if name_domain and info.parameter_id is not None:
        length = max(1, (info.parameter_id.bit_length() + 7) // 8)
        content += tlv.encode(0x84, info.parameter_id.to_bytes(length, "big"))
    return Command(0x00, 0x22, 0xC1, 0xA4, content)


def _judge_template(sw: int, password: PacePassword, *, spend_last_try: bool) -> int | None:
    """How many attempts the chip says are left; raises where it does not let us try."""
    if sw in BLOCKED:
        raise AccessDeniedError(f"status {sw:04X}: {password.kind.name} is blocked", tries_left=0)
    if sw & 0xFFF0 == 0x63C0:
        # TR-03110-3 §B.11.1: the count rides on a warning, the way is set all the same
        left = sw & 0xF
        if left == 1 and password.counted and not spend_last_try:
            raise AccessDeniedError(f"status {sw:04X}: only one try of the {password.kind.name} left", tries_left=1)
        return left
    if sw != 0x9000:
        raise StatusError(sw, "MSE:Set AT for PACE")
    return None


def _authenticate(
    channel: Channel, agreement: KeyAgreement, sent: dict[int, bytes], wanted: int, *, last: bool = False
) -> bytes:
    """One GENERAL AUTHENTICATE of the chain, and the one object that it is to bring (§4.4.4.2)."""
    return _only(_general_authenticate(channel, agreement, sent, last=last), wanted)


def _only(objects: list[tlv.Tlv], wanted: int) -> bytes:
    """The one object that a step is to bring."""
    for found in objects:
        if found.tag == wanted:
            return found.value
    if wanted == MAPPING_IN and not objects:
        return b""  # integrated mapping brings an empty one (§4.4.5.2.2), or some chips none
    raise TamperedAnswerError(f"PACE step without its object {wanted:02X}")


def _general_authenticate(
    channel: Channel, agreement: KeyAgreement, sent: dict[int, bytes], *, last: bool
) -> list[tlv.Tlv]:
    """One command of the chain, and all objects of its answer."""
    return _objects_in(channel.transmit(_chain_link(agreement, sent, last=last)), last=last)


def _chain_link(agreement: KeyAgreement, sent: dict[int, bytes], *, last: bool) -> Command:
    """One GENERAL AUTHENTICATE (§4.4.4.2)."""
    content = b"".join(tlv.encode(tag, value) for tag, value in sent.items())
    ne = SHORT_NE_MAX if len(agreement.generator) <= SHORT_ELEMENT_MAX else LONG_NE
    cla = 0x00 if last else CHAINED
    return Command(cla, 0x86, 0x00, 0x00, tlv.encode(DYNAMIC_AUTHENTICATION_DATA, content), ne=ne)


def _objects_in(answer: Response, *, last: bool) -> list[tlv.Tlv]:
    """All objects of an answer in the chain, each tag once."""
    if last and (answer.sw in REFUSALS or answer.sw & 0xFFF0 == 0x63C0):
        tries_left = answer.sw & 0xF if answer.sw & 0xFFF0 == 0x63C0 else None
        raise AccessDeniedError(f"status {answer.sw:04X} to the token of PACE", tries_left=tries_left)
    if answer.sw in BLOCKED:
        raise AccessDeniedError(f"status {answer.sw:04X} during PACE: blocked", tries_left=0)
    if answer.sw != 0x9000:
        raise StatusError(answer.sw, "GENERAL AUTHENTICATE of PACE")
    try:
        objects = tlv.parse_all(tlv.only(answer.data, DYNAMIC_AUTHENTICATION_DATA))
    except MalformedFileError as error:
        raise TamperedAnswerError(f"PACE answer is no list of data objects: {error}") from error
    if len({found.tag for found in objects}) != len(objects):
        raise TamperedAnswerError("data object twice in an answer of PACE")
    return objects


def _decrypt_nonce(info: PaceInfo, password: PacePassword, encrypted: bytes) -> bytes:
    """The nonce s; with a wrong password another one, which only the tokens will show (§4.4.3.3)."""
    wrong_length = (
        len(encrypted) != integrated_nonce_length(info.suite)
        if info.mapping is Mapping.INTEGRATED
        else len(encrypted) not in NONCE_LENGTHS or len(encrypted) % info.suite.block
    )
    if wrong_length:
        raise TamperedAnswerError(f"nonce of {len(encrypted)} bytes")
    return info.suite.decrypt(info.suite.derive_key(password.seed, PASSWORD), encrypted)


def _map(channel: Channel, info: PaceInfo, domain: Domain, nonce: bytes, rng: RandomBytes) -> tuple[bytes, bytes]:
    """The fresh generator, and the chip's mapping key where the mapping has one (§4.4.3.3)."""
    if info.mapping is Mapping.INTEGRATED:
        return _map_integrated(channel, info, domain, nonce, rng), b""
    return _map_generic(channel, agreement_over(domain), nonce, rng)


def _map_generic(channel: Channel, agreement: KeyAgreement, nonce: bytes, rng: RandomBytes) -> tuple[bytes, bytes]:
    """The generator and the chip's public key of generic mapping (§4.4.3.3.1), which CAM shares."""
    private_key, ours = _fresh_pair(agreement, agreement.generator, rng)
    sent = _authenticate(channel, agreement, {MAPPING_OUT: ours}, MAPPING_IN)
    theirs = _checked(agreement, sent, ours)
    common = agreement.power(theirs, private_key)
    if common is None:
        raise TamperedAnswerError("mapping key of low order")
    return generic_generator(agreement, nonce, common), theirs


def _map_integrated(channel: Channel, info: PaceInfo, domain: Domain, nonce: bytes, rng: RandomBytes) -> bytes:
    """The generator of integrated mapping (§4.4.3.3.2)."""
    terminal_nonce = rng(info.suite.key_length)
    _authenticate(channel, agreement_over(domain), {MAPPING_OUT: terminal_nonce}, MAPPING_IN)
    return integrated_generator(domain, info.suite, nonce, terminal_nonce)


def _agree(channel: Channel, agreement: KeyAgreement, generator: bytes, rng: RandomBytes) -> tuple[bytes, bytes, bytes]:
    """Our public value, the chip's as it came, and the shared secret (§4.4.1, step 3)."""
    private_key, ours = _fresh_pair(agreement, generator, rng)
    sent = _authenticate(channel, agreement, {KEY_OUT: ours}, KEY_IN)
    return ours, sent, agreement.shared_secret(_checked(agreement, sent, ours), private_key)


def _fresh_pair(agreement: KeyAgreement, generator: bytes, rng: RandomBytes) -> tuple[int, bytes]:
    """A private key and its public value.

    Public values that begin with a zero byte are drawn again: the standard sends and signs numbers without leading
    zeros (§9.4.1), not every chip does, and without any there is nothing to disagree on.
    """
    for _ in range(PUBLIC_VALUES_DRAWN_MAX):
        private_key = agreement.draw_private_key(rng)
        public_value = agreement.power(generator, private_key)
        if public_value is not None and public_value[0]:
            return private_key, public_value
    raise ValueError("the source of randomness repeats itself")


def _checked(agreement: KeyAgreement, sent: bytes, ours: bytes) -> bytes:
    """The chip's public value, when it is one and not our own (§4.4.1, step 3 d)."""
    theirs = agreement.received(sent)
    if theirs is None:
        raise TamperedAnswerError("public key of the chip is off its curve or outside its group")
    if macs_match(theirs, ours):
        raise TamperedAnswerError("the chip sent our own public key back")
    return theirs


def _exchange_tokens(
    channel: Channel, agreement: KeyAgreement, info: PaceInfo, keys: SessionKeys, ours: bytes, theirs: bytes
) -> list[tlv.Tlv]:
    """Mutual authentication (§4.4.1, step 3 f), and all that the last answer brought."""
    token = authentication_token(agreement, info, keys.authentication, theirs)
    last = _general_authenticate(channel, agreement, {TOKEN_OUT: token}, last=True)
    expected = authentication_token(agreement, info, keys.authentication, ours)
    answered = next((found.value for found in last if found.tag == TOKEN_IN), b"")
    if len(answered) != MAC_LENGTH or not macs_match(answered, expected):
        raise TamperedAnswerError("the chip's token does not hold: it does not know the password")
    if any(len(found.value) > AUTHORITY_REFERENCE_MAX for found in last if found.tag in AUTHORITY_REFERENCES):
        raise TamperedAnswerError("certification authority reference beyond its length")
    return last


def _proof(
    info: PaceInfo, domain: Domain, keys: SessionKeys, mapping_key: bytes, last: list[tlv.Tlv]
) -> MappingProof | None:
    """The chip authentication data of CAM, which must be there with it and not without (§4.4.5)."""
    sealed = next((found.value for found in last if found.tag == SEALED_CHIP_DATA), None)
    if info.mapping is not Mapping.CHIP_AUTHENTICATION:
        if sealed is not None:
            raise TamperedAnswerError("chip authentication data without its mapping")
        return None
    if sealed is None or not isinstance(domain, Curve):
        raise TamperedAnswerError("chip authentication mapping without its data")
    return MappingProof(domain, mapping_key, open_chip_data(info.suite, keys.encryption, sealed, domain))
