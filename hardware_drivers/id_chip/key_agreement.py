"""Diffie-Hellman the way PACE and chip authentication need it: any generator, and the whole group element.

Elements travel as bytes: 04 and both coordinates on a curve, the number in the prime's length in a prime group. The
arithmetic is the cryptography package's wherever it has the curve; our own (`curves`) serves the others.
"""

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from hardware_drivers.id_chip.curves import Curve, Point
from hardware_drivers.id_chip.domain_parameters import Domain
from hardware_drivers.id_chip.keys import RandomBytes
from hardware_drivers.id_chip.modular_groups import ModularGroup
from hardware_drivers.id_chip.signatures import LIBRARY_CURVES

SPARE_BYTES = 8  # FIPS 186-5 §A.2.1: 64 bits more than the order, so that the remainder is even enough
EC_POINT, DH_VALUE = 0x86, 0x84  # Doc 9303-11 §9.4.3, §9.4.4


class KeyAgreement(Protocol):
    """A group of prime order, and what two sides do in it."""

    @property
    def generator(self) -> bytes:
        """The standard generator."""

    @property
    def public_key_tag(self) -> int:
        """Tag of a public value in a public key data object."""

    def holds(self, element: bytes) -> bool:
        """Whether these bytes are an element that may be computed with: on the curve, of the right order, no unit."""

    def received(self, value: bytes) -> bytes | None:
        """A public value from outside in its one form, or None when it is none that `holds`."""

    def draw_private_key(self, rng: RandomBytes) -> int:
        """A fresh private key, 1 to the order less two."""

    def power(self, element: bytes, exponent: int) -> bytes | None:
        """The element taken `exponent` times; None for the unit."""

    def combine(self, one: bytes, other: bytes) -> bytes | None:
        """The group's operation; None for the unit."""

    def shared_secret(self, element: bytes, private_key: int) -> bytes:
        """What key derivation starts from: the x coordinate, or the number (§9.7.1, §9.6)."""

    def encode_field(self, number: int) -> bytes | None:
        """The group element that integrated mapping makes of a field element (§4.4.3.3.2); None for the unit."""


def agreement_over(domain: Domain) -> KeyAgreement:
    """Key agreement with these parameters."""
    if isinstance(domain, Curve):
        return EllipticAgreement(domain, LIBRARY_CURVES.get(domain.name))
    return ModularAgreement(domain)


def integrated_mapping_works(domain: Domain) -> bool:
    """Whether integrated mapping is defined there: its square roots want p = 3 modulo 4 (§B.1), which P-224 is not."""
    return domain.p % 4 == 3 if isinstance(domain, Curve) else domain.q is not None


