"""`counter card read | verify | sod | fuzz` and `counter bench card`: ID documents from the command line."""

import argparse
import contextlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from counter_server.card_table import check_lines, checks_document, report_document, report_lines, verdict_of
from counter_server.card_words import FAILURES, QUESTIONS, STEPS, VERDICTS, say
from counter_server.errors import StoppedError
from hardware_drivers.bench import ReaderKind, open_readers
from hardware_drivers.card_speed import measure_card
from hardware_drivers.errors import DeviceError, MalformedFileError
from hardware_drivers.id_chip.checks import MAY_BE_UNDECIDED, Outcome
from hardware_drivers.id_chip.evidence import load_evidence, save_evidence
from hardware_drivers.id_chip.fuzz import Tally, run_campaign
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.sod_report import sod_report
from hardware_drivers.id_chip.trust import TrustStore
from hardware_drivers.id_chip.verify import ChipReport, verify_evidence
from hardware_drivers.recording import Recorder
from hardware_drivers.smartcard.channel import CardLink
from webrtc.wire.message import Language

GENUINE, REFUSED, NOT_READ = 0, 1, 2
CAN_LENGTH = 6  # Doc 9303-11 §4.4.2: printed on the front
CHALLENGE_LENGTH = 8  # RND.IFD of active authentication, Doc 9303-11 §6.1

