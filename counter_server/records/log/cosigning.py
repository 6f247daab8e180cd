"""Bringing a checkpoint to its witnesses (C2SP tlog-witness), from the log's side.

A witness that is away costs a few seconds and a missing line, never a record: the checkpoint stays valid, and the
next one asks again.
"""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable

from counter_server.records.log.checkpoint import Checkpoint, read_number, with_signatures
from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.note import LARGEST_NOTE, Note, read_signatures
from counter_server.records.log.policy import Witness
from counter_server.records.log.witness import Request

WAIT_S = 5.0  # a witness syncs one small file; whoever takes longer is asked again with the next checkpoint
MOST_TRIES = 3  # another publisher of this log may be quicker between question and answer
CONFLICT = 409

Consistency = Callable[[int, int], tuple[bytes, ...]]  # the log's own proof between two sizes


class _Stay(urllib.request.HTTPRedirectHandler):
    """A witness's address is the one in the policy and no other."""

    def redirect_request(self, *_words: object) -> None:
        """Never."""
        return


def ask_witness(witness: Witness, note: Note, checkpoint: Checkpoint, old: int, prove: Consistency) -> tuple[Note, int]:
    """The note with the witness's cosignature under it, and the size the witness remembers now.

    Args:
        old: The size this witness is believed to remember; it says so itself when that is wrong.
        prove: The consistency proof between two sizes. Blocking.

    Raises:
        LogUnprovenError: The witness refuses, is away, or its answer does not hold.
    """
    for _ in range(MOST_TRIES):
        if old > checkpoint.size:
            raise LogUnprovenError(f"{witness.name} knows a larger log than this checkpoint")
        request = Request(old, prove(old, checkpoint.size), note)
        status, body = _post(witness, request.spelling().encode())
        if status == http.HTTPStatus.OK:
            return _cosigned(witness, note, body), checkpoint.size
        remembered = _size(body) if status == CONFLICT else None
        if remembered is None or remembered == old:
            raise LogUnprovenError(f"{witness.name} refused this checkpoint ({status})")
        old = remembered
    raise LogUnprovenError(f"{witness.name} is asked by somebody else at the same time")


def _cosigned(witness: Witness, note: Note, body: bytes) -> Note:
    try:
        lines = read_signatures(body.decode("utf-8", errors="replace"))
    except LogFormatError as error:
        raise LogUnprovenError(f"{witness.name} answered with something else") from error
    theirs = tuple(each for each in lines if each.name == witness.key.name and each.key_id == witness.key.key_id)
    cosigned = with_signatures(note, theirs)
    if cosigned.signed_by(witness.key) is None:
        raise LogUnprovenError(f"{witness.name} answered without its signature")
    return cosigned


def _size(body: bytes) -> int | None:
    try:
        return read_number(body.decode("ascii", errors="replace").removesuffix("\n"))
    except LogFormatError:
        return None


def _post(witness: Witness, body: bytes) -> tuple[int, bytes]:
    if witness.url is None or not witness.url.startswith(("http://", "https://")):
        raise LogUnprovenError(f"{witness.name} has no address in the policy")
    address = witness.url.rstrip("/") + "/add-checkpoint"
    request = urllib.request.Request(address, data=body, method="POST")  # noqa: S310 - http or https, see above
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(request, timeout=WAIT_S) as answer:
            return int(answer.status), bytes(answer.read(LARGEST_NOTE))
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(LARGEST_NOTE)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LogUnprovenError(f"{witness.name} does not answer") from error
