"""The whole proof in one go: power cuts, faults, a full disk, and every sabotage caught."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from counter_server.records.canonical import Plain
from counter_server.records.proving.crash_model import CrashFigures, record_operations, try_power_cuts
from counter_server.records.proving.fault_injection import FaultFigures, FullDisk, fill_a_disk, try_faults
from counter_server.records.proving.nursery import Nursery
from counter_server.records.proving.sabotage import Sabotage

STATES_PER_SABOTAGE = 800  # each was caught within 900 in every run so far; see `tests/…/proving`
FAULTS_PER_SABOTAGE = 60
SABOTAGE_VISITS = 2
# What no power cut shows, but the retry after a refused write. A retry under another number does damage only where a
# row stands already; a few hundred power cuts seldom recover at such a moment, every retry after a fault is one.
CAUGHT_BY_FAULTS = {Sabotage.LEFT_OVER_SEAL_BELIEVED, Sabotage.RETRY_IS_ANOTHER_VISIT}


@dataclass(slots=True)
class Campaign:
    """Everything one campaign showed."""

    seed: int
    power: CrashFigures = field(default_factory=CrashFigures)
    faults: FaultFigures = field(default_factory=FaultFigures)
    full_disk: FullDisk = field(default_factory=lambda: FullDisk(None, why_not="not asked for"))
    second_writer: bool = False
    caught: dict[Sabotage, str | None] = field(default_factory=dict)  # how; None when it slipped through

    @property
    def held(self) -> bool:
        """Whether nothing was lost, doubled or broken and every sabotage was caught."""
        sound = not self.power.flaws and not self.faults.flaws and not self.full_disk.lost and not self.second_writer
        return sound and all(how is not None for how in self.caught.values())

    def figures(self) -> dict[str, Plain]:
        """For `--json -`."""
        flaws = self.power.flaws + self.faults.flaws
        slipped: list[Plain] = [kind.value for kind, how in self.caught.items() if how is None]
        examples: list[Plain] = [*self.power.examples, *self.faults.examples]
        caught: dict[str, Plain] = {kind.value: how for kind, how in self.caught.items()}
        return {
            "seed": self.seed,
            "states": self.power.states,
            "distinct_states": self.power.distinct_states,
            "crash_points": self.power.crash_points,
            "full_recoveries": self.power.recovered,
            "faults": self.faults.faults,
            "faults_ended": dict(self.faults.ended),
            "lost": flaws["lost"] + flaws["database"] + self.full_disk.lost,
            "duplicates": flaws["duplicate"],
            "broken": flaws["broken"],
            "full_disk": {
                "file_system": self.full_disk.file_system,
                "acknowledged": self.full_disk.acknowledged,
                "refused": self.full_disk.refused,
                "retried": self.full_disk.retried,
                "lost": self.full_disk.lost,
                "why_not": self.full_disk.why_not,
            },
            "second_writer_let_in": self.second_writer,
            "sabotages": len(self.caught),
            "sabotages_caught": len(self.caught) - len(slipped),
            "sabotages_missed": slipped,
            "caught_by": caught,
            "examples": examples,
            "held": self.held,
        }


def run_campaign(
    scratch: Path, *, states: int, faults: int, seed: int, sabotages: tuple[Sabotage, ...] = tuple(Sabotage)
) -> Campaign:
    """Run everything in a scratch folder. What a seed fixes is which states and faults are tried; keys are random."""
    campaign, rng = Campaign(seed), random.Random(seed)  # noqa: S311 - choices to repeat, not keys
    with Nursery(scratch) as nursery:
        for kind in sabotages:  # first: where they slip through, the long rest would prove nothing
            campaign.caught[kind] = how_caught(nursery, scratch, kind, rng)
        home, operations, campaign.second_writer = record_operations(nursery, scratch, "sound")
        campaign.power = try_power_cuts(nursery, scratch, home, operations, states, rng)
        campaign.faults = try_faults(nursery, scratch, faults, rng)
        campaign.full_disk = fill_a_disk(nursery, scratch)
    return campaign


def how_caught(nursery: Nursery, scratch: Path, kind: Sabotage, rng: random.Random) -> str | None:
    """The first thing that gave a sabotage away; None when nothing did."""
    if kind in CAUGHT_BY_FAULTS:
        found = try_faults(nursery, scratch, FAULTS_PER_SABOTAGE, rng, sabotage=kind)
        return f"fault {found.faults}: {found.examples[0]}" if found.examples else None
    home, operations, second = record_operations(nursery, scratch, kind.value, kind, SABOTAGE_VISITS)
    if second:
        return "a second counter was let in"
    cuts = try_power_cuts(nursery, scratch, home, operations, STATES_PER_SABOTAGE, rng, stop_at_first=True)
    return f"state {cuts.states}: {cuts.examples[0]}" if cuts.examples else None
