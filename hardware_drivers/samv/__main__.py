"""Read one Chinese ID card and show the person and every check.

    python -m hardware_drivers.samv --device /dev/serial/by-id/...
    python -m hardware_drivers.samv --usb
    python -m hardware_drivers.samv --emulate            a reader and a card of nobody, without hardware

Leaves with 0 when no check failed, 1 when one did, 2 when nothing could be read.
"""

import argparse
import contextlib
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from hardware_drivers.errors import DeviceError
from hardware_drivers.id_chip.checks import Outcome
from hardware_drivers.samv.commands import module_number
from hardware_drivers.samv.emulator import SamvEmulator
from hardware_drivers.samv.errors import PluginError, PluginFault
from hardware_drivers.samv.evidence import SamvEvidence
from hardware_drivers.samv.people import generated_card
from hardware_drivers.samv.plugin import MakerLibrary, Picture, program, wlt2bmp_library
from hardware_drivers.samv.ports import DEFAULT_BAUD, SPEEDS, Port, SerialPort
from hardware_drivers.samv.present import Language, report_lines, trouble
from hardware_drivers.samv.reader import SamvReader
from hardware_drivers.samv.text import CardKind
from hardware_drivers.samv.usb_port import UsbPort
from hardware_drivers.samv.verify import SamvReport, verify_evidence

KIND_WORDS = {kind.name.lower(): kind for kind in CardKind}
READER_WAIT_S = 3.0


def arguments() -> argparse.ArgumentParser:
    """What can be asked of this command."""
    parser = argparse.ArgumentParser(prog="python -m hardware_drivers.samv", description="Read a Chinese ID card.")
    cable = parser.add_mutually_exclusive_group(required=True)
    cable.add_argument("--device", metavar="PATH", help="serial line of the reader")
    cable.add_argument("--usb", action="store_true", help="the first known reader on USB (needs pyusb)")
    cable.add_argument(
        "--emulate", nargs="?", const="citizen", choices=sorted(KIND_WORDS), help="no hardware: a card of nobody"
    )
    parser.add_argument("--baud", type=int, default=DEFAULT_BAUD, choices=sorted(SPEEDS))
    parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="for a card")
    parser.add_argument("--fingerprints", action="store_true", help="ask for stored fingerprints too")
    library = parser.add_mutually_exclusive_group()
    library.add_argument("--maker-program", metavar="COMMAND", help="your licensed decoder; protocol in plugin.py")
    library.add_argument("--maker-library", metavar="FILE", help="your licensed libwlt2bmp.so or the like")
    parser.add_argument(
        "--enrolled", action="append", default=[], metavar="HEX", help="16-byte number of a known module"
    )
    parser.add_argument("--language", type=Language, default=Language.ENGLISH, choices=list(Language))
    parser.add_argument("--json", metavar="FILE", help="write person and checks as JSON; - for standard output")
    return parser


@contextlib.contextmanager
def cable(asked: argparse.Namespace) -> Iterator[Callable[[], Port]]:
    """What opens the reader, with the emulator behind it where asked."""
    if asked.emulate:
        print("emulated reader, card of nobody", file=sys.stderr)
        card = generated_card(KIND_WORDS[asked.emulate], seed=1, added_addresses=1)
        with SamvEmulator(card) as emulator:
            yield lambda: SerialPort(str(emulator.path))
    elif asked.usb:
        yield UsbPort
    else:
        yield lambda: SerialPort(asked.device, asked.baud)


def read_card(open_port: Callable[[], Port], asked: argparse.Namespace) -> SamvEvidence:
    """One card, with progress on standard error."""
    reader = SamvReader(open_port)
    try:
        info = reader.wait_for_reader(READER_WAIT_S, lambda: False)
        print(f"reader ready, module {info.module_number}", file=sys.stderr)
        print("lay the card on the reader ...", file=sys.stderr)
        reader.wait_for_card(asked.wait, lambda: False)
        print("card found, reading: do not move it ...", file=sys.stderr)
        evidence = reader.read(fingerprints=asked.fingerprints)
        print(f"read in {evidence.read_ms} ms; the card may be taken", file=sys.stderr)
        return evidence
    finally:
        reader.close()


def decode(asked: argparse.Namespace, photo_wlt: bytes) -> Picture | PluginFault | None:
    """The portrait by the operator's library, how that failed, or None without one."""
    library: MakerLibrary
    if asked.maker_program:
        library = program(shlex.split(asked.maker_program))
    elif asked.maker_library:
        library = wlt2bmp_library(Path(asked.maker_library))
    else:
        return None
    try:
        return library.decode_portrait(photo_wlt)
    except PluginError as error:
        return error.fault


def as_json(report: SamvReport, evidence: SamvEvidence) -> str:
    """Person and checks for machines."""
    holder = None
    if report.holder is not None:
        holder = {**asdict(report.holder), "kind": report.holder.kind.name.lower()}
    said = {
        "person": holder,
        "checks": [asdict(check) for check in report.checks],
        "module": module_number(evidence.module_id),
        "read_ms": evidence.read_ms,
    }
    return json.dumps(said, ensure_ascii=False, indent=2, default=str)


def main(words: list[str] | None = None) -> int:
    """Read, judge, show."""
    asked = arguments().parse_args(words)
    enrolled = frozenset(bytes.fromhex(number) for number in asked.enrolled)
    try:
        with cable(asked) as open_port:
            evidence = read_card(open_port, asked)
    except DeviceError as error:
        print(trouble(error, asked.language), file=sys.stderr)
        return 2
    portrait = decode(asked, evidence.photo_wlt)
    report = verify_evidence(evidence, datetime.now().astimezone(), portrait=portrait, enrolled_modules=enrolled)
    if asked.json == "-":
        print(as_json(report, evidence))
    else:
        print("\n".join(report_lines(report, asked.language)))
        if asked.json:
            Path(asked.json).write_text(as_json(report, evidence), encoding="utf-8")
    return 1 if any(check.outcome is Outcome.FAILED for check in report.checks) else 0


if __name__ == "__main__":
    sys.exit(main())
