"""Oracles: the cryptography package against our own arithmetic, and the order every curve must have."""

import pytest

from hardware_drivers.id_chip.curves import CURVES, Curve
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS, Domain
from hardware_drivers.id_chip.key_agreement import EllipticAgreement, agreement_over, integrated_mapping_works
from hardware_drivers.id_chip.modular_groups import GROUPS
from hardware_drivers.id_chip.signatures import LIBRARY_CURVES
from tests.hardware_drivers.cards import seeded

BOTH_WAYS = [curve for curve in CURVES if curve.name in LIBRARY_CURVES]


@pytest.mark.parametrize("curve", BOTH_WAYS, ids=lambda one: one.name)
def test_whole_points_out_of_a_library_that_tells_x_are_those_of_our_arithmetic(curve: Curve) -> None:
    by_library, by_ours = EllipticAgreement(curve, LIBRARY_CURVES[curve.name]), EllipticAgreement(curve, None)
    rng, other = seeded(1), by_ours.generator
    for _ in range(6):
        factor = by_library.draw_private_key(rng)
        for element in (by_ours.generator, other):
            assert by_library.power(element, factor) == by_ours.power(element, factor)
            assert by_library.shared_secret(element, factor) == by_ours.shared_secret(element, factor)
        following = by_ours.power(other, factor)
        assert following is not None
        other = following


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: one.name)
@pytest.mark.parametrize("offset", [-3, -2, -1, 0, 1, 2], ids=str)
def test_factors_around_the_order_are_right(curve: Curve, offset: int) -> None:
    agreement = agreement_over(curve)
    base = (curve.x, curve.y)
    small = curve.multiply(abs(offset), base)
    expected = None if small is None else (small[0], small[1] if offset > 0 else curve.p - small[1])
    found = agreement.power(agreement.generator, curve.n + offset)
    assert found == (None if expected is None else curve.encode(expected))


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: one.name)
def test_the_ladder_agrees_with_adding_again_and_again(curve: Curve) -> None:
    base = (curve.x, curve.y)
    total = None
    for factor in range(40):
        assert curve.multiply(factor, base) == total
        total = curve.add(total, base)
    assert curve.multiply(5, None) is None


@pytest.mark.parametrize("domain", [*CURVES, *GROUPS], ids=lambda one: one.name)
def test_both_sides_come_to_the_same_secret_over_any_generator(domain: Domain) -> None:
    agreement, rng = agreement_over(domain), seeded(4)
    generator = agreement.power(agreement.generator, agreement.draw_private_key(rng))
    assert generator is not None
    ours, theirs = agreement.draw_private_key(rng), agreement.draw_private_key(rng)
    our_public, their_public = agreement.power(generator, ours), agreement.power(generator, theirs)
    assert our_public is not None
    assert their_public is not None
    assert agreement.holds(our_public)
    secret = agreement.shared_secret(their_public, ours)
    assert secret == agreement.shared_secret(our_public, theirs)
    assert len(secret) == domain.field_bytes


@pytest.mark.parametrize("domain", STANDARD_DOMAINS.values(), ids=lambda one: one.name)
def test_private_keys_stay_in_their_range(domain: Domain) -> None:
    agreement = agreement_over(domain)
    order = domain.n if isinstance(domain, Curve) else domain.q or 0
    assert agreement.draw_private_key(bytes) == 1
    assert agreement.draw_private_key(lambda length: (order - 3).to_bytes(length, "big")) == order - 2
    assert 1 <= agreement.draw_private_key(lambda length: b"\xff" * length) <= order - 2


def test_integrated_mapping_is_not_defined_on_p_224() -> None:
    refused = [number for number, domain in STANDARD_DOMAINS.items() if not integrated_mapping_works(domain)]
    assert refused == [10]  # the footnote of Doc 9303-11 table 12


def test_numbers_with_or_without_leading_zeros_are_the_same() -> None:
    agreement = agreement_over(GROUPS[0])
    number = next(
        encoded
        for exponent in range(2, 2000)
        if (encoded := agreement.power(agreement.generator, exponent)) is not None and encoded[0] == 0
    )
    assert agreement.received(number) == agreement.received(number.lstrip(b"\x00")) == number
    assert agreement.received(b"\x00" + number) == number
    assert agreement.received(b"") is None
    assert agreement.received(b"\x01" * 129) is None
