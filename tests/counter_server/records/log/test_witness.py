"""A witness signs one history, remembers before it answers, and is asked over a real door."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from counter_server.records.log.checkpoint import Checkpoint, with_signatures
from counter_server.records.log.cosigning import ask_witness
from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.merkle import Tree, consistency_path, leaf_hash, root_of
from counter_server.records.log.note import Algorithm, Note, VerifierKey, read_signatures
from counter_server.records.log.policy import Witness as ListedWitness
from counter_server.records.log.witness import Request, serve
from tests.counter_server.records.log.builders import Log, build_log, build_witness, load_witness, witness_key


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return build_log(tmp_path)


def tree_of(size: int, salt: str = "") -> Tree:
    tree = Tree()
    for number in range(size):
        tree.append(leaf_hash(f"{salt if number > 4 else ''}{number}".encode()))
    return tree


def signed(log: Log, tree: Tree, size: int) -> Note:
    key = log.publisher.key
    return Checkpoint(key.name, size, root_of(tree.read, size)).sign(key)


def request(log: Log, tree: Tree, old: int, new: int) -> bytes:
    return Request(old, consistency_path(tree.read, old, new), signed(log, tree, new)).spelling().encode()


@pytest.mark.parametrize("algorithm", [Algorithm.COSIGNATURE_ED25519, Algorithm.COSIGNATURE_MLDSA44])
def test_it_cosigns_what_continues(log: Log, tmp_path: Path, algorithm: Algorithm) -> None:
    witness, tree = build_witness(tmp_path, log, "w1", algorithm), tree_of(30)
    for old, new in ((0, 3), (3, 8), (8, 8), (8, 30)):
        answer = witness.add_checkpoint(request(log, tree, old, new))
        assert answer.status == 200
        note = with_signatures(signed(log, tree, new), read_signatures(answer.body))
        assert note.signed_by(witness_key("w1", algorithm).verifier) is not None


def test_it_refuses_every_fork_also_after_a_restart_and_keeps_the_evidence(log: Log, tmp_path: Path) -> None:
    honest, forked = tree_of(30), tree_of(30, "forked")
    assert build_witness(tmp_path, log, "w1").add_checkpoint(request(log, honest, 0, 20)).status == 200
    witness = load_witness(tmp_path, log, "w1")
    same_size = witness.add_checkpoint(request(log, forked, 20, 20))
    assert (same_size.status, same_size.body) == (409, "20\n")
    assert witness.add_checkpoint(request(log, forked, 20, 30)).status == 422
    assert (witness.add_checkpoint(request(log, forked, 0, 30)).status) == 409
    assert witness.add_checkpoint(request(log, honest, 10, 30)).status == 409  # an old size it has left behind
    assert witness.add_checkpoint(request(log, honest, 20, 30)).status == 200
    state = json.loads((tmp_path / "w1.state").read_text())
    (evidence,) = state["logs"][log.publisher.key.name]["evidence"]
    assert Note.parse(evidence.encode()) == signed(log, forked, 20)


def test_it_answers_strangers_as_the_standard_says(log: Log, tmp_path: Path) -> None:
    witness, tree = build_witness(tmp_path, log, "w1"), tree_of(5)
    good = request(log, tree, 0, 5)
    assert witness.add_checkpoint(b"old 0\n\nnothing").status == 400
    assert witness.add_checkpoint(good.replace(b"old 0", b"old 00")).status == 400
    assert witness.add_checkpoint(good.replace(b"old 0", b"old 6")).status == 400
    assert witness.add_checkpoint(good.replace(log.publisher.key.name.encode(), b"unknown.example")).status == 404
    name = log.publisher.key.name
    stranger = Request(0, (), Checkpoint(name, 5, bytes(32)).sign(log.publisher.key)).spelling().encode()
    forged = stranger.replace(b"\n5\n", b"\n6\n")
    assert witness.add_checkpoint(forged).status == 403
    assert witness.add_checkpoint(good).status == 200


def test_it_does_not_sign_what_it_cannot_remember(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses at the sync: no signature leaves, and the old size is still what it knows."""
    witness, tree = build_witness(tmp_path, log, "w1"), tree_of(9)
    assert witness.add_checkpoint(request(log, tree, 0, 4)).status == 200

    def refuse(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "fsync", refuse)
        answer = witness.add_checkpoint(request(log, tree, 4, 9))
    assert (answer.status, "\u2014" in answer.body) == (500, False)
    assert load_witness(tmp_path, log, "w1").add_checkpoint(request(log, tree, 4, 9)).status == 200


def test_without_its_memory_it_does_not_start(log: Log, tmp_path: Path) -> None:
    build_witness(tmp_path, log, "w1")
    with pytest.raises(LogFormatError):
        build_witness(tmp_path, log, "w1")  # made once, never again over what is there
    (tmp_path / "w1.state").unlink()
    with pytest.raises(LogFormatError, match="must not sign"):
        load_witness(tmp_path, log, "w1")


@pytest.fixture
def door(log: Log, tmp_path: Path) -> Iterator[ListedWitness]:
    server = serve(build_witness(tmp_path, log, "w1"), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield ListedWitness("w1", witness_key("w1").verifier, f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_log_asks_over_http_and_learns_what_the_witness_knows(log: Log, door: ListedWitness) -> None:
    tree = tree_of(40)

    def ask(new: int, believed: int) -> tuple[Note, int]:
        note = signed(log, tree, new)
        checkpoint = Checkpoint.parse(note.text)
        return ask_witness(door, note, checkpoint, believed, lambda old, size: consistency_path(tree.read, old, size))

    for new, believed in ((7, 0), (20, 7), (33, 0)):  # the last one forgot what the witness knows
        note, size = ask(new, believed)
        assert size == new
        assert note.signed_by(door.key) is not None
    with pytest.raises(LogUnprovenError, match="larger log"):
        ask(20, 20)
    away = ListedWitness("w1", door.key, "http://127.0.0.1:9")
    with pytest.raises(LogUnprovenError, match="does not answer"):
        ask_witness(away, signed(log, tree, 33), Checkpoint.parse(signed(log, tree, 33).text), 33, lambda *_: ())


def test_the_program_makes_itself_answers_once_and_keeps_its_memory(log: Log, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "counter_server.records.log.witness"]
    program += ["--key", str(tmp_path / "w.key"), "--state", str(tmp_path / "w.state")]
    made = subprocess.run([*program, "--create", "w.example"], capture_output=True, text=True, check=True)
    key = VerifierKey.parse(made.stdout.strip())
    assert (tmp_path / "w.key").stat().st_mode & 0o077 == 0
    tree, vkey = tree_of(12), log.publisher.key.verifier.spelling()

    def once(body: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*program, "--once", "--log", vkey], input=body, capture_output=True, check=False)

    first = once(request(log, tree, 0, 5))
    assert first.returncode == 0
    assert with_signatures(signed(log, tree, 5), read_signatures(first.stdout.decode())).signed_by(key) is not None
    again = once(request(log, tree, 0, 12))
    assert (again.returncode, again.stdout) == (1, b"5\n")
    assert once(request(log, tree_of(12, "forked"), 5, 12)).returncode == 0  # equal up to 5: no fork yet
    assert once(request(log, tree, 12, 12)).returncode == 1  # but now the first history is the fork
    twice = subprocess.run([*program, "--create", "w.example"], capture_output=True, text=True, check=False)
    assert twice.returncode == 2
