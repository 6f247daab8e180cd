"""A record in one file for a court: public tools open it, one bit is noticed, and so is a rebuilt lie."""

import random
import subprocess
import warnings
import zipfile
from pathlib import Path

import pytest

from counter_server.records.court_container import SIGNATURE, check_court, directory, local_header, measure_bytes
from counter_server.records.proving.bit_flips import seal_sample
from counter_server.records.proving.court_flips import SCRIPT, export_sample, try_court_flips
from counter_server.records.service import insert_record
from tests.counter_server.records import builders
from tests.counter_server.records.test_commands import counter

FLIPS, SCRIPT_FLIPS = 600, 8


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("court")
    record, _ = seal_sample(folder / "home")
    return export_sample(record, folder / "home" / "keys", folder)


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


def rebuilt(container: Path, target: Path, change: dict[str, bytes | None], added: dict[str, bytes]) -> Path:
    """The container with files replaced, left out or added, its sums right again."""
    with zipfile.ZipFile(container) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            content = change.get(item.filename, old.read(item))
            if content is not None:
                new.writestr(zipfile.ZipInfo(item.filename), content)
        for name, content in added.items():
            new.writestr(zipfile.ZipInfo(name), content)
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
    for root, why in ((records, "6 "), (stamps, "3 ")):
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


def test_a_hostile_signature_with_its_sum_mended_is_judged_and_never_raises(
    exported: tuple[Path, Path], tmp_path: Path
) -> None:
    container, trust = exported
    with zipfile.ZipFile(container) as opened:
        parts = [(name, opened.read(name)) for name in opened.namelist()]
    signature, lie = dict(parts)[SIGNATURE], tmp_path / "lie.asice"
    chance = random.Random(5)  # noqa: S311 - which bits to flip is no secret
    refused = 0
    for _ in range(150):
        hostile = bytearray(signature)
        hostile[chance.randrange(len(hostile))] ^= 1 << chance.randrange(8)
        changed = [(name, bytes(hostile) if name == SIGNATURE else content) for name, content in parts]
        files = [measure_bytes(name, content) for name, content in changed]
        body = b"".join(local_header(file) + content for file, (_, content) in zip(files, changed, strict=True))
        lie.write_bytes(body + directory(files))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cryptography warns of serial numbers below one before it refuses them
            refused += check_court(lie, trust.read_bytes()).broken is not None
    assert refused > 100  # the rest changed copies of certificates that no signature covers; the log has the whole hash