def _draw(rng: RandomBytes, order: int) -> int:
    """1 to order - 2, by FIPS 186-5 §A.2.1."""
    drawn = int.from_bytes(rng((order.bit_length() + 7) // 8 + SPARE_BYTES), "big")
    return drawn % (order - 2) + 1


@dataclass(frozen=True, slots=True)
class EllipticAgreement:
    """Elliptic curve key agreement, TR-03111 §4.3.1. Every curve here has cofactor 1: a point on it has order n."""

    curve: Curve
    library: ec.EllipticCurve | None

    @property
    def generator(self) -> bytes:
        """The curve's base point."""
        return self.curve.encode((self.curve.x, self.curve.y))

    @property
    def public_key_tag(self) -> int:
        """Tag 86."""
        return EC_POINT

    def holds(self, element: bytes) -> bool:
        """Whether it is an uncompressed point of the curve; the point at infinity has no such form."""
        return self.curve.decode(element) is not None

    def received(self, value: bytes) -> bytes | None:
        """The point itself: there is only one form."""
        return value if self.holds(value) else None

    def draw_private_key(self, rng: RandomBytes) -> int:
        """A fresh factor."""
        return _draw(rng, self.curve.n)

    def power(self, element: bytes, exponent: int) -> bytes | None:
        """The point `exponent` times."""
        factor = exponent % self.curve.n
        if not factor:
            return None
        if self.library is None:
            return self._encoded(self.curve.multiply(factor, self._point(element)))
        if element == self.generator:
            numbers = ec.derive_private_key(factor, self.library).public_key().public_numbers()
            return self.curve.encode((numbers.x, numbers.y))
        return self._encoded(self._library_multiply(self.library, self._point(element), factor))

    def combine(self, one: bytes, other: bytes) -> bytes | None:
        """Sum of two points."""
        return self._encoded(self.curve.add(self._point(one), self._point(other)))

    def shared_secret(self, element: bytes, private_key: int) -> bytes:
        """The x coordinate of the common point."""
        if self.library is not None:
            return self._exchange(self.library, self._point(element), private_key)
        common = self.curve.multiply(private_key, self._point(element))
        if common is None:
            raise ValueError("a private key of the order itself")
        return common[0].to_bytes(self.curve.field_bytes, "big")

    def encode_field(self, number: int) -> bytes | None:
        """The point encoding of Doc 9303-11 §B.2, step by step; None where it divides by zero."""
        p, a, b = self.curve.p, self.curve.a, self.curve.b
        alpha = -number * number % p
        scale = a * (alpha + alpha * alpha) % p
        if not scale:
            return None
        x2 = -b * (1 + alpha + alpha * alpha) * pow(scale, -1, p) % p
        x3 = alpha * x2 % p
        h2 = (x2 * x2 * x2 + a * x2 + b) % p
        u = number * number * number * h2 % p
        root = pow(h2, p - 1 - (p + 1) // 4, p)
        point = (x2, root * h2 % p) if root * root * h2 % p == 1 else (x3, root * u % p)
        return self.curve.encode(point) if self.curve.holds(*point) else None

    def _library_multiply(self, library: ec.EllipticCurve, point: tuple[int, int], factor: int) -> Point:
        """A whole point from a library that only tells x coordinates.

        kP has one of two y coordinates, roots of the curve's equation; (k+1)P, also asked of the library, says which.
        """
        p = self.curve.p
        if p % 4 != 3 or factor == self.curve.n - 1:
            return self.curve.multiply(factor, point)
        x = int.from_bytes(self._exchange(library, point, factor), "big")
        y = pow(x * x * x + self.curve.a * x + self.curve.b, (p + 1) // 4, p)
        after = int.from_bytes(self._exchange(library, point, factor + 1), "big")
        following = self.curve.add((x, y), point)
        return (x, y) if following is not None and following[0] == after else (x, p - y)

    @staticmethod
    def _exchange(library: ec.EllipticCurve, point: tuple[int, int], factor: int) -> bytes:
        """The x coordinate of factor times point."""
        public = ec.EllipticCurvePublicNumbers(*point, library).public_key()
        return ec.derive_private_key(factor, library).exchange(ec.ECDH(), public)

    def _point(self, element: bytes) -> tuple[int, int]:
        """The coordinates; callers check with `holds` what came from outside."""
        point = self.curve.decode(element)
        if point is None:
            raise ValueError("no point of the curve")
        return point

    def _encoded(self, point: Point) -> bytes | None:
        """Uncompressed, or None for infinity."""
        return None if point is None else self.curve.encode(point)


@dataclass(frozen=True, slots=True)
class ModularAgreement:
    """Diffie-Hellman modulo a prime, PKCS #3 with the key validation of RFC 2631 §2.1.5."""

    group: ModularGroup

    @property
    def generator(self) -> bytes:
        """The group's g."""
        return self._encoded(self.group.g)

    @property
    def public_key_tag(self) -> int:
        """Tag 84."""
        return DH_VALUE

    def holds(self, element: bytes) -> bool:
        """Whether the number, in the prime's length, is of the subgroup."""
        return len(element) == self.group.field_bytes and self.group.holds(int.from_bytes(element, "big"))

    def received(self, value: bytes) -> bytes | None:
        """The number in the prime's length: it travels without leading zeros (§9.4.3), or with them."""
        padded = value.lstrip(b"\x00").rjust(self.group.field_bytes, b"\x00")
        return padded if self.holds(padded) else None

    def draw_private_key(self, rng: RandomBytes) -> int:
        """A fresh exponent."""
        return _draw(rng, self.group.q or self.group.p)

    def power(self, element: bytes, exponent: int) -> bytes | None:
        """The number to that power."""
        number = pow(int.from_bytes(element, "big"), exponent, self.group.p)
        return None if number == 1 else self._encoded(number)

    def combine(self, one: bytes, other: bytes) -> bytes | None:
        """Product of two numbers."""
        number = int.from_bytes(one, "big") * int.from_bytes(other, "big") % self.group.p
        return None if number == 1 else self._encoded(number)

    def shared_secret(self, element: bytes, private_key: int) -> bytes:
        """The common number, in the prime's length (PKCS #3 §8.3)."""
        return self._encoded(pow(int.from_bytes(element, "big"), private_key, self.group.p))

    def encode_field(self, number: int) -> bytes | None:
        """The number to the power of the cofactor."""
        if self.group.q is None:
            raise ValueError("integrated mapping wants the group's order")
        return self.power(self._encoded(number), (self.group.p - 1) // self.group.q)

    def _encoded(self, number: int) -> bytes:
        """The number in the prime's length."""
        return number.to_bytes(self.group.field_bytes, "big")
