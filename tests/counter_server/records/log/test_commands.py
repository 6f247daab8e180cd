"""`counter log …` and the offline checker, on a home that a server has open."""

import argparse
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from counter_server.__main__ import build_parser
from counter_server.records.log import ledger
from counter_server.records.log.bench import measure_log
from counter_server.records.log.commands import add_log_commands
from counter_server.records.log.note import Note
from counter_server.records.log.policy import Policy
from counter_server.records.log.proof import Proof
from counter_server.records.log.tables import log_leaf
from counter_server.records.log.witness import serve
from counter_server.records.openings import note_opening
from counter_server.visits.publishing import LogPublishing
from tests.counter_server.builders import office_in
from tests.counter_server.records.builders import NOW
from tests.counter_server.records.log.builders import (
    Log,
    add_events,
    build_log,
    build_witness,
    publish,
    seal,
    witness_key,
)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return build_log(tmp_path / "home")


def counter(log: Log, *words: str) -> int:
    parser = argparse.ArgumentParser()
    add_log_commands(parser.add_subparsers(required=True))
    asked = parser.parse_args(["log", *words, "--home", str(log.files.home)])
    code: int = asked.run(asked)
    return code


@pytest.fixture
def witnesses(log: Log, tmp_path: Path) -> Iterator[str]:
    """Three witnesses with doors, of which the third is away; the policy wants two. Returns the policy's text."""
    lines, servers = [f"log {log.publisher.key.verifier.spelling()}"], []
    for name in ("w1", "w2", "w3"):
        server = serve(build_witness(tmp_path, log, name), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        lines.append(f"witness {name} {witness_key(name).verifier.spelling()} {url}")
        servers.append(server)
    servers.pop().server_close()
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    yield "\n".join([*lines, "group outside 2 w1 w2 w3", "quorum outside", ""])
    for server in servers:
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


def test_a_stranger_gets_checkpoint_and_proof_and_checks_them(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = seal(log)
    assert counter(log, "prove", sealed.record_id) == 2  # not published yet
    assert "not published yet" in capsys.readouterr().err
    publish(log)
    assert counter(log, "checkpoint") == 0
    assert log.policy.open(Note.parse(capsys.readouterr().out.encode())).size == 1
    assert counter(log, "prove", sealed.record_id, "--json", "-") == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["index"], figures["size"], figures["quorum_reached"]) == (0, 1, True)
    file = tmp_path / "record.tlog-proof"
    assert counter(log, "prove", sealed.record_id, "--out", str(file)) == 0
    assert Proof.parse(file.read_bytes()).spelling() == figures["proof"]
    words = [sys.executable, "-m", "counter_server.records", "verify", str(sealed.folder)]
    words += ["--trust", str(log.safe.sealing.trust_root), "--proof", str(file), "--log-policy", str(log.files.policy)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"{sealed.record_id} is whole: 16 checks passed")
    file.write_bytes(file.read_bytes().replace(b"\n1\n", b"\n2\n"))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "BROKEN" in done.stdout) == (1, True)


def test_each_audit_takes_up_where_the_last_good_one_ended(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    seal(log)
    publish(log)
    assert counter(log, "check") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "the log holds"
    kept = log.files.audited.read_bytes()
    add_events(log, 4)
    publish(log)
    assert counter(log, "check", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["intact"] is True
    assert log.files.audited.read_bytes() != kept
    with log.safe.engine.begin() as conn:
        conn.execute(log_leaf.update().where(log_leaf.c.leaf_index == 2).values(entry=b"{}"))
    kept = log.files.audited.read_bytes()
    assert counter(log, "check") == 1
    assert "BROKEN, first at leaves_lead_to_hashes" in capsys.readouterr().out
    assert log.files.audited.read_bytes() == kept


def test_two_of_three_witnesses_are_the_quorum(
    log: Log, witnesses: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = seal(log)
    publish(log)
    policy, file = tmp_path / "policy", tmp_path / "cosigned"
    policy.write_text(witnesses)
    assert counter(log, "witness", "--policy", str(policy), "--out", str(file)) == 0
    assert "w3 does not answer" in capsys.readouterr().out
    words = ("prove", sealed.record_id, "--checkpoint", str(file), "--policy", str(policy), "--json", "-")
    assert counter(log, *words) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["cosigned"], figures["witnesses"], figures["quorum_reached"]) == (2, 3, True)
    policy.write_text(witnesses.replace("outside 2", "outside 3"))
    assert counter(log, "witness", "--policy", str(policy)) == 1


async def test_the_office_publishes_and_has_it_cosigned(tmp_path: Path) -> None:
    """What the counter does each second: openings into leaves, checkpoint, tiles, witnesses, cosigned checkpoint."""
    async with office_in(tmp_path / "home") as office:
        publishing = LogPublishing.begin(office)
        files = publishing.files
        assert not await publishing.publish_checkpoint()
        key = files.read_policy().logs[0]
        log = build_log(tmp_path / "other")
        log.publisher = type(log.publisher)(files, publishing.key)
        with_witness = serve(build_witness(tmp_path, log, "w1"), "127.0.0.1", 0)
        thread = threading.Thread(target=with_witness.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{with_witness.server_address[1]}"
            witness = f"witness w1 {witness_key('w1').verifier.spelling()} {url}"
            files.policy.write_text(f"log {key.spelling()}\n{witness}\nquorum w1\n")
            publishing = LogPublishing.begin(office)
            for number in range(3):
                details = {"record_id": "R-20261121-00000000", "reason": "complaint 4711"}
                note_opening(files.home / "openings.jsonl", at=NOW, actor="ann", event="record_opened", details=details)
                await publishing.publish_checkpoint()
                note = Note.parse(files.checkpoint.read_bytes())
                policy = Policy.parse(files.policy.read_text())
                assert policy.open(note).size == number + 1
                assert policy.satisfied_by(policy.witnesses_of(note))
                assert await office.db.run(ledger.newest_note, witnessed=True) == note
        finally:
            with_witness.shutdown()
            with_witness.server_close()
            thread.join()


def test_the_command_is_offered_and_the_figures_have_their_names() -> None:
    assert build_parser(["log", "check"]).parse_args(["log", "check"]).log_command == "check"
    figures = measure_log(leaves=5000, proofs=50)
    assert set(figures) == {"log_append_per_s", "proof_ms"}
    assert all(isinstance(figure, int | float) and figure > 0 for figure in figures.values())
