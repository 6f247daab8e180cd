"""Laying one impression over the other as skin does: piece by piece, each piece turned and stretched a little.

A pressed finger is no rigid body (FVC2004's first set moves ridges by up to twice their spacing), so the second
impression is carried over by moving least squares with similarity transforms (Schaefer, McPhail, Warren: "Image
Deformation Using Moving Least Squares", SIGGRAPH 2006), grown from the pairs on which MCC's relaxation agrees.
Points are complex numbers here: a similarity transform is then one multiplication and one addition.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.fingerprint.cylinders import Array, Cylinders, wrap
from biometrics.fingerprint.lsar import Indices, Relaxed, assign

Complex = NDArray[np.complex128]

SEEDS: Final = 4  # pairs tried as the firm spot from which the overlay grows
VOTE_PX: Final = 24.0  # how far two minutiae may lie apart when seeds are compared
TURN_RAD: Final = 0.6  # 34°: LEADER's directions differ by under 10° between impressions, skin twists the rest
GROWTH_PX: Final = (60.0, 50.0, 40.0, 40.0, 40.0)  # reach σ of a pair in each round; 40 is about four ridges
SLACK_PX: Final = 10.0  # about one ridge
SLACK_PER_PX: Final = 0.3  # and more, the further the nearest pair is: the stretch there is not yet known
MAX_SLACK_PX: Final = 28.0
MATE_PX: Final = 12.0  # finally: over one ridge apart is another minutia
MATE_RAD: Final = 0.44  # 25°
STIFFNESS_PX2: Final = 400.0  # two ridges squared: a pair alone turns its surroundings no more than the whole turned
MIN_STRETCH, MAX_STRETCH = 0.6, 1.6  # ridge spacing of one finger, pressed hardest against not at all
NO_CYLINDER: Final = 0.25  # what similarity a pair without cylinders is worth: between strangers' and mates'
LEAST_SIMILARITY: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """The second impression carried over to the first, and which minutiae then lie on one another."""

    ours: Indices
    theirs: Indices
    closeness: Array
    """(mates,) 1 on the very spot in the very direction, 0 at the limit of both."""
    carried: Array
    """(n, 2) all minutiae of the second impression in the frame of the first."""


def overlay(one: Cylinders, other: Cylinders, relaxed: Relaxed) -> Overlay:
    """The best way to lay the other over the one, starting from at least two relaxed pairs."""
    certainty = np.sqrt(one.weights[:, np.newaxis] * other.weights)
    worth = certainty * _alike(one, other, relaxed.similarity)
    ours, theirs = _complex(one.points), _complex(other.points)
    turns = one.angles[:, np.newaxis] - other.angles
    apart2 = np.abs(theirs[:, np.newaxis] - theirs) ** 2

    carried, transform, firm = _best_seed(ours, theirs, turns, worth, relaxed)
    nearest2 = apart2[:, relaxed.theirs[firm]].min(axis=1)
    for reach in GROWTH_PX:
        slack = np.minimum(SLACK_PX + SLACK_PER_PX * np.sqrt(nearest2), MAX_SLACK_PX)
        fit = worth * _closeness(ours, carried, turns, transform, slack, TURN_RAD)
        i, j = assign(fit)
        if len(i) < 3:
            break
        near2, strength = apart2[:, j], fit[i, j]
        nearest2 = near2.min(axis=1)
        weight = np.exp(near2 * (-0.5 / reach**2)) * strength + 1e-6  # far from all: the whole decides
        transform, shift = _fitted(ours[i], theirs[j], weight, _common_turn(ours[i], theirs[j], strength))
        carried = transform * theirs + shift
    final = _closeness(ours, carried, turns, transform, MATE_PX, MATE_RAD)
    i, j = assign(final * certainty)
    return Overlay(i, j, final[i, j], np.column_stack((carried.real, carried.imag)))


def _alike(one: Cylinders, other: Cylinders, similarity: Array) -> Array:
    """How similar the neighbourhoods of each pair of minutiae are, the ones without cylinders among them."""
    alike = np.full((len(one.points), len(other.points)), NO_CYLINDER)
    alike[one.owners[:, np.newaxis], other.owners] = np.maximum(similarity, LEAST_SIMILARITY)
    return alike


def _best_seed(
    ours: Complex, theirs: Complex, turns: Array, worth: Array, relaxed: Relaxed
) -> tuple[Complex, Complex, NDArray[np.bool_]]:
    """Of the pairs that most others agree with, the one whose neighbourhood brings most minutiae together."""
    support = relaxed.agreement + np.eye(len(relaxed.strength))
    seeds = np.argsort(-(support @ relaxed.strength), kind="stable")[:SEEDS]
    weight = support[seeds] * relaxed.strength
    turn = np.exp(1j * turns[relaxed.ours[seeds], relaxed.theirs[seeds]])
    transform, shift = _fitted(ours[relaxed.ours], theirs[relaxed.theirs], weight, turn)
    carried = transform[:, np.newaxis] * theirs + shift[:, np.newaxis]
    fit = worth * _closeness(ours, carried, turns, transform[:, np.newaxis], VOTE_PX, TURN_RAD)
    best = int(np.argmax(fit.max(axis=2).sum(axis=1) + fit.max(axis=1).sum(axis=1)))
    return carried[best], transform[best : best + 1], weight[best] > 0.1 * weight[best].max()


def _closeness(
    ours: Complex, carried: Complex, turns: Array, transform: Complex, slack_px: Array | float, turn_rad: float
) -> Array:
    """1 for pairs that coincide, falling to 0 at the limits of distance and direction; along the last two axes."""
    apart = (np.abs(ours[:, np.newaxis] - carried[..., np.newaxis, :]) * (1 / np.asarray(slack_px))) ** 2
    turned = (wrap(turns - np.angle(transform)[..., np.newaxis, :]) * (1 / turn_rad)) ** 2
    return np.asarray((1 - 0.5 * (apart + turned)) * ((apart < 1) & (turned < 1)), np.float64)


def _fitted(targets: Complex, sources: Complex, weight: Array, turn: Complex | complex) -> tuple[Complex, Complex]:
    """Turn with stretch, and shift, that bring `sources` onto `targets`: one for each row of weights of the pairs."""
    product = targets * sources.conj()
    columns = (targets.real, targets.imag, sources.real, sources.imag, product.real, product.imag)
    sums = weight @ np.column_stack((*columns, np.abs(sources) ** 2, np.ones(len(sources))))
    target_x, target_y, source_x, source_y, product_x, product_y, square, total = sums.T
    source = (source_x + 1j * source_y) / total
    target = (target_x + 1j * target_y) / total
    spread = np.maximum(square / total - np.abs(source) ** 2, 0)
    transform = (product_x + 1j * product_y) / total - target * source.conj() + STIFFNESS_PX2 * turn
    transform /= spread + STIFFNESS_PX2
    size = np.maximum(np.abs(transform), 1e-9)
    transform *= np.clip(size, MIN_STRETCH, MAX_STRETCH) / size
    return transform, target - transform * source


def _common_turn(targets: Complex, sources: Complex, weight: Array) -> complex:
    """The one turn that fits all pairs best."""
    target_rest = targets - targets.sum() / len(targets)
    source_rest = sources - sources.sum() / len(sources)
    product = complex(np.vdot(source_rest, weight * target_rest))
    return product / abs(product) if abs(product) > 0 else 1.0 + 0j


def _complex(points: Array) -> Complex:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)
