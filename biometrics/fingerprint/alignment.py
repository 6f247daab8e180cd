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
    worth = _worth(one, other, relaxed.similarity)
    ours, theirs = _complex(one.points), _complex(other.points)
    turns = one.angles[:, np.newaxis] - other.angles[np.newaxis]

    best = _best_seed(ours, theirs, turns, worth, relaxed)
    carried, transform, firm = best
    nearest = np.abs(theirs[:, np.newaxis] - theirs[relaxed.theirs[firm]][np.newaxis]).min(axis=1)
    for reach in GROWTH_PX:
        slack = np.minimum(SLACK_PX + SLACK_PER_PX * nearest, MAX_SLACK_PX)
        fit = worth * _closeness(ours, carried, turns, transform, slack, TURN_RAD)
        i, j = assign(fit)
        if len(i) < 3:
            break
        apart = np.abs(theirs[:, np.newaxis] - theirs[j][np.newaxis])
        nearest = apart.min(axis=1)
        weight = np.exp(-(apart**2) / (2 * reach**2)) * fit[i, j] + 1e-6  # far from all: the whole decides
        carried, transform = _carry(ours[i], theirs[j], weight, theirs, _common_turn(ours[i], theirs[j], fit[i, j]))
    final = _closeness(ours, carried, turns, transform, np.full(len(theirs), MATE_PX), MATE_RAD)
    i, j = assign(final * np.sqrt(np.outer(one.weights, other.weights)))
    return Overlay(i, j, final[i, j], np.column_stack((carried.real, carried.imag)))


def _worth(one: Cylinders, other: Cylinders, similarity: Array) -> Array:
    """How much each pair of minutiae speaks for itself: certainty and similar neighbourhoods."""
    alike = np.full((len(one.points), len(other.points)), NO_CYLINDER)
    alike[np.ix_(one.owners, other.owners)] = np.maximum(similarity, LEAST_SIMILARITY)
    return np.asarray(alike * np.sqrt(np.outer(one.weights, other.weights)), np.float64)


def _best_seed(
    ours: Complex, theirs: Complex, turns: Array, worth: Array, relaxed: Relaxed
) -> tuple[Complex, Complex, NDArray[np.bool_]]:
    """Of the pairs that most others agree with, the one whose neighbourhood brings most minutiae together."""
    support = relaxed.agreement + np.eye(len(relaxed.strength))
    best: tuple[float, Complex, Complex, NDArray[np.bool_]] | None = None
    for seed in np.argsort(-(support @ relaxed.strength), kind="stable")[:SEEDS]:
        weight = support[seed] * relaxed.strength
        turn = np.exp(1j * turns[relaxed.ours[seed], relaxed.theirs[seed]])
        everywhere = np.broadcast_to(weight, (len(theirs), len(weight)))
        carried, transform = _carry(ours[relaxed.ours], theirs[relaxed.theirs], everywhere, theirs, turn)
        fit = worth * _closeness(ours, carried, turns, transform, np.full(len(theirs), VOTE_PX), TURN_RAD)
        vote = float(fit.max(axis=1).sum() + fit.max(axis=0).sum())
        if best is None or vote > best[0]:
            best = vote, carried, transform, weight > 0.1 * weight.max()
    assert best is not None  # noqa: S101 - relaxed pairs are never fewer than two here
    return best[1:]


def _closeness(
    ours: Complex, carried: Complex, turns: Array, transform: Complex, slack_px: Array, turn_rad: float
) -> Array:
    """1 for pairs that coincide, falling to 0 at the limits of distance and direction."""
    apart = (np.abs(ours[:, np.newaxis] - carried[np.newaxis]) / slack_px) ** 2
    turned = (wrap(turns - np.angle(transform)) / turn_rad) ** 2
    return np.where((apart < 1) & (turned < 1), 1 - 0.5 * apart - 0.5 * turned, 0.0)


def _carry(
    targets: Complex, sources: Complex, weight: Array, points: Complex, turn: complex
) -> tuple[Complex, Complex]:
    """Where `points` go, and the turn and stretch there, by weighted pairs (one row of `weight` for each point)."""
    total = weight.sum(axis=1)
    target_mean, source_mean = weight @ targets / total, weight @ sources / total
    target_rest = targets - target_mean[:, np.newaxis]
    source_rest = sources - source_mean[:, np.newaxis]
    product = (weight * target_rest * source_rest.conj()).sum(axis=1) / total
    spread = (weight * np.abs(source_rest) ** 2).sum(axis=1) / total
    transform = (product + STIFFNESS_PX2 * turn) / (spread + STIFFNESS_PX2)
    size = np.maximum(np.abs(transform), 1e-9)
    transform = transform / size * np.clip(size, MIN_STRETCH, MAX_STRETCH)
    return target_mean + transform * (points - source_mean), transform


def _common_turn(targets: Complex, sources: Complex, weight: Array) -> complex:
    """The one turn that fits all pairs best."""
    product = complex((weight * (targets - targets.mean()) * (sources - sources.mean()).conj()).sum())
    return product / abs(product) if abs(product) > 0 else 1.0 + 0j


def _complex(points: Array) -> Complex:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)
