"""Strangers check our log: Go's sumdb packages, and a shell script with openssl."""

import base64
import json
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from counter_server.records.log import ledger
from counter_server.records.log.checkpoint import Checkpoint, with_signatures
from counter_server.records.log.merkle import Place, consistency_path, inclusion_path, root_of
from counter_server.records.log.note import Note, read_signatures
from counter_server.records.log.proof import Proof
from counter_server.records.log.tiles import tiles_between
from counter_server.records.record import MANIFEST_FILE
from tests.counter_server.records.log.builders import Log, add_events, build_log, publish, seal, witness_key

HERE = Path(__file__).parent
GO = Path("/usr/lib/go-1.19/bin/go")  # Debian: golang-1.19-go
SUMDB = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")  # Debian: golang-golang-x-mod-dev
SIZE = 700  # three tiles and one above them
SEED = 20261121


@cache
def go_checker() -> Path:
    """The compiled checker, kept between runs while its source is the same."""
    source = HERE / "check.go"
    kept = HERE.parents[3] / ".cache" / "log-check"
    kept.mkdir(parents=True, exist_ok=True)
    program = kept / "check"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        environment = {**os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOCACHE": str(kept / "go")}
        subprocess.run([GO, "build", "-o", program, source], env=environment, check=True)
    return program


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    made = build_log(tmp_path_factory.mktemp("home"))
    add_events(made, 300)
    publish(made)
    add_events(made, SIZE - 300)
    publish(made)
    return made


def cosigned(note: Note) -> Note:
    return with_signatures(note, read_signatures(witness_key("w1").sign(note.text, 1_732_000_000)))


def question(log: Log) -> dict[str, Any]:
    """Everything that is public, and proofs of some leaves with their entries."""
    with log.safe.engine.connect() as conn:
        leaves = ledger.read_leaves(conn, 0, SIZE)
        note = ledger.newest_note(conn)
        assert note is not None

        def read(places: Sequence[Place]) -> tuple[bytes, ...]:
            return ledger.read_hashes(conn, places)

        proofs = [
            {
                "Index": index,
                "Leaf": text(leaves[index].entry or b""),
                "Path": [text(each) for each in inclusion_path(read, index, SIZE)],
            }
            for index in (0, 1, 255, 256, 299, 511, 512, 698, 699)
        ]
        consistency = [text(each) for each in consistency_path(read, 300, SIZE)]
        old_root = text(root_of(read, 300))
    return {
        "Log": log.publisher.key.verifier.spelling(),
        "Witness": witness_key("w1").verifier.spelling(),
        "Checkpoint": cosigned(note).spelling(),
        "OldSize": 300,
        "OldRoot": old_root,
        "Consistency": consistency,
        "Proofs": proofs,
    }


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def ask(folder: Path, asked: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "question.json").write_text(json.dumps(asked))
    return folder


@pytest.mark.skipif(not GO.exists() or not SUMDB.exists(), reason="needs golang-1.19-go and golang-golang-x-mod-dev")
def test_gos_sumdb_believes_checkpoint_tiles_and_proofs_and_nothing_that_was_changed(log: Log, tmp_path: Path) -> None:
    right = question(log)
    folders, expected = [], []
    good = ask(tmp_path / "good", right)
    shutil.copytree(log.files.folder / "tile", good / "tile")
    folders.append(good)
    expected.append("OK")
    spoilt: dict[str, dict[str, Any]] = {
        "another_leaf": {"Proofs": [{**right["Proofs"][3], "Leaf": text(b"{}")}]},
        "another_index": {"Proofs": [{**right["Proofs"][3], "Index": 257}]},
        "another_past": {"OldRoot": text(bytes(32))},
        "unwitnessed": {"Checkpoint": "".join(str(right["Checkpoint"]).splitlines(keepends=True)[:-1])},
        "another_size": {"Checkpoint": str(right["Checkpoint"]).replace("\n700\n", "\n701\n")},
    }
    for name, change in spoilt.items():
        folder = ask(tmp_path / name, {**right, **change})
        (folder / "tile").symlink_to(good / "tile")
        folders.append(folder)
        expected.append("BAD")
    tiles = [good / tile.path() for tile in tiles_between(0, SIZE)]
    assert len(tiles) == 4
    for number, tile in enumerate(tiles):
        folder = ask(tmp_path / f"tile{number}", right)
        shutil.copytree(good / "tile", folder / "tile")
        changed = bytearray(tile.read_bytes())
        changed[0] ^= 1
        (folder / tile.relative_to(good)).write_bytes(changed)
        folders.append(folder)
        expected.append("BAD")
    done = subprocess.run([go_checker(), *folders], capture_output=True, text=True, check=True)
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == expected, done.stdout


@pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("openssl", "xxd")), reason="needs the packages openssl and xxd"
)
def test_a_shell_script_believes_a_record_and_no_changed_bit_of_its_proof(tmp_path: Path) -> None:
    log = build_log(tmp_path / "home")
    add_events(log, 21)
    sealed = seal(log)
    add_events(log, 14)
    publish(log)
    with log.safe.engine.connect() as conn:
        proof = ledger.prove_record(conn, sealed.record_id)
    proof = Proof(proof.index, proof.path, cosigned(proof.note))
    file, manifest = tmp_path / "proof", sealed.folder / MANIFEST_FILE
    keys = (log.publisher.key.verifier.spelling(), witness_key("w1").verifier.spelling())

    def script(stored: bytes, record: Path = manifest, believed: tuple[str, ...] = keys) -> tuple[int, str]:
        file.write_bytes(stored)
        words: list[Path | str] = [HERE / "verify-inclusion.sh", record, file, *believed]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.returncode, (done.stdout.splitlines() or [""])[-1]

    whole = proof.spelling().encode()
    assert script(whole) == (0, "PROVEN: signed by the log and 1 witnesses")
    other = tmp_path / "other.json"
    other.write_bytes(manifest.read_bytes().replace(b"done", b"gone"))
    assert script(whole, other) == (1, "NOT PROVEN: the record does not lead to the checkpoint's root")
    stranger = witness_key("w2").verifier.spelling()
    assert script(whole, believed=(keys[0], stranger))[0] == 1
    assert script(whole, believed=(stranger,))[0] == 1
    unsigned = Proof(proof.index, proof.path, Note(Checkpoint("log.example", 36, bytes(32)).text(), ()))
    assert script(unsigned.spelling().encode())[0] != 0
    draw = random.Random(SEED)  # noqa: S311 - which bit to change, no secret
    for _ in range(24):
        changed = bytearray(whole)
        bit = draw.randrange(len(whole) * 8)
        changed[bit // 8] ^= 1 << bit % 8
        assert script(bytes(changed))[0] != 0, f"bit {bit}"
