"""A verification in words and in figures."""

from counter_server.records.canonical import Plain
from counter_server.records.verify import Verification


def as_lines(verification: Verification) -> list[str]:
    """One line per check; the last line is the answer."""
    lines = [f"{check.number:2d} {check.outcome.value:12s} {check.name}: {check.why}" for check in verification.checks]
    broken = verification.first_broken
    manifest = verification.manifest
    name = manifest.record_id if manifest is not None else "record"
    if broken is None:
        return [*lines, f"{name} is whole: {len(lines)} checks passed"]
    return [*lines, f"{name} is BROKEN, first at {broken.number} {broken.name}: {broken.why}"]


def as_figures(verification: Verification) -> dict[str, Plain]:
    """For `--json -`."""
    broken = verification.first_broken
    checks: list[Plain] = [
        {"number": check.number, "name": check.name, "outcome": check.outcome.value, "why": check.why}
        for check in verification.checks
    ]
    return {
        "record_id": None if verification.manifest is None else verification.manifest.record_id,
        "intact": verification.intact,
        "first_broken": None if broken is None else broken.name,
        "why": None if broken is None else broken.why,
        "manifest_sha256": verification.manifest_sha256,
        "checks": checks,
    }
