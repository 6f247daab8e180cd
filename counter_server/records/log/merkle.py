"""The tree of RFC 6962 §2.1 (RFC 9162 §2.1 names the same): roots, proofs of inclusion and of consistency.

A tree of any size is covered by complete subtrees of 2^level leaves, and those never change once they are full. So
whoever can read complete subtrees by their place (memory, database, tiles) can make every proof, and every proof
asks for all it needs at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from counter_server.records.log.errors import LogUnprovenError

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()  # RFC 6962 §2.1: the hash of an empty list is the hash of an empty string
LARGEST_TREE = 2**63 - 1  # C2SP tlog-checkpoint


class Place(NamedTuple):
    """A complete subtree: the `position`-th of those with 2^level leaves."""

    level: int
    position: int


class Span(NamedTuple):
    """Leaves from `start` up to and without `end`; what one hash of a proof stands for."""

    start: int
    end: int


ReadHashes = Callable[[Sequence[Place]], Sequence[bytes]]


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 §2.1: 0x00 before an entry, so that no entry can pass for an inner node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 §2.1: 0x01 before two children."""
    return sha256(b"\x01" + left + right).digest()


def places_of(span: Span) -> tuple[Place, ...]:
    """The complete subtrees that make up a span, largest first; the span starts where the largest may start."""
    places, start = [], span.start
    while start < span.end:
        level = (span.end - start).bit_length() - 1
        places.append(Place(level, start >> level))
        start += 1 << level
    return tuple(places)


def inclusion_spans(index: int, size: int) -> tuple[Span, ...]:
    """RFC 6962 §2.1.1: what a proof of inclusion consists of, the leaf's sibling first."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    spans, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(start, middle))
            start = middle
    return tuple(reversed(spans))


def consistency_spans(old: int, new: int) -> tuple[Span, ...]:
    """RFC 6962 §2.1.2: what a proof consists of that the tree of `old` leaves is the beginning of that of `new`."""
    if not 0 <= old <= new:
        raise ValueError("a tree does not shrink")
    if old in (0, new):
        return ()
    spans, start, end = [], 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(start, middle))
            start = middle
    if start:  # the verifier holds the old root itself, and needs it sent only as a part of it
        spans.append(Span(start, end))
    return tuple(reversed(spans))


def root_of(read: ReadHashes, size: int) -> bytes:
    """The root over the first `size` leaves."""
    return span_hashes(read, (Span(0, size),))[0] if size else EMPTY_ROOT


def inclusion_path(read: ReadHashes, index: int, size: int) -> tuple[bytes, ...]:
    """Proof that leaf `index` is in the tree of `size` leaves."""
    return span_hashes(read, inclusion_spans(index, size))


def consistency_path(read: ReadHashes, old: int, new: int) -> tuple[bytes, ...]:
    """Proof that the tree of `new` leaves begins with the tree of `old` leaves."""
    return span_hashes(read, consistency_spans(old, new))


def span_hashes(read: ReadHashes, spans: Sequence[Span]) -> tuple[bytes, ...]:
    """The hash of each span, everything read at once."""
    covers = [places_of(span) for span in spans]
    hashes = iter(read([place for cover in covers for place in cover]))
    return tuple(_fold([next(hashes) for _ in cover]) for cover in covers)


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2; `LogUnprovenError` unless the path leads from leaf hash to root."""
    if not 0 <= index < size <= LARGEST_TREE:
        raise LogUnprovenError("the proof is for a leaf beyond the tree")
    inner, outer, reached = index, size - 1, leaf
    for sibling in path:
        if outer == 0:
            raise LogUnprovenError("the proof of inclusion is too long")
        if inner & 1 or inner == outer:
            reached = node_hash(sibling, reached)
            while inner and not inner & 1:
                inner, outer = inner >> 1, outer >> 1
        else:
            reached = node_hash(reached, sibling)
        inner, outer = inner >> 1, outer >> 1
    if outer != 0 or reached != root:
        raise LogUnprovenError("the proof of inclusion does not lead to the checkpoint's root")


def check_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """RFC 9162 §2.1.4.2; `LogUnprovenError` unless the new tree begins with the old one."""
    if not 0 <= old <= new <= LARGEST_TREE:
        raise LogUnprovenError("the newer tree is the smaller one")
    if old in (0, new):
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise LogUnprovenError("the two trees differ")
        return
    whole = old & (old - 1) == 0  # then the old root is a node of the new tree and is not sent
    nodes = (old_root, *path) if whole else tuple(path)
    if not path:
        raise LogUnprovenError("the proof of consistency is empty")
    inner, outer = old - 1, new - 1
    while inner & 1:
        inner, outer = inner >> 1, outer >> 1
    before = after = nodes[0]
    for sibling in nodes[1:]:
        if outer == 0:
            raise LogUnprovenError("the proof of consistency is too long")
        if inner & 1 or inner == outer:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while inner and not inner & 1:
                inner, outer = inner >> 1, outer >> 1
        else:
            after = node_hash(after, sibling)
        inner, outer = inner >> 1, outer >> 1
    if outer != 0 or before != old_root or after != new_root:
        raise LogUnprovenError("the newer tree does not begin with the older one")


@dataclass(slots=True)
class Tree:
    """A tree in memory: `levels[level][position]` is the hash of a complete subtree."""

    levels: list[list[bytes]] = field(default_factory=lambda: [[]])

    @property
    def size(self) -> int:
        """Leaves so far."""
        return len(self.levels[0])

    def append(self, leaf: bytes) -> int:
        """Add a leaf's hash and every subtree it completes; returns the leaf's index."""
        levels, level, index = self.levels, 0, len(self.levels[0])
        levels[0].append(leaf)
        position = index
        while position & 1:
            row = levels[level]
            level, position = level + 1, position >> 1
            if level == len(levels):
                levels.append([])
            levels[level].append(sha256(b"\x01" + row[-2] + row[-1]).digest())
        return index

    def read(self, places: Sequence[Place]) -> tuple[bytes, ...]:
        """Hashes of complete subtrees."""
        return tuple(self.levels[place.level][place.position] for place in places)


def _split(leaves: int) -> int:
    """RFC 6962 §2.1: the largest power of two smaller than the number of leaves."""
    return 1 << (leaves - 1).bit_length() - 1


def _fold(hashes: list[bytes]) -> bytes:
    folded = hashes.pop()
    while hashes:
        folded = node_hash(hashes.pop(), folded)
    return folded
