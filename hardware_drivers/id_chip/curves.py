"""Elliptic curves by all of their numbers, and ECDSA on those that the cryptography package does not carry.

Certificates of many states spell their curve out (explicit parameters). Such a set is taken only when p, a, b, the base
point, n and h all are those of a curve named here: accepting by the base point alone is CVE-2020-0601.

The numbers themselves stand in `curve_numbers`.
"""

import hashlib
from dataclasses import astuple, dataclass

from hardware_drivers.id_chip.curve_numbers import CURVE_NUMBERS, CurveNumbers

Point = tuple[int, int] | None  # None is the point at infinity
Jacobian = tuple[int, int, int]  # (X, Y, Z) is the point (X/Z², Y/Z³)
INFINITY: Jacobian = (1, 1, 0)


@dataclass(frozen=True, slots=True)
class Curve(CurveNumbers):
    """What can be computed on a curve, from its numbers."""

    @property
    def field_bytes(self) -> int:
        """Bytes of one coordinate."""
        return (self.p.bit_length() + 7) // 8

    def holds(self, x: int, y: int) -> bool:
        """Whether the point lies on the curve."""
        in_field = 0 <= x < self.p and 0 <= y < self.p
        return in_field and (y * y - x * x * x - self.a * x - self.b) % self.p == 0

    def add(self, one: Point, other: Point) -> Point:
        """Sum of two points, affine."""
        if one is None or other is None:
            return one or other
        if one[0] == other[0]:
            if (one[1] + other[1]) % self.p == 0:
                return None
            slope = (3 * one[0] * one[0] + self.a) * pow(2 * one[1], -1, self.p) % self.p
        else:
            slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, self.p) % self.p
        x = (slope * slope - one[0] - other[0]) % self.p
        return x, (slope * (one[0] - x) - one[1]) % self.p

    def multiply(self, factor: int, point: Point) -> Point:
        """factor times point.

        A doubling and an addition for every bit, so that the work does not follow the bits; the integers of Python take
        no constant time all the same, so secrets that come by here are those of one session only.
        """
        if point is None or not factor:
            return None
        low, high = INFINITY, (point[0], point[1], 1)
        for bit in bin(factor)[2:]:  # Montgomery's ladder: high is always low plus point
            both = self._join(low, high)
            low, high = (both, self._double(high)) if bit == "1" else (self._double(low), both)
        return self._affine(low)

    def combine(self, first: int, point: tuple[int, int], second: int, other: tuple[int, int]) -> Point:
        """first times point plus second times other, doubling for both at once (Shamir's trick).

        The work follows the bits: for the public numbers of a signature's check only, which it makes twice as fast.
        """
        one, two = (point[0], point[1], 1), (other[0], other[1], 1)
        terms = (INFINITY, one, two, self._join(one, two))
        total = INFINITY
        for at in reversed(range(max(first.bit_length(), second.bit_length()))):
            total = self._double(total)
            if chosen := (first >> at & 1) | (second >> at & 1) << 1:
                total = self._join(total, terms[chosen])
        return self._affine(total)

    def encode(self, point: tuple[int, int]) -> bytes:
        """Uncompressed, SEC 1 §2.3.3."""
        return b"\x04" + b"".join(number.to_bytes(self.field_bytes, "big") for number in point)

    def decode(self, encoded: bytes) -> tuple[int, int] | None:
        """The point in its uncompressed form, or None when the bytes are none of this curve (SEC 1 §2.3.4)."""
        size = self.field_bytes
        x, y = int.from_bytes(encoded[1 : 1 + size], "big"), int.from_bytes(encoded[1 + size :], "big")
        return (x, y) if len(encoded) == 1 + 2 * size and encoded[0] == 4 and self.holds(x, y) else None

    def _double(self, one: Jacobian) -> Jacobian:
        """Twice a point in Jacobian coordinates, one inversion for a whole multiplication instead of one per step.

        Source: Explicit-Formulas Database, shortw/jacobian, dbl-2007-bl.
        """
        x, y, z = one
        p = self.p
        if not z or not y:
            return INFINITY
        yy = y * y % p
        s = 4 * x * yy % p
        zz = z * z % p
        m = (3 * x * x + self.a * zz % p * zz) % p
        doubled = (m * m - 2 * s) % p
        return doubled, (m * (s - doubled) - 8 * yy * yy) % p, 2 * y * z % p

    def _join(self, one: Jacobian, other: Jacobian) -> Jacobian:
        """Sum in Jacobian coordinates (Explicit-Formulas Database, add-2007-bl without its shared squares)."""
        if not one[2] or not other[2]:
            return one if one[2] else other
        p = self.p
        z1z1, z2z2 = one[2] * one[2] % p, other[2] * other[2] % p
        u1, u2 = one[0] * z2z2 % p, other[0] * z1z1 % p
        s1, s2 = one[1] * other[2] % p * z2z2 % p, other[1] * one[2] % p * z1z1 % p
        if u1 == u2:
            return self._double(one) if s1 == s2 else INFINITY
        h, r = u2 - u1, s2 - s1
        hh = h * h % p
        hhh, v = h * hh % p, u1 * hh % p
        x = (r * r - hhh - 2 * v) % p
        return x, (r * (v - x) - s1 * hhh) % p, h * one[2] % p * other[2] % p

    def _affine(self, point: Jacobian) -> Point:
        """Back to two coordinates."""
        if not point[2]:
            return None
        inverse = pow(point[2], -1, self.p)
        square = inverse * inverse % self.p
        return point[0] * square % self.p, point[1] * square * inverse % self.p


def verify_ecdsa(
    curve: Curve, public: tuple[int, int], signature: tuple[int, int], message: bytes, digest: str
) -> bool:
    """Whether (r, s) signs the message, FIPS 186-5 §6.4.2; `digest` is a name of hashlib. 1 to 9 ms, by the curve."""
    r, s = signature
    if not (0 < r < curve.n and 0 < s < curve.n and curve.holds(*public)):
        return False
    hashed = hashlib.new(digest, message, usedforsecurity=False).digest()
    e = int.from_bytes(hashed, "big") >> max(0, len(hashed) * 8 - curve.n.bit_length())
    inverse = pow(s, -1, curve.n)
    point = curve.combine(e * inverse % curve.n, (curve.x, curve.y), r * inverse % curve.n, public)
    return point is not None and point[0] % curve.n == r


def curve_named(oid: str) -> Curve | None:
    """The curve with this object identifier, if we have it."""
    return next((curve for curve in CURVES if curve.oid == oid), None)


def curve_with(p: int, a: int, b: int, base: bytes, n: int, cofactor: int | None) -> Curve | None:
    """The curve that has all of these numbers, if we have it.

    Args:
        base: The encoded base point, SEC 1 §2.3.3, uncompressed or compressed.
        cofactor: None where the certificate leaves it out; every curve here has 1.
    """
    for curve in CURVES:
        x, y = (number.to_bytes(curve.field_bytes, "big") for number in (curve.x, curve.y))
        known_base = base in (b"\x04" + x + y, bytes((2 + curve.y % 2,)) + x)
        if known_base and (p, a, b, n) == (curve.p, curve.a, curve.b, curve.n) and cofactor in (1, None):
            return curve
    return None


CURVES = tuple(Curve(*astuple(numbers)) for numbers in CURVE_NUMBERS)
