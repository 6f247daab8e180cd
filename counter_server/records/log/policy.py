"""Whom to believe about a log: its key, its witnesses, and how many of them (C2SP tlog-policy).

log <vkey>
witness <name> <vkey> [<url>]
group <name> all|any|<k> <name>...
quorum <name>|none
"""

from collections.abc import Collection
from dataclasses import dataclass

from counter_server.records.log.checkpoint import Checkpoint, open_checkpoint
from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.note import Algorithm, Note, VerifierKey

NOBODY = "none"
MOST_LINES = 500  # 32 logs, 32 witnesses and 32 groups are recommended; the rest is comments


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody outside who watches that the log keeps one history."""

    name: str
    key: VerifierKey
    url: str | None  # where checkpoints are brought; verifiers need none


@dataclass(frozen=True, slots=True)
class Group:
    """Witnessed when `least` of its members have witnessed."""

    name: str
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Which checkpoints are believed."""

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def open(self, note: Note) -> Checkpoint:
        """The checkpoint, when a log of this policy signed it. Its witnesses are another question."""
        known = [log for log in self.logs if note.signed_by(log) is not None]
        if not known:
            raise LogUnprovenError("not signed by a log of this policy")
        return open_checkpoint(note, known[0])

    def witnesses_of(self, note: Note) -> tuple[str, ...]:
        """Names of the witnesses whose cosignature is under the note; a wrong one raises `LogUnprovenError`."""
        return tuple(each.name for each in self.witnesses if note.signed_by(each.key) is not None)

    def satisfied_by(self, cosigned: Collection[str]) -> bool:
        """Whether these witnesses are the quorum."""
        reached = set(cosigned)
        for group in self.groups:  # each names only what stands above it
            if sum(member in reached for member in group.members) >= group.least:
                reached.add(group.name)
        return self.quorum == NOBODY or self.quorum in reached

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Read a policy file; `LogFormatError` names the line that is wrong."""
        logs: list[VerifierKey] = []
        witnesses: list[Witness] = []
        groups: list[Group] = []
        quorums: list[str] = []
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.replace("\t", " ").split(" ")
            match [word for word in words if word]:
                case []:
                    pass
                case [first, *_] if first.startswith("#"):
                    pass
                case ["log", spelling] | ["log", spelling, _]:
                    logs.append(_key(spelling, number, {Algorithm.ED25519}))
                case ["witness", name, spelling, *url] if len(url) < 2:
                    cosigning = set(Algorithm) - {Algorithm.ED25519}
                    key = _key(spelling, number, cosigning)
                    witnesses.append(Witness(name, key, url[0] if url else None))
                case ["group", name, least, *members] if members:
                    groups.append(Group(name, _least(least, len(members), number), tuple(members)))
                    _names_known(members, witnesses, groups[:-1], number)
                case ["quorum", name]:
                    quorums.append(name)
                    _names_known([] if name == NOBODY else [name], witnesses, groups, number)
                case _:
                    raise LogFormatError(f"line {number} of the policy is not understood")
            if number > MOST_LINES:
                raise LogFormatError("the policy is too long")
        if len(quorums) != 1:
            raise LogFormatError("a policy has exactly one quorum")
        policy = cls(tuple(logs), tuple(witnesses), tuple(groups), quorums[0])
        policy._refuse_doubles()
        return policy

    def _refuse_doubles(self) -> None:
        """One voice, one vote: no key, name or membership twice."""
        names = [each.name for each in self.witnesses] + [each.name for each in self.groups]
        members = [member for group in self.groups for member in group.members]
        # the same Ed25519 key may not come back under another name or type
        witness_keys = [each.key.public for each in self.witnesses]
        for listed in (names, members, witness_keys, [log.public for log in self.logs]):
            if len(set(listed)) != len(listed) or NOBODY in listed:
                raise LogFormatError("a key, name or member stands twice in the policy")


def _key(spelling: str, number: int, allowed: Collection[Algorithm]) -> VerifierKey:
    try:
        key = VerifierKey.parse(spelling)
    except LogFormatError as error:
        raise LogFormatError(f"line {number} of the policy: {error}") from error
    if key.algorithm not in allowed:
        raise LogFormatError(f"line {number} of the policy holds a key of the wrong kind")
    return key


def _least(word: str, members: int, number: int) -> int:
    if word in ("all", "any"):
        return members if word == "all" else 1
    if not word.isascii() or not word.isdigit() or not 1 <= int(word[:9]) <= members:
        raise LogFormatError(f"line {number} of the policy: a group has no such threshold")
    return int(word)


def _names_known(
    names: Collection[str], witnesses: Collection[Witness], groups: Collection[Group], number: int
) -> None:
    known = {each.name for each in witnesses} | {each.name for each in groups}
    if any(name not in known for name in names):
        raise LogFormatError(f"line {number} of the policy names somebody who does not stand above it")
