"""Power loss: run the real sealing once under strace, then look at thousands of disks it might have left behind."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from counter_server.errors import StoppedError
from counter_server.records.proving.disk import Disk, Mode
from counter_server.records.proving.judge import Flaw, Judge, state_of
from counter_server.records.proving.nursery import LONGEST_WRITE, TRACED, Nursery
from counter_server.records.proving.sabotage import Sabotage
from counter_server.records.proving.trace import Acknowledged, Operation, read_trace

VISITS = 6
AT_ONCE = 2  # visits sealed at the same time, so that commits are shared
RECOVER_EVERY = 400  # states between full recoveries: the counter starts on the state and every visit is tried again
SAID = 5  # flaws told in full


@dataclass(slots=True)
class CrashFigures:
    """What the states showed."""

    crash_points: int = 0
    states: int = 0
    distinct_states: int = 0
    recovered: int = 0
    flaws: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, flaws: Iterable[Flaw], where: str) -> None:
        """Count flaws and keep the first few in words."""
        for flaw in flaws:
            self.flaws[flaw.kind] += 1
            if len(self.examples) < SAID:
                self.examples.append(f"{where}: {flaw.why}")


def record_operations(
    nursery: Nursery, scratch: Path, name: str, sabotage: Sabotage | None = None, visits: int = VISITS
) -> tuple[Path, tuple[Operation, ...], bool]:
    """Seal visits in an empty home under strace: the home, its operations, and whether a second writer got in."""
    home, trace = scratch / name, scratch / f"{name}.strace"
    home.mkdir()
    probe = sabotage in (None, Sabotage.TWO_WRITERS)  # a second counter must not get in
    options = ("-y", "-xx", "-s", str(LONGEST_WRITE), "-o", str(trace), "-e", f"trace={TRACED}")
    run = nursery.run(home, tuple(range(visits)), at_once=AT_ONCE, sabotage=sabotage, strace=options, probe=probe)
    if sorted(run.acknowledged) != list(range(visits)):
        raise StoppedError(f"the sealing under watch did not finish (exit code {run.exit_code})")
    operations = read_trace(trace, home)
    trace.unlink()
    return home, operations, run.second_writer


def try_power_cuts(
    nursery: Nursery,
    scratch: Path,
    home: Path,
    operations: tuple[Operation, ...],
    wanted: int,
    rng: random.Random,
    *,
    stop_at_first: bool = False,
    recover_every: int = RECOVER_EVERY,
) -> CrashFigures:
    """Judge about `wanted` states, spread over every moment at which something was unsynced."""
    judge, figures, seen = Judge(scratch), CrashFigures(), set[bytes]()
    numbers = tuple(sorted(done.number for done in operations if isinstance(done, Acknowledged)))
    per_point = _states_per_point(home, operations, wanted)
    disk, acknowledged = Disk(str(home)), set[int]()
    for index, operation in enumerate(operations):
        if isinstance(operation, Acknowledged):
            acknowledged.add(operation.number)
        else:
            disk.do(operation)
        figures.crash_points += 1
        for turn in range(per_point if disk.unsynced() > 1 else 1 + disk.unsynced()):
            mode = (Mode.SYNCED, Mode.ALL, Mode.PREFIX, Mode.SUBSET, Mode.SUBSET)[turn if turn < 2 else 2 + turn % 3]
            state = disk.state(mode, rng)
            figures.states += 1
            seen.add(state.key())
            where = f"after operation {index} of {len(operations)}, {mode.value}"
            figures.add(judge.flaws(state, acknowledged), where)
            if figures.states % recover_every == 0:
                target = scratch / "recovered"
                target.mkdir()
                state.write(target)
                figures.add(recover(nursery, judge, target, numbers), f"{where}, recovered")
                figures.recovered += 1
                _remove(target)
            if figures.flaws and stop_at_first:
                break
        if figures.flaws and stop_at_first:
            break
    figures.distinct_states = len(seen)
    return figures


def recover(nursery: Nursery, judge: Judge, home: Path, numbers: tuple[int, ...]) -> list[Flaw]:
    """Start the counter on what is left, try every visit again under its old key, and judge what is there then."""
    run = nursery.run(home, numbers)
    flaws = judge.flaws(state_of(home), numbers)
    if run.exit_code != 0 or sorted(run.acknowledged) != list(numbers):
        flaws.append(Flaw("broken", f"not every visit could be sealed at the next start (exit code {run.exit_code})"))
    return flaws


def _states_per_point(home: Path, operations: tuple[Operation, ...], wanted: int) -> int:
    """How many states each moment with a choice must give so that all together are at least `wanted`."""
    disk, single, choosing = Disk(str(home)), 0, 0
    for operation in operations:
        disk.do(operation)
        if disk.unsynced() > 1:
            choosing += 1
        else:
            single += 1 + disk.unsynced()
    return max(2, -(-(wanted - single) // max(1, choosing)))


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    folder.rmdir()
