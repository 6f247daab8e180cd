"""Spelling of age's keys: Bech32 of BIP 173 without its limit of 90 letters, as age v1 prescribes."""

from counter_server.records.errors import WrongKeyError

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # BIP 173
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM_LETTERS = 6


def encode(prefix: str, raw: bytes) -> str:
    """Prefix, "1", the bytes in letters of five bits each, and a checksum."""
    bits = int.from_bytes(raw, "big") << (-len(raw) * 8 % 5)
    count = -(-len(raw) * 8 // 5)
    values = [bits >> 5 * (count - 1 - index) & 31 for index in range(count)]
    check = _polymod([*_expand(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - index) & 31 for index in range(CHECKSUM_LETTERS)]
    return prefix + "1" + "".join(LETTERS[value] for value in values)


def decode(spelling: str) -> tuple[str, bytes]:
    """Prefix in small letters and the bytes; `WrongKeyError` when a letter or the checksum is wrong."""
    if spelling != spelling.lower() and spelling != spelling.upper():
        raise WrongKeyError("mixed case in a key")
    prefix, _, letters = spelling.lower().rpartition("1")
    if not prefix or len(letters) < CHECKSUM_LETTERS or any(letter not in LETTERS for letter in letters):
        raise WrongKeyError("not a bech32 key")
    values = [LETTERS.index(letter) for letter in letters]
    if _polymod(_expand(prefix) + values) != 1:
        raise WrongKeyError("a letter of the key is wrong")
    bits = 0
    for value in values[:-CHECKSUM_LETTERS]:
        bits = bits << 5 | value
    spare = (len(values) - CHECKSUM_LETTERS) * 5 % 8
    if bits & ((1 << spare) - 1):
        raise WrongKeyError("key has stray bits")
    return prefix, (bits >> spare).to_bytes((len(values) - CHECKSUM_LETTERS) * 5 // 8, "big")


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check


def _expand(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
