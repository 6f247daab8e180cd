"""Basic access control: Doc 9303-11 §4.3, worked through in its Appendix D."""

import hashlib
from dataclasses import dataclass

from hardware_drivers.errors import AccessDeniedError, StatusError, TamperedAnswerError
from hardware_drivers.id_chip.keys import (
    AUTHENTICATION,
    BLOCK,
    ENCRYPTION,
    RandomBytes,
    decrypt,
    derive_key,
    encrypt,
    macs_match,
    pad,
    retail_mac,
)
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.secure_messaging import SecureChannel, SessionKeys
from hardware_drivers.smartcard.apdu import Command
from hardware_drivers.smartcard.channel import Channel

NONCE_LENGTH = 8
KEY_LENGTH = 16
CRYPTOGRAM_LENGTH = 32
GET_CHALLENGE = Command(0x00, 0x84, 0x00, 0x00, ne=NONCE_LENGTH)
# What chips answer to EXTERNAL AUTHENTICATE with a wrong key: Doc 9303-11 §4.3.4.1 says 6300; 6982, 6985, 63Cx and
# 6988 are in the field as well.
REFUSALS = {0x6300, 0x6982, 0x6985, 0x6988}


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The document basic access keys, from the printed zone alone (§9.7.2)."""

    encryption: bytes
    authentication: bytes


def access_keys(key: MrzKey) -> AccessKeys:
    """Keys from number, birth and expiry."""
    seed = hashlib.sha1(key.mrz_information(), usedforsecurity=False).digest()[:KEY_LENGTH]
    return AccessKeys(derive_key(seed, ENCRYPTION), derive_key(seed, AUTHENTICATION))


def session_keys(ours: bytes, theirs: bytes, rnd_ic: bytes, rnd_ifd: bytes) -> SessionKeys:
    """Keys and counter from both halves of key material and both nonces (§9.7.3, §9.8.6.3)."""
    seed = bytes(one ^ other for one, other in zip(ours, theirs, strict=True))
    counter = int.from_bytes(rnd_ic[-4:] + rnd_ifd[-4:], "big")
    return SessionKeys(derive_key(seed, ENCRYPTION), derive_key(seed, AUTHENTICATION), counter)


def seal(keys: AccessKeys, plain: bytes) -> bytes:
    """E and M of §4.3.3: cryptogram and its MAC, 40 bytes."""
    cryptogram = encrypt(keys.encryption, plain)
    return cryptogram + retail_mac(keys.authentication, pad(cryptogram))


def unseal(keys: AccessKeys, sealed: bytes) -> bytes | None:
    """The 32 bytes inside, or None when the MAC does not hold: the other side has other keys."""
    cryptogram, mac = sealed[:CRYPTOGRAM_LENGTH], sealed[CRYPTOGRAM_LENGTH:]
    if len(mac) != BLOCK or not macs_match(retail_mac(keys.authentication, pad(cryptogram)), mac):
        return None
    return decrypt(keys.encryption, cryptogram)


def open_by_bac(channel: Channel, key: MrzKey, rng: RandomBytes) -> SecureChannel:
    """A channel under session keys, once both sides have shown that they know what is printed.

    Raises:
        AccessDeniedError: The chip refused; what was typed is not this document's zone.
        StatusError: The chip refused to begin.
        TamperedAnswerError: It answered, but not as one who knows the key and heard our nonce.
    """
    keys = access_keys(key)
    challenge = channel.transmit(GET_CHALLENGE)
    if challenge.sw != 0x9000:
        raise StatusError(challenge.sw, "GET CHALLENGE")
    if len(challenge.data) != NONCE_LENGTH:
        raise TamperedAnswerError(f"challenge of {len(challenge.data)} bytes")
    rnd_ic, rnd_ifd, k_ifd = challenge.data, rng(NONCE_LENGTH), rng(KEY_LENGTH)
    answer = channel.transmit(Command(0x00, 0x82, 0x00, 0x00, seal(keys, rnd_ifd + rnd_ic + k_ifd), ne=40))
    if answer.sw in REFUSALS or answer.sw & 0xFFF0 == 0x63C0:
        raise AccessDeniedError(f"status {answer.sw:04X}")
    if answer.sw != 0x9000:
        raise StatusError(answer.sw, "EXTERNAL AUTHENTICATE")
    plain = unseal(keys, answer.data)
    if plain is None or plain[:8] != rnd_ic or plain[8:16] != rnd_ifd:
        raise TamperedAnswerError("the chip's half of basic access does not hold")
    return SecureChannel(channel, session_keys(k_ifd, plain[16:], rnd_ic, rnd_ifd))
