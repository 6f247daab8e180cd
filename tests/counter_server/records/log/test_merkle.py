"""The tree against RFC 6962's own answers, published roots, and every single-bit change."""

import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter_server.records.log.errors import LogUnprovenError
from counter_server.records.log.merkle import (
    EMPTY_ROOT,
    Tree,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_of,
)

# The reference leaves and roots of Certificate Transparency's own tests (RFC 6962's authors,
# google/certificate-transparency, merkletree tests), also used by trillian and by sigsum.
REFERENCE_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
REFERENCE_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def tree_of(size: int) -> Tree:
    tree = Tree()
    for number in range(size):
        tree.append(leaf_hash(str(number).encode()))
    return tree


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 word for word, as slow as it is written."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


def test_the_reference_tree_has_the_published_roots() -> None:
    tree = Tree()
    assert root_of(tree.read, 0) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for entry in REFERENCE_LEAVES:
        tree.append(leaf_hash(bytes.fromhex(entry)))
    assert [root_of(tree.read, size).hex() for size in range(1, 9)] == list(REFERENCE_ROOTS)


def test_the_reference_tree_has_the_published_proofs() -> None:
    """RFC 6962 §2.1.3 draws the tree of seven leaves and says which nodes each proof holds."""
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in REFERENCE_LEAVES]
    tree = Tree()
    for leaf in leaves[:7]:
        tree.append(leaf)
    a, b, c, d, e, f, j = leaves[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, last = node_hash(g, h), node_hash(i, j)
    assert inclusion_path(tree.read, 0, 7) == (b, h, last)
    assert inclusion_path(tree.read, 3, 7) == (c, g, last)
    assert inclusion_path(tree.read, 4, 7) == (f, j, k)
    assert inclusion_path(tree.read, 6, 7) == (i, k)
    assert consistency_path(tree.read, 3, 7) == (c, d, g, last)
    assert consistency_path(tree.read, 4, 7) == (last,)
    assert consistency_path(tree.read, 6, 7) == (i, j, k)


def test_every_proof_of_every_small_tree_holds_and_every_root_is_the_plain_one() -> None:
    tree = tree_of(40)
    leaves = tree.levels[0]
    for size in range(1, 41):
        root = root_of(tree.read, size)
        assert root == plain_root(leaves[:size])
        for index in range(size):
            check_inclusion(leaves[index], index, size, inclusion_path(tree.read, index, size), root)
        for old in range(size + 1):
            path = consistency_path(tree.read, old, size)
            check_consistency(old, size, path, root_of(tree.read, old), root)


@settings(max_examples=60)
@given(size=st.integers(1, 700), draw=st.randoms(use_true_random=False))
def test_every_single_bit_of_a_proof_of_inclusion_counts(size: int, draw: random.Random) -> None:
    tree = tree_of(size)
    index = draw.randrange(size)
    path, root = inclusion_path(tree.read, index, size), root_of(tree.read, size)
    leaf = tree.levels[0][index]
    check_inclusion(leaf, index, size, path, root)
    for changed in flips(path, draw):
        with pytest.raises(LogUnprovenError):
            check_inclusion(leaf, index, size, changed, root)
    for other in {index ^ 1, index + 1, index - 1, size} - {index}:
        with pytest.raises(LogUnprovenError):
            check_inclusion(leaf, other, size, path, root)
    for shape in (path[:-1], (*path, root), (*path[1:],)):
        if shape != path:
            with pytest.raises(LogUnprovenError):
                check_inclusion(leaf, index, size, shape, root)
    for changed_leaf in flips((leaf,), draw):
        with pytest.raises(LogUnprovenError):
            check_inclusion(changed_leaf[0], index, size, path, root)


@settings(max_examples=60)
@given(new=st.integers(2, 700), draw=st.randoms(use_true_random=False))
def test_every_single_bit_of_a_proof_of_consistency_counts(new: int, draw: random.Random) -> None:
    tree = tree_of(new)
    old = draw.randrange(1, new)
    path = consistency_path(tree.read, old, new)
    before, after = root_of(tree.read, old), root_of(tree.read, new)
    check_consistency(old, new, path, before, after)
    for changed in flips(path, draw):
        with pytest.raises(LogUnprovenError):
            check_consistency(old, new, changed, before, after)
    for wrong_before, wrong_after in ((after, after), (before, before), (after, before)):
        with pytest.raises(LogUnprovenError):
            check_consistency(old, new, path, wrong_before, wrong_after)
    for shape in ((), path[:-1], (*path, after)):
        with pytest.raises(LogUnprovenError):
            check_consistency(old, new, shape, before, after)
    with pytest.raises(LogUnprovenError):
        check_consistency(new, old, path, before, after)


def flips(path: tuple[bytes, ...], draw: random.Random) -> list[tuple[bytes, ...]]:
    """The path with one bit changed, once in every hash of it."""
    changed = []
    for place, whole in enumerate(path):
        bit = draw.randrange(256)
        flipped = (int.from_bytes(whole, "big") ^ (1 << bit)).to_bytes(32, "big")
        changed.append((*path[:place], flipped, *path[place + 1 :]))
    return changed


def test_another_history_of_the_same_length_is_not_consistent() -> None:
    honest, forked = tree_of(30), tree_of(20)
    for number in range(10):
        forked.append(leaf_hash(f"forked {number}".encode()))
    old_root = root_of(honest.read, 25)
    path = consistency_path(forked.read, 25, 30)
    with pytest.raises(LogUnprovenError):
        check_consistency(25, 30, path, old_root, root_of(forked.read, 30))
