"""Which keys and hashes are too weak to be believed: a table in TOML, so that it can change without the code."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Self

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.signatures import EcKey, PublicKey

FILE_NAME = "algorithm_policy.toml"
SHIPPED = Path(__file__).with_name(FILE_NAME)


class Role(StrEnum):
    """Whose key or hash it is."""

    AUTHORITY = "authority"  # the country's, over the signer's certificate
    SIGNER = "signer"  # the document signer's, over the security object
    CONTENT = "content"  # over the data groups
    CHIP = "chip"  # the chip's own, for active authentication


@dataclass(frozen=True, slots=True)
class AlgorithmUse:
    """One use of one algorithm.

    Attributes:
        what: `rsa`, `ec`, `rsa_exponent`, or a hash by hashlib's name.
        bits: Of key or digest.
        since: When the signer's certificate was issued.
    """

    role: Role
    what: str
    bits: int
    since: date


@dataclass(frozen=True, slots=True)
class Refusal:
    """One table of the file."""

    what: str
    of: frozenset[Role]
    below_bits: int | None
    since: date | None
    clause: str
    why: str

    def fits(self, use: AlgorithmUse) -> bool:
        """Whether this use is refused."""
        return (
            use.what == self.what
            and use.role in self.of
            and (self.below_bits is None or use.bits < self.below_bits)
            and (self.since is None or use.since >= self.since)
        )


@dataclass(frozen=True, slots=True)
class AlgorithmPolicy:
    """All refusals, in the order of the file."""

    refusals: tuple[Refusal, ...]

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """The policy in a TOML file; `MalformedFileError` when a table lacks a word or has one too many."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(_refusal(dict(table)) for table in document.pop("refuse")))
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
            raise MalformedFileError(path.name, f"{type(error).__name__} in the table of refusals") from error

    def objections(self, uses: Iterable[AlgorithmUse]) -> tuple[Refusal, ...]:
        """Every refusal that one of these uses meets."""
        made = tuple(uses)
        return tuple(refusal for refusal in self.refusals if any(refusal.fits(use) for use in made))


def _refusal(table: dict[str, object]) -> Refusal:
    """One table, every word of it used."""
    below, since = table.pop("below_bits", None), table.pop("from", None)
    if not isinstance(below, int | None) or not isinstance(since, date | None):
        raise TypeError("a number of bits or a date")
    of = table.pop("of")
    if not isinstance(of, list):
        raise TypeError("a list of roles")
    what, clause, why = (str(table.pop(word)) for word in ("what", "clause", "why"))
    if table:
        raise KeyError(next(iter(table)))
    return Refusal(what, frozenset(Role(role) for role in of), below, since, clause, why)


def key_uses(role: Role, key: PublicKey, since: date) -> tuple[AlgorithmUse, ...]:
    """What a public key is, for the policy."""
    if isinstance(key, EcKey):
        return (AlgorithmUse(role, "ec", key.curve.n.bit_length(), since),)
    exponent_bits = key.public_numbers().e.bit_length()
    return (AlgorithmUse(role, "rsa", key.key_size, since), AlgorithmUse(role, "rsa_exponent", exponent_bits, since))


def hash_use(role: Role, name: str, since: date) -> AlgorithmUse:
    """A hash by hashlib's name, for the policy."""
    return AlgorithmUse(role, name, {"sha1": 160}.get(name, int(name[3:]) if name[3:].isdigit() else 0), since)
