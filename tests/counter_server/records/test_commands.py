"""`counter record …` on a home that a server has open for writing."""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from counter_server.records.commands import add_record_commands
from counter_server.records.errors import RecordFormatError
from counter_server.records.openings import read_openings
from counter_server.records.seal import SealedRecord
from counter_server.records.service import insert_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import Safe


def counter(home: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    add_record_commands(parser.add_subparsers(required=True))
    asked = parser.parse_args(["record", *words, "--home", str(home)])
    code: int = asked.run(asked)
    return code


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return builders.build_safe(tmp_path)


@pytest.fixture
def server(safe: Safe) -> Iterator[Connection]:
    """The server's only writing connection, as `counter_server/db.py` sets it."""
    with safe.engine.connect() as conn:
        conn.exec_driver_sql("pragma journal_mode=wal")
        yield conn


@pytest.fixture
def sealed(safe: Safe, server: Connection) -> SealedRecord:
    _, sealed = builders.seal_visit(safe)
    insert_record(server, sealed)
    server.commit()
    return sealed


def test_list_names_what_is_in_the_safe(safe: Safe, sealed: SealedRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert counter(safe.home, "list", "--json", "-") == 0
    (row,) = json.loads(capsys.readouterr().out)["records"]
    assert (row["record_id"], row["outcome"], row["size"]) == (sealed.record_id, "done", sealed.size)
    assert counter(safe.home, "list") == 0
    assert sealed.record_id in capsys.readouterr().out


def test_verify_says_whole_or_names_the_first_broken_check(
    safe: Safe, sealed: SealedRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    assert counter(safe.home, "verify", sealed.record_id, "--content") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(rf"{sealed.record_id} is whole: \d\d checks passed", last)
    path = sealed.folder / "objects" / f"{sealed.manifest.objects[0].sha256}.age"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert counter(safe.home, "verify", sealed.record_id, "--json", "-") == 1
    figures = json.loads(capsys.readouterr().out)
    assert (figures["intact"], figures["first_broken"], figures["registered"]) == (False, "object_hashes_hold", True)
    assert figures["why"] == f"{sealed.manifest.objects[0].name} was changed"
    assert counter(safe.home, "verify", str(sealed.folder), "--trust", str(safe.sealing.trust_root)) == 1


def test_open_decrypts_and_leaves_a_trace_first(
    safe: Safe, sealed: SealedRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    out = safe.home / "opened"
    assert counter(safe.home, "open", sealed.record_id, "--out", str(out), "--reason", "complaint 4711") == 0
    assert (out / "contract.pdf").read_bytes() == builders.DOCUMENT
    assert (out / "recording" / "customer-0000.mkv").read_bytes() == builders.piece(0)
    assert (out / "contract.pdf").stat().st_mode & 0o077 == 0
    (entry,) = read_openings(safe.home / "openings.jsonl")
    assert entry.details == {"record_id": sealed.record_id, "reason": "complaint 4711"}
    assert counter(safe.home, "open", sealed.record_id, "--out", str(out), "--reason", "complaint 4711") == 2
    assert "exists" in capsys.readouterr().err
    again = str(safe.home / "again")
    assert counter(safe.home, "open", sealed.record_id, "--out", again, "--reason", "complaint 4712") == 0
    assert len(read_openings(safe.home / "openings.jsonl")) == 2


def test_open_needs_the_key_a_reason_and_a_whole_record(
    safe: Safe, sealed: SealedRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    out = safe.home / "opened"
    assert counter(safe.home, "open", sealed.record_id, "--out", str(out), "--reason", " ") == 2
    key = safe.home / "keys" / "master.key"
    key.rename(safe.home / "away.key")
    assert counter(safe.home, "open", sealed.record_id, "--out", str(out), "--reason", "complaint 4711") == 2
    (safe.home / "away.key").rename(key)
    (sealed.folder / "record.sig").write_bytes(b"")
    assert counter(safe.home, "open", sealed.record_id, "--out", str(out), "--reason", "complaint 4711") == 1
    assert not out.exists()
    assert not (safe.home / "openings.jsonl").exists()
    assert "signature_holds" in capsys.readouterr().out


def test_a_changed_list_of_openings_stops_further_openings(safe: Safe, sealed: SealedRecord) -> None:
    def open_into(name: str) -> int:
        return counter(
            safe.home, "open", sealed.record_id, "--out", str(safe.home / name), "--reason", "complaint 4711"
        )

    assert open_into("a") == 0
    assert open_into("b") == 0
    openings = safe.home / "openings.jsonl"
    first, second = openings.read_bytes().splitlines(keepends=True)
    for bad in (second, first.replace(b"4711", b"4712") + second, first + second[:-9]):
        openings.write_bytes(bad)
        with pytest.raises(RecordFormatError):
            read_openings(openings)
        assert open_into(f"c{len(bad)}") == 2
        assert not list((safe.home).glob("c*/contract.pdf"))


def test_a_closed_home_can_be_read_too(safe: Safe, capsys: pytest.CaptureFixture[str]) -> None:
    """No server, no -wal file: after a clean stop only the database file is left."""
    _, sealed = builders.seal_visit(safe)
    with safe.engine.connect() as conn:
        conn.exec_driver_sql("pragma journal_mode=wal")
        insert_record(conn, sealed)
        conn.commit()
    safe.engine.dispose()
    assert not (safe.home / "counter.sqlite3-wal").exists()
    assert counter(safe.home, "verify", sealed.record_id, "--content") == 0
    assert sealed.record_id in capsys.readouterr().out


def test_a_wrong_home_or_number_is_said_in_one_line(safe: Safe, capsys: pytest.CaptureFixture[str]) -> None:
    assert counter(safe.home / "nowhere", "list") == 2
    assert counter(safe.home, "verify", "R-20261121-00000000") == 2
    assert counter(safe.home, "open", "nonsense", "--out", "x", "--reason", "complaint 4711") == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_checking_a_copied_record_loads_no_database_and_no_pdf_library(safe: Safe, sealed: SealedRecord) -> None:
    """What takes seconds to load is loaded by those who need it: a cold check of a visit has two in all."""
    words = ["record", "verify", str(sealed.folder), "--trust", str(safe.sealing.trust_root)]
    asks = "import sys; from counter_server.__main__ import main; main(sys.argv[1:]) and exit(1); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", asks, *words], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "pyhanko", "typst", "httpx", "pkcs11"} & set(run.stdout.splitlines()[-1].split())
