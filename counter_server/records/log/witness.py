"""A witness: `python -m counter_server.records.log.witness --key FILE --state FILE --log VKEY`.

Somebody outside runs it. It remembers the last checkpoint of each log it knows, signs a newer one only with a proof
that nothing before it changed (C2SP tlog-witness and tlog-cosignature), and has its memory on the disk before it
answers. A witness must never be set back to a backup of its state: it would sign a second history.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from counter_server.records.canonical import Plain, canonical_bytes, read_canonical
from counter_server.records.durable import make_folder, replace_file, write_once
from counter_server.records.errors import RecordError
from counter_server.records.log.checkpoint import Checkpoint, open_checkpoint, read_number
from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.merkle import EMPTY_ROOT, HASH_BYTES, check_consistency
from counter_server.records.log.note import LARGEST_NOTE, Algorithm, Note, SignerKey, VerifierKey
from counter_server.records.log.proof import read_hashes, spell_hashes
from counter_server.records.log.signers import read_signer, write_signer

STATE_FORMAT = "visual-counter-witness/1"
LARGEST_REQUEST = LARGEST_NOTE + 63 * 45 + 64  # tlog-witness: at most 63 hashes before the checkpoint
SLOWEST_CLIENT_S = 10.0
MOST_EVIDENCE = 16  # per log: who holds the log's key could fill the disk otherwise
USAGE_ERROR = 2
ALGORITHMS = {"ed25519": Algorithm.COSIGNATURE_ED25519, "ml-dsa-44": Algorithm.COSIGNATURE_MLDSA44}


class Answer(NamedTuple):
    """What tlog-witness answers: an HTTP status and its body."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A checkpoint to cosign, and the proof that it continues the one before."""

    old: int
    path: tuple[bytes, ...]
    note: Note

    def spelling(self) -> str:
        """The body of `add-checkpoint`."""
        return f"old {self.old}\n{spell_hashes(self.path)}\n{self.note.spelling()}"

    @classmethod
    def parse(cls, body: bytes) -> "Request":
        """Read a body; `LogFormatError` for anything else."""
        head, gap, note = body.partition(b"\n\n")
        first, *hashes = head.decode("ascii", errors="replace").split("\n")
        if not gap or not first.startswith("old "):
            raise LogFormatError("not a request to a witness")
        return cls(read_number(first.removeprefix("old ")), read_hashes(hashes), Note.parse(note))


@dataclass(slots=True)
class Remembered:
    """The last checkpoint cosigned for one log, and signed checkpoints that contradict it."""

    size: int
    root: bytes
    evidence: tuple[str, ...] = ()


class Memory:
    """What a witness must never forget. One file, replaced durably at every change."""

    def __init__(self, path: Path, logs: dict[str, Remembered]) -> None:
        self._path = path
        self._logs = logs

    @classmethod
    def create(cls, path: Path) -> None:
        """An empty memory, for a witness that never signed; `LogFormatError` when there is one already."""
        make_folder(path.parent)
        if not write_once(path, _state_bytes({})):
            raise LogFormatError(f"{path.name} exists already")

    @classmethod
    def load(cls, path: Path) -> "Memory":
        """Read the file. Missing or damaged it raises `LogFormatError`: a witness without memory must not sign."""
        try:
            stored = path.read_bytes()
        except OSError as error:
            raise LogFormatError(
                f"{path.name}: {error.strerror}. A witness without its memory must not sign"
            ) from error
        return cls(path, _read_state(stored))

    def of(self, origin: str) -> Remembered:
        """What is remembered of a log."""
        return self._logs.get(origin, Remembered(0, EMPTY_ROOT))

    def keep(self, origin: str, remembered: Remembered) -> None:
        """Remember, durably; `StoreError` or OSError when the disk refuses, and then nothing may be answered."""
        logs = {**self._logs, origin: remembered}
        replace_file(self._path, _state_bytes(logs))
        self._logs = logs