Provenance = Callable[[], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Opened:
    """What opens the chip: the printed zone, or a card access number."""

    access: MrzKey | PacePassword

    @property
    def zone(self) -> MrzKey | None:
        """The zone, where that is what was typed."""
        return self.access if isinstance(self.access, MrzKey) else None


def add_card_commands(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", provenance: Provenance
) -> None:
    """Add `card` with its commands. Each parser's `run(arguments) -> int` does it."""
    card = subparsers.add_parser("card", help="ID documents: read, verify, and try to break the reading")
    commands = card.add_subparsers(dest="card_command", required=True)

    reading = commands.add_parser("read", help="read a document on this desk and say whether to rely on it")
    reading.add_argument("--reader", default="", help="part of a PC/SC reader's name")
    reading.add_argument("--cable", type=int, metavar="PORT", help="no PC/SC: a simulated card joins here")
    reading.add_argument("--number", default="", help="document number; asked for when left out")
    reading.add_argument("--birth", type=date.fromisoformat, help="year-month-day")
    reading.add_argument("--expiry", type=date.fromisoformat, help="year-month-day")
    reading.add_argument("--can", default="", help="the 6-digit number on the front, instead of the three above")
    reading.add_argument("--portrait", type=Path, help="write the chip's portrait here")
    reading.add_argument("--evidence", type=Path, help="write all that was read here, for `counter card verify`")
    reading.add_argument("--record", type=Path, help="write what crossed the cable here, personal bytes masked")
    reading.add_argument("--wait", type=float, default=60.0, help="seconds to wait for a document")

    checking = commands.add_parser("verify", help="judge a reading again, wherever and whenever")
    checking.add_argument("evidence", type=Path, help="file that `counter card read --evidence` wrote")
    checking.add_argument("--portrait", type=Path, help="write the chip's portrait here")
    checking.add_argument("--challenge", type=bytes.fromhex, help="what the chip was to prove itself over, if known")

    files = commands.add_parser("sod", help="judge a security object and data groups that lie in files")
    files.add_argument("sod", type=Path, help="EF.SOD as on the chip")
    files.add_argument("--dg", action="append", default=[], metavar="N=FILE", help="data group N; repeatable")

    for parser, run in ((reading, _read), (checking, _verify), (files, _sod)):
        parser.add_argument("--trust", type=Path, help="folder of issuers; default: this installation's")
        parser.add_argument("--at", type=datetime.fromisoformat, help="judge by this moment instead of now")
        parser.add_argument("--language", choices=[one.value for one in Language], default="zh")
        parser.add_argument("--json", choices=["-"], help="one JSON object on standard output")
        parser.set_defaults(run=_explained(run, provenance))

    fuzzing = commands.add_parser("fuzz", help="read and judge hostile chips, very many of them")
    fuzzing.add_argument("--answers", type=int, default=1_000_000)
    fuzzing.add_argument("--seed", type=int, default=1)
    fuzzing.add_argument("--json", choices=["-"])
    fuzzing.set_defaults(run=lambda asked: _fuzz(asked, provenance))


def add_card_bench(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", provenance: Provenance) -> None:
    """Add `card` below `bench`."""
    bench = subparsers.add_parser("card", help="commands, journeys and milliseconds of a reading")
    bench.add_argument("--lists", type=Path, default=_known_lists(), help="folder with a master list (.ml) to load")
    bench.add_argument("--json", choices=["-"])
    bench.set_defaults(run=lambda asked: _bench(asked, provenance))


def _known_lists() -> Path | None:
    """The evaluation data's master lists, where they lie on this machine."""
    folder = Path(os.environ.get("COUNTER_EVALUATION_DATA", "../shared/data")) / "id_card" / "master_lists"
    return folder if folder.is_dir() else None


def _explained(
    run: Callable[[argparse.Namespace, Provenance], int], provenance: Provenance
) -> Callable[[argparse.Namespace], int]:
    """The command, with what a device or a file did wrong as a sentence."""

    def explained(asked: argparse.Namespace) -> int:
        try:
            return run(asked, provenance)
        except DeviceError as error:
            kind = type(error).__name__
            if asked.json:
                print(json.dumps({"error": kind, "why": str(error)} | provenance()))
            print(f"{say(FAILURES, kind, Language(asked.language))} ({error})", file=sys.stderr)
            return NOT_READ
        except OSError as error:
            raise StoppedError(f"{error.filename or 'file'}: {error.strerror or type(error).__name__}") from error

    return explained


def _read(asked: argparse.Namespace, provenance: Provenance) -> int:
    """A document on this desk."""
    language = Language(asked.language)
    trust = _trust(asked)
    opened = _ask_access(asked, language)
    kind = ReaderKind.PCSC if asked.cable is None else ReaderKind.CABLE
    readers = open_readers(kind, name_contains=asked.reader, cable_port=asked.cable or 0)
    readers.start()
    challenge = secrets.token_bytes(CHALLENGE_LENGTH)
    try:
        _tell("waiting", language)
        link = readers.wait_for_card(asked.wait, lambda: False)
        try:
            with _recorded(link, asked.record, readers.state().reader or "") as way:
                evidence = read_chip(
                    way, opened.access, challenge, secrets.token_bytes, lambda step: _tell(step, language)
                )
        finally:
            link.close()
        reader = readers.state().reader
    finally:
        readers.stop()
    _tell("judging", language)
    report = verify_evidence(
        evidence, trust, _moment(asked), access_key=opened.zone, challenge=challenge, own_terminal=True
    )
    if asked.evidence is not None:
        save_evidence(evidence, asked.evidence)
    more = {
        "reader": reader,
        "access": evidence.access,
        "read_ms": evidence.read_ms,
        "challenge": challenge.hex(),  # keep it beside the evidence: whoever verifies later asks for the proof over it
    }
    return _show(asked, report, more, provenance)


@contextlib.contextmanager
def _recorded(link: CardLink, path: Path | None, reader: str) -> Iterator[CardLink]:
    """The link, with a recorder over it where that was asked for."""
    if path is None:
        yield link
        return
    with path.open("w", encoding="ascii") as out:
        yield Recorder(link, out, reader)


def _verify(asked: argparse.Namespace, provenance: Provenance) -> int:
    """A reading in a file."""
    evidence = load_evidence(asked.evidence)
    report = verify_evidence(evidence, _trust(asked), _moment(asked), challenge=asked.challenge)
    return _show(asked, report, {"access": evidence.access, "read_ms": evidence.read_ms}, provenance)


def _sod(asked: argparse.Namespace, provenance: Provenance) -> int:
    """Files."""
    groups: dict[int, bytes] = {}
    for named in asked.dg:
        number, _, name = named.partition("=")
        if not number.isdecimal() or not 1 <= int(number) <= 16 or not name:
            raise StoppedError(f"--dg {named}: N=FILE with N from 1 to 16 wanted")
        groups[int(number)] = Path(name).read_bytes()
    checks = sod_report(asked.sod.read_bytes(), groups, _trust(asked), _moment(asked))
    bad = [
        check.name.value
        for check in checks
        if check.outcome is Outcome.FAILED
        or (check.outcome is Outcome.NOT_POSSIBLE and check.name not in MAY_BE_UNDECIDED)
    ]
    verdict = "refused" if bad else "genuine"
    if asked.json:
        document = {"verdict": verdict, "refused_by": bad, "checks": checks_document(checks)}
        print(json.dumps(document | provenance(), ensure_ascii=False))
    else:
        language = Language(asked.language)
        print(
            "\n".join([*check_lines(checks, language), "", say(VERDICTS, "refused" if bad else "sod_only", language)])
        )
    return REFUSED if bad else GENUINE


def _show(asked: argparse.Namespace, report: ChipReport, more: dict[str, Any], provenance: Provenance) -> int:
    """The report on standard output, the portrait into its file."""
    if asked.portrait is not None and report.portrait is not None:
        asked.portrait.touch(mode=0o600)
        asked.portrait.write_bytes(report.portrait.image)
    if asked.json:
        print(json.dumps(report_document(report) | more | provenance(), ensure_ascii=False))
    else:
        print("\n".join(["", *report_lines(report, Language(asked.language))]))
    return REFUSED if verdict_of(report) == "refused" else GENUINE


def _trust(asked: argparse.Namespace) -> TrustStore:
    """Whom to believe; an installation without any issuer can prove nothing, and the table says so."""
    folder: Path = asked.trust or asked.home / "trust"
    if not folder.is_dir():
        if asked.trust is None:
            return TrustStore.of([])
        raise StoppedError(f"{folder}: no such folder")
    try:
        return TrustStore.load(folder)
    except MalformedFileError as error:
        raise StoppedError(f"{folder}: {error}") from error


def _moment(asked: argparse.Namespace) -> datetime:
    """When to judge by, with zone."""
    at: datetime = asked.at or datetime.now(UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _ask_access(asked: argparse.Namespace, language: Language) -> Opened:
    """What is printed on the document, from the options or from whoever sits there."""
    if asked.can:
        return Opened(_can(asked.can))
    number = asked.number or _ask("number", language)
    if not asked.number and len(number) == CAN_LENGTH and number.isdecimal():
        return Opened(_can(number))
    try:
        birth = asked.birth or date.fromisoformat(_ask("birth", language))
        expiry = asked.expiry or date.fromisoformat(_ask("expiry", language))
    except ValueError as error:
        raise StoppedError("a date is written year-month-day, such as 1990-05-17") from error
    key = MrzKey(number.upper().replace(" ", ""), birth, expiry)
    key.mrz_information()  # refuses characters the zone does not know, before anybody waits for a card
    return Opened(key)


def _can(digits: str) -> PacePassword:
    """A card access number."""
    if not digits.isdecimal() or len(digits) != CAN_LENGTH:
        raise StoppedError(f"a CAN has {CAN_LENGTH} digits")
    return PacePassword.can(digits)


def _ask(question: str, language: Language) -> str:
    """One line from standard input; the question goes where progress goes."""
    print(say(QUESTIONS, question, language), end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        raise StoppedError("nothing was typed")
    return answer.strip()


def _tell(step: str, language: Language) -> None:
    """One line of progress."""
    print(say(STEPS, step, language), file=sys.stderr, flush=True)


def _fuzz(asked: argparse.Namespace, provenance: Provenance) -> int:
    """The campaign; 0 only when nothing was found."""

    def progress(tally: Tally) -> None:
        print(
            f"\r{tally.answers} answers: {tally.crashes} crashes, {tally.hangs} hangs, "
            f"{tally.false_genuine} false genuine",
            end="",
            file=sys.stderr,
            flush=True,
        )

    began = datetime.now(UTC)
    tally = run_campaign(asked.answers, asked.seed, progress)
    seconds = (datetime.now(UTC) - began).total_seconds()
    print(file=sys.stderr)
    figures: dict[str, object] = {
        "answers": tally.answers,
        "crashes": tally.crashes,
        "hangs": tally.hangs,
        "false_genuine": tally.false_genuine,
        "peak_mb": tally.peak_mb,
        "cases": tally.cases,
        "seed": asked.seed,
        "seconds": round(seconds, 1),
        "answers_per_s": round(tally.answers / max(seconds, 0.001)),
        "kinds": dict(tally.kinds.most_common()),
        "outcomes": dict(tally.outcomes.most_common()),
        "findings": tally.findings,
    }
    _print_figures(asked, figures, provenance)
    return REFUSED if tally.crashes or tally.hangs or tally.false_genuine else GENUINE


def _bench(asked: argparse.Namespace, provenance: Provenance) -> int:
    """The speed of a reading."""
    _print_figures(asked, measure_card(asked.lists), provenance)
    return GENUINE


def _print_figures(asked: argparse.Namespace, figures: dict[str, object], provenance: Provenance) -> None:
    """One JSON object, or a table."""
    if asked.json:
        print(json.dumps(figures | provenance(), ensure_ascii=False))
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, inner in value.items():
                print(f"  {key:38} {inner}")
        elif isinstance(value, list):
            for line in value:
                print(f"{name}: {line}")
        else:
            print(f"{name:40} {value}")
