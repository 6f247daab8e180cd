"""The demo: `python -m tests.journeys.demo [--auto] [--lan] [--reader NAME] [--hsm softhsm] [--finger KIND]`.

Without --auto it opens the house, prints where to go and who to be, and puts cards on the reader as you ask.
"""

import argparse
import contextlib
import datetime
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from playwright.sync_api import Error as PlaywrightError

from hardware_drivers.fingerprint.simulated import HandFault
from tests.counter_server.signing import softhsm
from tests.journeys.browsers import NoChromiumError, two_browsers
from tests.journeys.desk import CardName, Desk, Wallet, make_wallet
from tests.journeys.glass import CUSTOMER, STRANGER, GlassKind
from tests.journeys.local_ca import make_lan
from tests.journeys.photographs import PhotographsError
from tests.journeys.programs import REPOSITORY, ProgramError
from tests.journeys.reader import real_reader
from tests.journeys.report import Report, StoryError
from tests.journeys.stack import Stack, running_stack
from tests.journeys.story import Story
from webrtc.engine import EngineKind

KEYS = {
    "1": CardName.GENUINE,
    "2": CardName.IMPOSTOR,
    "3": CardName.EXPIRED,
    "4": CardName.UNKNOWN_ISSUER,
    "5": CardName.TAMPERED,
    "6": CardName.COPIED,
}
MEANING = {
    CardName.GENUINE: "a genuine card",
    CardName.IMPOSTOR: "a genuine card of somebody else",
    CardName.EXPIRED: "expired yesterday",
    CardName.UNKNOWN_ISSUER: "signed by a state nobody trusts",
    CardName.TAMPERED: "one bit of the portrait changed",
    CardName.COPIED: "a copy: every file of a genuine card, none of its keys",
}

FINGERS: dict[str, tuple[int, HandFault | None, str]] = {
    "f": (CUSTOMER, None, "the customer's finger"),
    "fs": (STRANGER, None, "a stranger's finger"),
    "fw": (CUSTOMER, HandFault.WET, "a dripping wet finger"),
    "fl": (CUSTOMER, HandFault.LIFTED, "a finger lifted early"),
    "fu": (CUSTOMER, HandFault.UNPLUGGED, "the scanner is unplugged"),
}


def main() -> int:
    """Run the demo; 0 only if all of it held."""
    parser = argparse.ArgumentParser(prog="./run demo", description="The whole house on this machine.")
    parser.add_argument("--auto", action="store_true", help="play the whole story in two headless browsers")
    parser.add_argument("--lan", action="store_true", help="serve phones and consoles over TLS on the local network")
    parser.add_argument("--reader", default="", help="use this plugged-in PC/SC reader (a part of its name)")
    parser.add_argument("--portrait", type=Path, help="a photograph of you, to be the portrait in the simulated card")
    parser.add_argument("--trust", type=Path, action="append", default=[], help="CSCA certificate or master list")
    parser.add_argument("--hsm", choices=("softhsm",), help="keep the counter's keys in a token of the demo's own")
    parser.add_argument(
        "--finger", choices=list(GlassKind), default=GlassKind.SIMULATED, help="the kiosk's fingerprint scanner"
    )
    parser.add_argument("--media", choices=list(EngineKind), help="who carries the calls; default: the counter's own")
    wishes = parser.parse_args()
    if wishes.media:
        os.environ["COUNTER_MEDIA"] = wishes.media  # for the counter the demo starts
    signal.signal(signal.SIGTERM, as_keyboard_interrupt)
    folder = REPOSITORY / "var" / "demo" / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    print(f"everything of this run lies in {folder.relative_to(REPOSITORY)}", flush=True)
    try:
        if wishes.hsm:
            print(f"keys lie in {keep_keys_in_a_token(folder)}", flush=True)
        return auto(folder, GlassKind(wishes.finger)) if wishes.auto else interactive(folder, wishes)
    except KeyboardInterrupt:
        print("\nstopped")
        return 130
    except (ProgramError, PhotographsError, NoChromiumError) as problem:
        print(f"the demo stops: {problem}", file=sys.stderr)
        return 1


