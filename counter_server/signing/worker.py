"""The process that signs: one order after another over a pipe, its keys and its time stamper opened once.

Signing is 15 ms of arithmetic in Python and, with a token or a key service, waiting of unknown length; both belong
outside the server's loop, in a process that may be ended when its time is up.
"""

import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from counter_server.config import SigningSettings
from counter_server.records.errors import RecordError
from counter_server.records.verify_clock import CLOCKS_FILE, installed_clock_roots, read_clock_roots
from counter_server.signing.authority import Act, ContractAuthority
from counter_server.signing.clock_lists import FetchedLists
from counter_server.signing.contract import ContractDesk, sign_by_hand, sign_by_staff
from counter_server.signing.errors import SignerGoneError, SigningError
from counter_server.signing.key_rings import open_key_ring
from counter_server.signing.statement import SignerRole
from counter_server.signing.strokes import Strokes
from counter_server.signing.time_authority import RemoteTimeAuthority, TimeAuthority, TimeStamper


@dataclass(frozen=True, slots=True, repr=False)
class ByHand:
    """Put the customer's hand on this document, and leave places for the others."""

    pdf: bytes
    strokes: Strokes
    act: Act
    others: tuple[SignerRole, ...]


@dataclass(frozen=True, slots=True, repr=False)
class ByStaff:
    """Put the signature of somebody who works here on this contract."""

    pdf: bytes
    act: Act


Order = ByHand | ByStaff


@dataclass(frozen=True, slots=True, repr=False)
class Done:
    """The signed contract, or in our words why there is none."""

    pdf: bytes | None
    why: str = ""


def main(pipe: Connection, folder: Path, settings: SigningSettings) -> None:
    """Sign until the pipe closes, or until an order fails."""
    # Ctrl-C reaches the whole group and the counter ends us; SIGTERM ends us, as multiprocessing wants at exit
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    desk: ContractDesk | None = None
    try:
        while True:
            order: Order = pipe.recv()
            try:
                desk = desk or open_desk(folder, settings)
                pipe.send(Done(_sign(desk, order)))
            except (SigningError, RecordError, OSError) as error:
                pipe.send(Done(None, f"{type(error).__name__}: {error}"))
                return  # a token pulled, a service restarted: a token's library starts anew in a new process only
    except (EOFError, BrokenPipeError):
        return  # the counter is gone


def open_desk(folder: Path, settings: SigningSettings) -> ContractDesk:
    """Keys, authority and clock of one installation; `folder` is the home's folder of keys.

    Raises:
        SignerGoneError: A key does not answer, or the list of time stamp issuers leaves out our own authority.
    """
    now = datetime.now(UTC)
    authority = ContractAuthority(folder, open_key_ring(folder, settings), now)
    listed = installed_clock_roots(folder)
    roots = (authority.root,) if listed is None else read_clock_roots(listed)
    if settings.time_stamp_url:
        clock: TimeStamper = RemoteTimeAuthority(settings.time_stamp_url, roots)
        return ContractDesk(authority, clock, (), FetchedLists(roots, settings.list_networks))
    if authority.root not in roots:
        raise SignerGoneError(f"counter.toml: [signing] time_stamp_url is missing, and {CLOCKS_FILE} is there")
    own = authority.for_clock(now)
    return ContractDesk(authority, TimeAuthority(own.signer, own.certificate, (authority.root,)), (own.certificate,))


def _sign(desk: ContractDesk, order: Order) -> bytes:
    now = datetime.now(UTC)
    match order:
        case ByHand():
            return sign_by_hand(desk, order.pdf, order.strokes, order.act, order.others, now)
        case ByStaff():
            return sign_by_staff(desk, order.pdf, order.act, now)
