"""A seeded slice of `counter record crash-test` and `bitflip-test`; the whole ones are commands."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from counter_server.records.proving.bit_flips import Flip, draw_flips, seal_sample, try_flips
from counter_server.records.proving.campaign import how_caught
from counter_server.records.proving.crash_model import record_operations, try_power_cuts
from counter_server.records.proving.fault_injection import fill_a_disk, try_faults
from counter_server.records.proving.nursery import Nursery, scratch_folder
from counter_server.records.proving.sabotage import Sabotage

SEED = 20261121
STATES, FAULTS, FLIPS, SCRIPT_FLIPS = 1_500, 12, 300, 30
# four that differ in kind; the command runs all of them
SLICE = (
    Sabotage.CERTIFICATE_NOT_SYNCED,
    Sabotage.SQLITE_NORMAL,
    Sabotage.RETRY_IS_ANOTHER_VISIT,
    Sabotage.TWO_WRITERS,
)


@pytest.fixture
def scratch() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


@pytest.fixture
def nursery(scratch: Path) -> Iterator[Nursery]:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    with Nursery(scratch) as loaded:
        yield loaded


@pytest.fixture
def rng() -> random.Random:
    return random.Random(SEED)  # noqa: S311


def test_no_power_cut_takes_what_was_acknowledged(nursery: Nursery, scratch: Path, rng: random.Random) -> None:
    home, operations, second_writer = record_operations(nursery, scratch, "sound", visits=4)
    found = try_power_cuts(nursery, scratch, home, operations, STATES, rng, recover_every=500)
    assert found.states >= STATES
    assert found.distinct_states > found.states // 3
    assert found.recovered >= 3
    assert (dict(found.flaws), found.examples) == ({}, [])
    assert not second_writer


def test_no_failing_call_takes_what_was_acknowledged(nursery: Nursery, scratch: Path, rng: random.Random) -> None:
    found = try_faults(nursery, scratch, FAULTS, rng)
    assert found.faults == FAULTS
    assert sum(count for how, count in found.ended.items() if "survived" not in how) > FAULTS // 2
    assert (dict(found.flaws), found.examples) == ({}, [])


@pytest.mark.parametrize("kind", SLICE)
def test_sabotage_is_caught(nursery: Nursery, scratch: Path, rng: random.Random, kind: Sabotage) -> None:
    assert how_caught(nursery, scratch, kind, rng) is not None


def test_a_full_disk_refuses_and_loses_nothing(nursery: Nursery, scratch: Path) -> None:
    found = fill_a_disk(nursery, scratch)
    if found.file_system is None:
        pytest.skip(f"a small file system: {found.why_not}")
    assert found.refused > 0
    assert (found.lost, found.retried) == (0, found.refused)


def test_every_flipped_bit_is_noticed_by_both(scratch: Path, rng: random.Random) -> None:
    safe, sealed = seal_sample(scratch / "home")
    record, trust = sealed.folder, safe.home.trust_root
    ends = [Flip(name, 0, 0) for name in ("record.json", "record.sig", "server.pem")]
    found = try_flips(record, trust, [*ends, *draw_flips(record, FLIPS, rng)], scratch, script_flips=SCRIPT_FLIPS)
    assert (found.flips, found.accepted_by_verifier) == (FLIPS + 3, 0)
    assert (found.script_flips, found.accepted_by_script) == (SCRIPT_FLIPS, 0)
    assert {kind.split(":")[0] for kind in found.noticed_by_verifier} == {
        "objects/*.age",
        "record.json",
        "record.sig",
        "server.pem",
    }
