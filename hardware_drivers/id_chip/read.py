"""Reading an ID chip: a flat list of steps in the order of ICAO Doc 9303-11 §4.1."""

import time
from collections.abc import Callable, Collection
from enum import StrEnum

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.id_chip.active_auth import challenge_bytes
from hardware_drivers.id_chip.chip_auth import (
    EphemeralKey,
    Offer,
    chip_keys,
)
from hardware_drivers.id_chip.evidence import ChipEvidence
from hardware_drivers.id_chip.file_reader import (
    BlockTooLargeError,
)
from hardware_drivers.id_chip.files import (
    data_group,
)
from hardware_drivers.id_chip.keys import RandomBytes
from hardware_drivers.id_chip.mrz import MrzKey
from hardware_drivers.id_chip.pace_password import PacePassword
from hardware_drivers.id_chip.reading import FINGERPRINTS, USUAL_GROUPS, ChokedError, Reading
from hardware_drivers.id_chip.terminal_auth import TerminalCredential
from hardware_drivers.smartcard.channel import CardLink

ATTEMPTS_MAX = 8  # every block size once, and every protocol that a chip may choke on left out once


class ReadStep(StrEnum):
    """What is going on, for whoever watches a reading."""

    OPENING = "opening"
    ACCESS = "access"
    READING_SECURITY = "reading_security"
    READING_TEXT = "reading_text"
    READING_PORTRAIT = "reading_portrait"


def read_chip(
    link: CardLink,
    access: MrzKey | PacePassword,
    challenge: bytes,
    rng: RandomBytes,
    on_step: Callable[[str], None],
    *,
    groups: Collection[int] = USUAL_GROUPS,
    credential: TerminalCredential | None = None,
    offer: Callable[[bytes], Offer | None] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> ChipEvidence:
    """Everything the counter needs to judge this document, read but not judged.

    Args:
        link: An open card; it stays the caller's to close.
        access: The printed zone, or for PACE alone a CAN, PIN or PUK.
        challenge: 8 to 32 bytes from whoever is to be convinced that the chip is no copy.
        rng: Source of fresh random bytes (`secrets.token_bytes`).
        on_step: Told each `ReadStep` as it begins.
        groups: Data groups wanted besides 14 and 15; 3 only opens with a credential.
        credential: Terminal authentication, where the operator has it.
        offer: Asks the counter for its own run of chip authentication, given DG14 (see chip_auth.py); carrying it out
            is the last step of the reading.
        monotonic: Clock for `read_ms` and the timings, seconds.

    Raises:
        NotAnIdCardError: The card has no ID application.
        AccessDeniedError: The chip refused the key; check what was typed.
        TamperedAnswerError, MalformedFileError, StatusError: Chip or relay leave the protocol.
        DeviceError: Whatever the link raises: removed, mute, gone.
    """
    reading = Reading(
        link,
        access,
        challenge_bytes(challenge),
        challenge,
        rng,
        on_step,
        frozenset(groups),
        credential,
        offer,
        monotonic,
    )
    began = monotonic()
    for _ in range(ATTEMPTS_MAX):  # each begins from nothing: after an error many chips drop secure messaging
        try:
            _attempt(reading)
            return reading.evidence(round((monotonic() - began) * 1000))
        except BlockTooLargeError:
            reading.take_smaller_blocks()
        except ChokedError as choked:
            reading.go_on_without(choked)
    raise TamperedAnswerError("the chip broke off every attempt in another way")


def _attempt(reading: Reading) -> None:
    """All steps, in order."""
    plain = reading.begin_again()

    # 1. What does the chip offer? In clear, before the application is selected.
    reading.tell(ReadStep.OPENING)
    reading.look_around(plain)

    # 2. Show that we were given the document: by PACE where there is one, else by basic access.
    reading.tell(ReadStep.ACCESS)
    session, pace = reading.open(plain)

    # 3. What was signed? EF.COM is read because a verifier compares it; the security object decides what is there.
    reading.tell(ReadStep.READING_SECURITY)
    present = reading.take_signed_list(session, pace)
    infos = reading.take_infos(session, present)
    keys = chip_keys(infos)
    counter_runs = bool(keys) and reading.counter_may_run
    signs = 15 in present and not counter_runs

    # 4. Has the chip the private key to DG14? If so, go on under keys that a copy cannot follow. The counter's own run
    #    is worth more and replaces ours, unless terminal authentication is to build on it.
    ephemeral: EphemeralKey | None = None
    if keys and (not counter_runs or reading.credential is not None):
        session, ephemeral = reading.authenticate_chip(plain, session, keys[0], with_signing_key=signs)

    # 5. Who is it? And does the chip sign the challenge, unless the counter convinces itself at the end?
    reading.tell(ReadStep.READING_TEXT)
    reading.take(session, data_group(1), *([data_group(15)] if signs else []))
    if signs:
        reading.authenticate_actively(session)

    # 6. Fingerprints, where a state lets this terminal read them.
    if FINGERPRINTS in reading.groups & present:
        reading.read_fingerprints(session, ephemeral, pace)

    # 7. Further text, and the portrait last: it is by far the largest, and a screen can already show the rest.
    reading.take_details(session, sorted(reading.groups & present - {1, 2, FINGERPRINTS, 14, 15}))
    reading.tell(ReadStep.READING_PORTRAIT)
    if 2 in reading.groups:
        reading.take(session, data_group(2))

    # 8. The counter's run, under keys that this machine never has; nothing can be read afterwards. Where it cannot be,
    #    the chip's signature has to do.
    if counter_runs and not reading.carry_offer(plain, session, infos) and 15 in present:
        reading.take(session, data_group(15))
        reading.authenticate_actively(session)
    reading.tell("")