class Witness:
    """Cosigns checkpoints of the logs it knows, one at a time."""

    def __init__(
        self, key: SignerKey, logs: tuple[VerifierKey, ...], memory: Memory, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = key
        self._logs = {log.name: log for log in logs}
        self._memory = memory
        self._clock = clock
        self._one = threading.Lock()  # tlog-witness: comparing and remembering is one step

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request as tlog-witness says."""
        try:
            request = Request.parse(body)
            checkpoint = Checkpoint.parse(request.note.text)
        except LogFormatError as error:
            return Answer(400, f"{error}\n")
        log = self._logs.get(checkpoint.origin)
        if log is None:
            return Answer(404, "this log is not known here\n")
        try:
            open_checkpoint(request.note, log)
        except LogUnprovenError as error:
            return Answer(403, f"{error}\n")
        if request.old > checkpoint.size:
            return Answer(400, "the old size is the larger one\n")
        try:
            with self._one:
                return self._decide(request, checkpoint)
        except (RecordError, OSError):  # what could not be remembered is not signed
            return Answer(500, "the witness could not write its memory\n")

    def _decide(self, request: Request, checkpoint: Checkpoint) -> Answer:
        known = self._memory.of(checkpoint.origin)
        if request.old != known.size:
            return Answer(409, f"{known.size}\n", "text/x.tlog.size")
        if checkpoint.size == known.size and checkpoint.root != known.root:
            self._note_fork(request, checkpoint, known)
            return Answer(409, f"{known.size}\n", "text/x.tlog.size")
        try:
            check_consistency(known.size, checkpoint.size, request.path, known.root, checkpoint.root)
        except LogUnprovenError as error:
            return Answer(422, f"{error}\n")  # no evidence: anybody can bring a wrong proof for a right checkpoint
        self._memory.keep(checkpoint.origin, Remembered(checkpoint.size, checkpoint.root, known.evidence))
        return Answer(200, self._key.sign(request.note.text, int(self._clock())))

    def _note_fork(self, request: Request, checkpoint: Checkpoint, known: Remembered) -> None:
        """Keep the second history that the log signed: with the first it is proof, and the log cannot deny it."""
        note = request.note.spelling()
        if note not in known.evidence and len(known.evidence) < MOST_EVIDENCE:
            self._memory.keep(checkpoint.origin, Remembered(known.size, known.root, (*known.evidence, note)))


def serve(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """An HTTP door, not yet running; `server.serve_forever()` opens it. Port 0 picks a free one."""

    class Door(BaseHTTPRequestHandler):
        timeout = SLOWEST_CLIENT_S
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """`add-checkpoint`; everything else is not here."""
            length = self.headers.get("Content-Length", "")
            if not self.path.endswith("/add-checkpoint"):
                self._say(Answer(404, "not here\n"))
            elif not length.isascii() or not length.isdigit() or int(length[:9]) > LARGEST_REQUEST:
                self._say(Answer(413, "too large\n"))
            else:
                self._say(witness.add_checkpoint(self.rfile.read(int(length[:9]))))

        def _say(self, answer: Answer) -> None:
            body = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_words: object) -> None:
            """Nothing: who asks is not noted."""

    return ThreadingHTTPServer((host, port), Door)


def main(words: list[str]) -> int:
    """Make a witness's key and memory, answer one request from standard input, or serve."""
    parser = argparse.ArgumentParser(
        prog="python -m counter_server.records.log.witness", description="cosigns checkpoints of logs it has watched"
    )
    parser.add_argument("--key", type=Path, required=True, help="the witness's private key")
    parser.add_argument("--state", type=Path, required=True, help="its memory; never restore it from a backup")
    parser.add_argument("--create", metavar="NAME", help="make key and memory of a new witness, print its public key")
    parser.add_argument("--algorithm", choices=sorted(ALGORITHMS), default="ed25519", help="of a new key")
    parser.add_argument("--log", action="append", default=[], metavar="VKEY", help="a log to watch; repeatable")
    parser.add_argument("--once", action="store_true", help="answer one request on standard input")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8071)
    asked = parser.parse_args(words)
    try:
        if asked.create:
            made = write_signer(asked.key, asked.create, ALGORITHMS[asked.algorithm])
            Memory.create(asked.state)
            print(made.verifier.spelling())
            return 0
        logs = tuple(VerifierKey.parse(spelling) for spelling in asked.log)
        witness = Witness(_cosigning(read_signer(asked.key)), logs, Memory.load(asked.state))
        if asked.once:
            answer = witness.add_checkpoint(sys.stdin.buffer.read(LARGEST_REQUEST + 1))
            print(answer.body, end="")
            return 0 if answer.status == 200 else 1
        with serve(witness, asked.host, asked.port) as server:
            host, port = server.server_address[:2]
            print(json.dumps({"ready": True, "url": f"http://{host!s}:{port}"}), flush=True)
            server.serve_forever()
    except KeyboardInterrupt:
        return 0
    except (RecordError, OSError) as error:
        print(f"witness: {error}", file=sys.stderr)
        return USAGE_ERROR
    return 0


def _cosigning(key: SignerKey) -> SignerKey:
    if key.algorithm is Algorithm.ED25519:
        raise LogFormatError("this is a log's key, not a witness's")
    return key


def _state_bytes(logs: dict[str, Remembered]) -> bytes:
    plain: dict[str, Plain] = {
        origin: {"size": each.size, "root": each.root.hex(), "evidence": list(each.evidence)}
        for origin, each in logs.items()
    }
    return canonical_bytes({"format": STATE_FORMAT, "logs": plain})


def _read_state(stored: bytes) -> dict[str, Remembered]:
    match read_canonical(stored):
        case {"format": "visual-counter-witness/1", "logs": dict() as logs, **rest} if not rest:
            return {origin: _remembered(each) for origin, each in logs.items()}
    raise LogFormatError("not the memory of a witness")


def _remembered(plain: Plain) -> Remembered:
    match plain:
        case {"size": int() as size, "root": str() as root, "evidence": list() as evidence, **rest} if not rest:
            try:
                hashed = bytes.fromhex(root)
            except ValueError as error:
                raise LogFormatError("not the memory of a witness") from error
            if len(hashed) == HASH_BYTES and size >= 0:
                return Remembered(size, hashed, tuple(str(note) for note in evidence))
    raise LogFormatError("not the memory of a witness")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
