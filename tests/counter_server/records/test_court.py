"""A record in one file for a court: public tools open it, one bit is noticed, and so is a rebuilt lie."""

import random
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from counter_server.records.court.container import SIGNATURE, check_court, seal_path
from counter_server.records.proving.bit_flips import seal_sample
from counter_server.records.proving.court_flips import SCRIPT, export_sample, try_court_flips
from counter_server.records.service import insert_record
from tests.counter_server.records import builders
from tests.counter_server.records.test_commands import counter

FLIPS, SCRIPT_FLIPS = 600, 50


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("court")
    return export_sample(*seal_sample(folder / "home"), folder)


def test_our_checker_and_public_tools_find_it_whole(exported: tuple[Path, Path]) -> None:
    container, trust = exported
    assert check_court(container, trust.read_bytes()).broken is None
    with zipfile.ZipFile(container) as opened:
        assert opened.testzip() is None
        assert opened.namelist()[0] == "mimetype"
        assert opened.read("mimetype") == b"application/vnd.etsi.asic-e+zip"
    said = subprocess.run(["sh", str(SCRIPT), str(trust), str(container)], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, f"WHOLE {container}\n")


def test_no_single_bit_goes_unseen(exported: tuple[Path, Path]) -> None:
    chance = random.Random(7)  # noqa: S311 - which bits to flip is no secret
    found = try_court_flips(*exported, FLIPS, chance, script_flips=SCRIPT_FLIPS)
    assert (found.flips, found.accepted_by_verifier) == (FLIPS, 0)
    assert (found.script_flips, found.accepted_by_script) == (SCRIPT_FLIPS, 0)
    flipped = {kind.split(":")[0] for kind in found.noticed_by_verifier}
    assert flipped >= {"record.json", "record.sig", "server.pem", "objects/*.age", "log.tlog-proof", SIGNATURE, "seal"}


def rebuilt(container: Path, target: Path, change: dict[str, bytes | None], added: dict[str, bytes]) -> Path:
    """The container with files replaced, left out or added, its sums right again."""
    with zipfile.ZipFile(container) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            content = change.get(item.filename, old.read(item))
            if content is not None:
                new.writestr(zipfile.ZipInfo(item.filename), content)
        for name, content in added.items():
            new.writestr(zipfile.ZipInfo(name), content)
    shutil.copy(seal_path(container), seal_path(target))
    return target


def test_a_rebuilt_container_is_refused_by_both(exported: tuple[Path, Path], tmp_path: Path) -> None:
    container, trust = exported
    with zipfile.ZipFile(container) as opened:
        signature = opened.read(SIGNATURE)
        item = next(name for name in opened.namelist() if name.endswith(".age"))
    other_bit = bytes([*signature[:-40], signature[-40] ^ 1, *signature[-39:]])
    lies: list[tuple[dict[str, bytes | None], dict[str, bytes]]] = [
        ({}, {}),  # the same files in another spelling of ZIP
        ({item: b"another object"}, {}),
        ({item: None}, {}),
        ({}, {"extra.txt": b"a file that nobody signed"}),
        ({SIGNATURE: other_bit}, {}),
    ]
    for number, (change, added) in enumerate(lies):
        lie = rebuilt(container, tmp_path / f"{number}.asice", change, added)
        assert check_court(lie, trust.read_bytes()).broken is not None
        said = subprocess.run(["sh", str(SCRIPT), str(trust), str(lie)], capture_output=True, text=True, check=False)
        assert (said.returncode, said.stdout[:6]) == (1, "BROKEN")


def test_an_unknown_root_is_not_believed(exported: tuple[Path, Path], tmp_path: Path) -> None:
    container, trust = exported
    records, stamps = trust.read_text().split("-----END CERTIFICATE-----\n")[:2]
    for root, why in ((records, "7 "), (stamps, "2 ")):
        found = check_court(container, (root + "-----END CERTIFICATE-----\n").encode())
        assert found.broken is not None
        assert found.broken.startswith(why)


def test_the_command_exports_and_notes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    safe = builders.build_safe(tmp_path / "home")
    _, sealed = builders.seal_visit(safe)
    with safe.engine.begin() as conn:
        insert_record(conn, sealed)
    out, trust = tmp_path / "record.asice", tmp_path / "trust.pem"
    words = ("export-court", sealed.record_id, str(out), "--reason", "court order 12", "--trust-out", str(trust))
    assert counter(safe.home, *words) == 0
    assert check_court(out, trust.read_bytes()).broken is None
    assert "court_export" in (safe.home / "openings.jsonl").read_text()
    assert counter(safe.home, *words) == 2  # the file exists
    capsys.readouterr()


def test_without_its_seal_or_under_another_it_is_refused(exported: tuple[Path, Path], tmp_path: Path) -> None:
    container, trust = exported
    alone = Path(shutil.copy(container, tmp_path))
    stranger = ec.generate_private_key(ec.SECP384R1()).sign(container.read_bytes(), ec.ECDSA(hashes.SHA384()))
    for seal, why in ((None, "1 container_reads"), (stranger, "3 seal_holds_over_the_whole")):
        if seal is not None:
            seal_path(alone).write_bytes(seal)
        broken = check_court(alone, trust.read_bytes()).broken
        assert broken is not None
        assert broken.split(":")[0] == why
        said = subprocess.run(["sh", str(SCRIPT), str(trust), str(alone)], capture_output=True, text=True, check=False)
        assert said.stdout == f"BROKEN {alone}: check {why}\n"
