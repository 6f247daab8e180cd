"""The auditor's page on a contract: signed by two, in a sealed record, opened and judged with Debian's tools alone."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.config import SigningSettings
from counter_server.records.authority import load_or_create_sealing_identity
from counter_server.records.court.export import export_court
from counter_server.records.proving.bit_flips import SCRIPT
from counter_server.records.proving.court_flips import prove_sample
from counter_server.records.proving.sample import (
    NOW,
    open_sample_safe,
    sample_draft,
    sample_keys,
    sample_visit_id,
    write_segments,
)
from counter_server.records.record import CONTRACT_ROOT, ObjectClass
from counter_server.records.seal import PlainObject, seal_record
from counter_server.signing.errors import FontsMissingError
from counter_server.signing.fonts import load_fonts
from counter_server.signing.worker import open_desk
from tests.counter_server.records.proving.test_auditor import PAGES_RECORD, TOOLS, play, section
from tests.counter_server.signing.contracts import document, signed_by_two

MORE_TOOLS = ("basenc", "base64", "head", "tail", "tr", "od", "wc", "unzip", "test", "[", "echo", "printf", "cut")


@pytest.fixture
def auditor(tmp_path: Path) -> Path:
    """A clean folder with the record, its court's container, the scripts and the page's programs, and nothing else."""
    tools = (*TOOLS, *MORE_TOOLS)
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    try:
        load_fonts()
    except FontsMissingError as error:
        pytest.skip(str(error))
    safe, keys = open_sample_safe(tmp_path / "home"), sample_keys(0)
    desk = open_desk(safe.home.sealing, SigningSettings())
    shown = document().pdf
    segments = write_segments(safe.home.store().recording_folder(keys.record_id), keys, 2, 5_000, "customer")
    draft = sample_draft(safe, keys, sample_visit_id(0), (segments,), contract=shown)
    signed = signed_by_two(desk, keys.record_id)
    root = desk.authority.root.public_bytes(Encoding.PEM)
    objects = tuple(replace(one, content=signed) if one.content == shown else one for one in draft.objects)
    root_object = PlainObject(CONTRACT_ROOT, ObjectClass.STATEMENT, "application/x-pem-file", root)
    sealed = seal_record(replace(draft, objects=(*objects, root_object)), keys, safe.sealing, safe.home.store(), NOW)
    auditor = tmp_path / "desk"
    (auditor / "bin").mkdir(parents=True)
    for tool in tools:
        (auditor / "bin" / tool).symlink_to(str(shutil.which(tool)))
    shutil.copytree(sealed.folder, auditor / PAGES_RECORD)
    shutil.copy(safe.home.trust_root, auditor / "trust-root.pem")
    (auditor / "record.key").write_text(keys.identity + "\n")
    for script in (SCRIPT, SCRIPT.parent / "verify-contract.sh", SCRIPT.parent / "court" / "verify-court.sh"):
        shutil.copy(script, auditor)
    trust = safe.home.trust_root.read_bytes() + root
    (auditor / "court-trust.pem").write_bytes(trust)
    proof = prove_sample(safe, sealed)
    export_court(sealed.folder, proof, safe.sealing, desk.clock, trust, auditor / "record.asice")
    return auditor


def test_the_page_names_every_hand_on_the_contract_and_checks_the_courts_file(auditor: Path) -> None:
    assert play(auditor, f"sh verify.sh trust-root.pem {PAGES_RECORD}").stdout == f"WHOLE {PAGES_RECORD}\n"
    opened = play(auditor, section(5))
    assert (opened.returncode, opened.stderr) == (0, "")
    *hands, stamp, last = play(auditor, command("verify-contract.sh opened/signature")).stdout.splitlines()
    assert [hand.split("urn:visual-counter:act:")[1].split(" ")[0] for hand in hands] == [
        "customer:holder",
        "clerk:clerk-7",
    ]
    assert stamp.startswith("time stamp over all before")
    assert last == "WHOLE opened/contract.pdf"
    assert (auditor / "opened" / "contract.pdf.shown").read_bytes() == document().pdf
    assert play(auditor, command("verify-court.sh")).stdout == "WHOLE record.asice\n"


def test_a_contract_changed_after_it_was_opened_and_a_container_of_another_root_are_refused(auditor: Path) -> None:
    play(auditor, section(5))
    with (auditor / "opened" / "contract.pdf").open("ab") as contract:
        contract.write(b"\n1 0 obj\n<</Type/Page>>\nendobj\n%%EOF\n")
    said = play(auditor, command("verify-contract.sh opened/signature"))
    assert said.stdout.splitlines()[-1].startswith("BROKEN opened/contract.pdf")
    other = load_or_create_sealing_identity(auditor / "other", NOW - timedelta(days=1))
    shutil.copy(other.trust_root, auditor / "court-trust.pem")
    assert play(auditor, command("verify-court.sh")).stdout == "BROKEN record.asice: check 2 signer_is_trusted\n"


def command(words: str) -> str:
    """The page's own line with these words: what stands after a dollar sign."""
    page = (Path(__file__).parents[4] / "docs" / "auditor.md").read_text()
    return next(line.removeprefix("$ ") for line in page.splitlines() if line.startswith("$ ") and words in line)