def keep_keys_in_a_token(folder: Path) -> str:
    """A SoftHSM token below the demo's folder, and a counter told to use it; what to call it.

    Raises:
        ProgramError: SoftHSM is not installed.
    """
    library = softhsm.module()
    if library is None:
        raise ProgramError("--hsm: SoftHSM is missing. To get it: sudo apt-get install softhsm2")
    configuration, settings = softhsm.make_token(folder / "hsm", library)
    os.environ[softhsm.CONFIGURATION] = str(configuration)  # for every program the demo starts
    home = folder / "counter"
    home.mkdir(mode=0o700)
    told = settings.model_dump(mode="json", include={"keys", "pkcs11_module", "token_label", "secret_file"})
    lines = ["[signing]", *(f'{name} = "{value}"' for name, value in told.items())]
    (home / "counter.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"the SoftHSM token {settings.token_label!r}, {configuration.parent.relative_to(REPOSITORY)}"


def as_keyboard_interrupt(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the demo as Ctrl-C does: in order, with nothing left behind."""
    raise KeyboardInterrupt


def auto(folder: Path, finger: GlassKind = GlassKind.SIMULATED) -> int:
    """The story, played; 0 only if every step held."""
    report = Report(folder)
    held = False
    try:
        wallet = make_wallet(folder / "cards")
        report.chapter("The house opens")
        with contextlib.ExitStack() as house:
            with report.step("counter, kiosk and reader start"):
                stack = house.enter_context(running_stack(folder, trusted=(wallet.csca,), finger=finger))
            print(f"  cards on {stack.reader.words}")
            with report.step("two Chromiums start"):
                browsers = house.enter_context(two_browsers())
            desk = house.enter_context(tidy(Desk(stack.reader, folder / "logs")))
            Story(stack, wallet, desk, browsers, report, []).play()
        held = True
    except (StoryError, AssertionError, PlaywrightError) as problem:
        print(f"\nthe story did not hold: {problem}", file=sys.stderr)
    finally:
        report.write(held=held)
    print(f"\n{'The whole story held.' if held else 'The story did NOT hold.'} Pictures, logs and records: {folder}")
    return 0 if held else 1


@contextlib.contextmanager
def tidy(desk: Desk) -> Iterator[Desk]:
    """A desk without a forgotten card."""
    try:
        yield desk
    finally:
        desk.pull()


def interactive(folder: Path, wishes: argparse.Namespace) -> int:
    """Open the house and serve the reader until the user leaves."""
    print("opening the house: counter, kiosk and card reader; about 20 seconds", flush=True)
    lan, ca_file = make_lan(folder / "tls") if wishes.lan else (None, None)
    reader = real_reader(wishes.reader) if wishes.reader else None
    wallet = make_wallet(folder / "cards", portrait_of_visitor=wishes.portrait)
    finger = GlassKind(wishes.finger)
    with running_stack(folder, reader=reader, trusted=(wallet.csca, *wishes.trust), lan=lan, finger=finger) as stack:
        print_addresses(stack, ca_file)
        if wishes.reader:
            print(f"Cards: put yours on {stack.reader.words}. Ctrl-C ends.")
            signal.pause()
        with tidy(Desk(stack.reader, folder / "logs")) as desk:
            serve_reader(desk, wallet, stack, own_face=wishes.portrait is not None)
    return 0


def print_addresses(stack: Stack, ca_file: Path | None) -> None:
    """Where to go and who to be."""
    print("\nOpen in a browser of your own, kiosk and console in two windows:")
    print(f"\n  kiosk    {stack.kiosk_url}   the customer's touch page; your camera is its camera")
    print("  phone    on the kiosk's page, 'Continue on your phone' makes a one-time link")
    print(f"  console  {stack.console_url}   log in as a clerk; whoever approves must be the other one")
    for clerk in stack.clerks.values():
        print(f"           user {clerk.username:<6} password {clerk.password}   ({', '.join(clerk.roles)})")
    if ca_file is not None:
        print(f"  a phone must trust {ca_file} first (it vouches for this one address only)")


def serve_reader(desk: Desk, wallet: Wallet, stack: Stack, *, own_face: bool) -> None:
    """Cards on and off the reader by keys, until the input ends or says q."""
    print(f"\nCards lie on {stack.reader.words}. On the kiosk's page choose a service, type what stands behind a")
    print("card below (number, birth, expiry), then put that card on the reader: its number here, and Enter.")
    for key, name in KEYS.items():
        card = wallet.cards[name]
        print(
            f"  {key}  {MEANING[name]}: document number {card.document_number}, "
            f"born {card.date_of_birth}, expires {card.date_of_expiry} ({card.holder})"
        )
    if own_face:
        print("  Every card but 2 carries your photograph, so your own face passes.")
    else:
        print("  The portraits are of other people: your own face will be refused at the camera, as it should be.")
        print("  To pass it: ./run demo --portrait me.jpg (a photograph of you)")
    if stack.glass is not None:
        print("Fingers of people who do not exist; the one you chose last comes when the kiosk asks for it:")
        for key, (_, _, meaning) in FINGERS.items():
            print(f"  {key:<2} {meaning}")
    print("  r  take the card off      q  end the demo", flush=True)
    if not sys.stdin.isatty():
        with contextlib.suppress(KeyboardInterrupt):
            desk.put(wallet.cards[CardName.GENUINE])
            print("no terminal here: the genuine card lies on the reader; Ctrl-C or SIGTERM ends", flush=True)
            signal.pause()
        return
    for line in sys.stdin:
        word = line.strip().lower()
        if word == "q":
            return
        if word == "r":
            desk.pull()
            print("  the reader is empty")
        elif stack.glass is not None and word in FINGERS:
            person, fault, meaning = FINGERS[word]
            stack.glass.come(person, fault)
            print(f"  at the fingerprint scanner: {meaning}", flush=True)
        elif word in KEYS:
            desk.put(wallet.cards[KEYS[word]])
            print(f"  on the reader: {MEANING[KEYS[word]]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
