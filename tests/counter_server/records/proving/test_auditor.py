"""docs/auditor.md, played word for word: the record, the root, the key, and no program but the page's own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from counter_server.__main__ import main
from counter_server.records.proving.bit_flips import SCRIPT
from counter_server.records.proving.workload import Task, run_task

PAGE = Path(__file__).parents[4] / "docs" / "auditor.md"
PAGES_RECORD = "R-20261121-XXXXXXXX"
# openssl, coreutils, age, and what every Debian has (grep, sed, findutils, dash are essential packages)
TOOLS = (
    "sh openssl age sha256sum stat date find grep sed sort comm mktemp mkdir dirname rm cat".split()  # noqa: SIM905
)


@pytest.fixture
def auditor(tmp_path: Path) -> Path:
    """A clean folder as an auditor gets it, and `bin`: the only folder on PATH."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    home, desk = tmp_path / "home", tmp_path / "desk"
    home.mkdir()
    acknowledged = os.open(tmp_path / "acks", os.O_CREAT | os.O_WRONLY, 0o600)
    assert run_task(Task(str(home), str(tmp_path / "acks"), (0,)), acknowledged) == 0
    os.close(acknowledged)
    (record,) = (home / "records" / "2026").iterdir()
    (desk / "bin").mkdir(parents=True)
    for tool in TOOLS:
        (desk / "bin" / tool).symlink_to(str(shutil.which(tool)))
    shutil.copytree(record, desk / PAGES_RECORD)
    shutil.copy(home / "keys" / "trust-root.pem", desk)
    shutil.copy(SCRIPT, desk)
    key = str(desk / "record.key")
    words = ["--home", str(home), "record", "export-key", record.name, "--out", key, "--reason", "audit 2026-12"]
    assert main(words) == 0
    assert "key_exported" in (home / "openings.jsonl").read_text()
    assert main(words) == 2, "a key file is never overwritten"
    return desk


def section(number: int) -> str:
    """Every shell block of one section of the page."""
    text = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[number]
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


def play(desk: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(desk / "bin"), "HOME": str(desk)}
    return subprocess.run(["sh", "-eu", "-c", script], cwd=desk, env=environment, capture_output=True, text=True)


def test_the_page_verifies_and_opens_a_record(auditor: Path) -> None:
    assert "sha256 Fingerprint=" in play(auditor, section(1)).stdout
    by_script = section(3).split("openssl x509 -in server.pem")[0]
    assert play(auditor, by_script).stdout == f"WHOLE {PAGES_RECORD}\n"
    by_hand = f"cd {PAGES_RECORD}\n" + section(3).split("\n", 1)[1]
    assert play(auditor, by_hand).stdout == "Verified OK\n"
    assert '"name":"contract.pdf","object_class":"contract"' in play(auditor, section(4)).stdout
    opened = play(auditor, section(5))
    assert (opened.returncode, opened.stderr) == (0, "")
    assert (auditor / "contract.pdf").read_bytes().startswith(b"%PDF-1.7 contract")
    assert (auditor / "opened" / "contract.pdf").read_bytes() == (auditor / "contract.pdf").read_bytes()
    names = {str(path.relative_to(auditor / "opened")) for path in (auditor / "opened").rglob("*") if path.is_file()}
    assert names >= {"journal.json", "commitments.json", "statements/clerk.json", "recording/customer-0001.mkv"}


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        ("rm record.sig", "1 files_are_there"),
        ("cat ../trust-root.pem >> server.pem", "4 certificate_is_the_named_one"),
        ('sed -i \'s/"outcome":"done"/"outcome":"dome"/\' record.json', "6 signature_holds"),
        ("cat record.json > objects/more.txt", "9 no_other_files"),
        ("cat record.json > .hidden", "9 no_other_files"),
        ("rm objects/[0-7]*", "10 objects_are_there"),
        ("for f in objects/*; do cat record.sig >> $f; done", "11 object_sizes_hold"),
    ],
)
def test_the_script_names_the_check_that_fails(auditor: Path, harm: str, check: str) -> None:
    assert play(auditor, f"cd {PAGES_RECORD}; {harm}").returncode == 0
    said = play(auditor, f"sh verify.sh trust-root.pem {PAGES_RECORD}")
    assert (said.stdout, said.returncode) == (f"BROKEN {PAGES_RECORD}: check {check}\n", 1)


def test_the_script_knows_another_root_and_another_time(auditor: Path) -> None:
    made = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc -keyout k.pem -out other.pem"
        " -subj '/O=Visual Counter/CN=Visual Counter records root' -days 9 2>/dev/null"
    )
    subprocess.run(["sh", "-c", made], cwd=auditor, check=True)
    said = play(auditor, f"sh verify.sh other.pem {PAGES_RECORD}")
    assert said.stdout == f"BROKEN {PAGES_RECORD}: check 7 chain_leads_to_trust\n"
    assert play(auditor, f"sh verify.sh nothing.pem {PAGES_RECORD}").returncode == 2
