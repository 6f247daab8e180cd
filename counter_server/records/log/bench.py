"""How quick the log is: leaves per second, milliseconds per proof."""

import time
from statistics import median

from counter_server.records.log.merkle import Tree, check_inclusion, inclusion_path, leaf_hash, root_of

LEAVES = 1_000_000
PROOFS = 1000
STRIDE = 7_919  # a prime: the proofs' leaves lie all over the tree


def measure_log(leaves: int = LEAVES, proofs: int = PROOFS) -> dict[str, float | int | str | None]:
    """The log's figures for `counter bench records`: `log_append_per_s` and `proof_ms` (median, checked each).

    A leaf is hashed from its entry and added with every inner node it completes, in memory, in one thread.
    """
    entries = [number.to_bytes(8, "big") for number in range(leaves)]
    tree = Tree()
    start = time.perf_counter()
    for entry in entries:
        tree.append(leaf_hash(entry))
    took_s = time.perf_counter() - start
    root = root_of(tree.read, leaves)
    times_s = []
    for number in range(proofs):
        index = number * STRIDE % leaves
        begun = time.perf_counter()
        path = inclusion_path(tree.read, index, leaves)
        times_s.append(time.perf_counter() - begun)
        check_inclusion(tree.levels[0][index], index, leaves, path, root)
    return {"log_append_per_s": round(leaves / took_s), "proof_ms": round(median(times_s) * 1000, 4)}
