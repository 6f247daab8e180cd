"""A sealed record is whole; with any one bit changed it is not, and the report says where."""

import hashlib
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from counter_server.records.authority import load_or_create_sealing_identity
from counter_server.records.errors import RecordFormatError
from counter_server.records.record import OBJECT_FOLDER, ObjectClass, RecordingGap
from counter_server.records.seal import PlainObject, RecordDraft, SealedObject, SealedRecord, encrypt, seal_record
from counter_server.records.verify import Outcome, verify_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW, Safe


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Safe:
    return builders.build_safe(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def sealed(safe: Safe) -> SealedRecord:
    return builders.seal_visit(safe)[1]


def test_a_sealed_record_is_whole_with_and_without_its_key(safe: Safe) -> None:
    keys, sealed = builders.seal_visit(safe)
    assert verify_record(sealed.folder, safe.trust).intact
    opened = verify_record(sealed.folder, safe.trust, builders.identity_of(keys))
    assert [check.outcome for check in opened.checks] == [Outcome.PASSED] * 22
    assert opened.manifest == sealed.manifest


def test_the_bits_of_the_small_files_count(safe: Safe, tmp_path: Path) -> None:
    _, sealed = builders.seal_visit(safe, segments=0)
    copy = shutil.copytree(sealed.folder, tmp_path / "copy")
    # every bit of the signature; of the longer ones a sample by an odd step, which meets every position in a byte
    # (every bit of all three was tried once, 30 240 of them, and all were refused)
    for name, step in (("record.sig", 1), ("server.pem", 13), ("record.json", 61)):
        path = copy / name
        good = path.read_bytes()
        for bit in range(0, len(good) * 8, step):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            path.write_bytes(bad)
            broken = verify_record(copy, safe.trust).first_broken
            assert broken is not None, f"bit {bit} of {name} does not count"
            assert broken.number <= 7
        path.write_bytes(good)
    assert verify_record(copy, safe.trust).intact


def test_every_bit_of_an_object_counts_and_the_object_is_named(safe: Safe, tmp_path: Path) -> None:
    _, sealed = builders.seal_visit(safe)
    copy = shutil.copytree(sealed.folder, tmp_path / "copy")
    draw = random.Random(7)  # noqa: S311  # which bits to flip is no secret
    for item in sealed.manifest.objects:
        path = copy / OBJECT_FOLDER / f"{item.sha256}.age"
        good = path.read_bytes()
        for bit in draw.sample(range(len(good) * 8), 20):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            path.write_bytes(bad)
            broken = verify_record(copy, safe.trust).first_broken
            assert broken is not None
            assert (broken.name, broken.why) == ("object_hashes_hold", f"{item.name} was changed")
        path.write_bytes(good)


Damage = Callable[[Path], object]


def _an_object(folder: Path) -> Path:
    return sorted((folder / OBJECT_FOLDER).iterdir())[0]


def _replace_by_link(path: Path) -> None:
    moved = path.rename(path.parent.parent.parent / "elsewhere")
    path.symlink_to(moved)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "manifest gone": (lambda f: (f / "record.json").unlink(), "files_are_there"),
    "signature empty": (lambda f: (f / "record.sig").write_bytes(b""), "signature_holds"),
    "manifest reformatted": (
        lambda f: (f / "record.json").write_bytes(b" " + (f / "record.json").read_bytes()),
        "manifest_is_canonical",
    ),
    "manifest replaced by a list": (lambda f: (f / "record.json").write_bytes(b"[]"), "format_is_known"),
    "field added": (
        lambda f: (f / "record.json").write_bytes(b'{"a":1,' + (f / "record.json").read_bytes()[1:]),
        "format_is_known",
    ),
    "outcome rewritten": (
        lambda f: (f / "record.json").write_bytes(
            (f / "record.json").read_bytes().replace(b'"outcome":"done"', b'"outcome":"dome"')
        ),
        "signature_holds",
    ),
    "certificate with a note": (
        lambda f: (f / "server.pem").write_bytes(b"# note\n" + (f / "server.pem").read_bytes()),
        "certificate_is_the_named_one",
    ),
    "object gone": (lambda f: _an_object(f).unlink(), "objects_are_there"),
    "object cut": (lambda f: _an_object(f).write_bytes(_an_object(f).read_bytes()[:-1]), "object_sizes_hold"),
    "object a link": (
        lambda f: _replace_by_link(_an_object(f)),
        "objects_are_there",
    ),
    "file added": (lambda f: (f / "note.txt").write_bytes(b""), "no_other_files"),
    "object added": (lambda f: (f / OBJECT_FOLDER / "x.age").write_bytes(b""), "no_other_files"),
    "objects gone": (lambda f: shutil.rmtree(f / OBJECT_FOLDER), "no_other_files"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named(safe: Safe, sealed: SealedRecord, tmp_path: Path, damage: str) -> None:
    copy = shutil.copytree(sealed.folder, tmp_path / "copy")
    act, name = DAMAGES[damage]
    act(copy)
    broken = verify_record(copy, safe.trust).first_broken
    assert broken is not None
    assert broken.name == name


def test_another_server_is_not_believed(safe: Safe, sealed: SealedRecord, tmp_path: Path) -> None:
    other = load_or_create_sealing_identity(tmp_path / "other", NOW)
    broken = verify_record(sealed.folder, other.trust_root.read_bytes()).first_broken
    assert broken is not None
    assert broken.name == "chain_leads_to_trust"


def test_a_record_resealed_by_a_stranger_is_refused(safe: Safe, tmp_path: Path) -> None:
    """Whoever rewrites everything with a certificate of his own still lacks the root."""
    stranger = builders.build_safe(tmp_path)
    _, sealed = builders.seal_visit(stranger)
    assert verify_record(sealed.folder, stranger.trust).intact
    broken = verify_record(sealed.folder, safe.trust).first_broken
    assert broken is not None
    assert broken.name == "chain_leads_to_trust"


def test_a_seal_from_before_the_certificate_is_refused(tmp_path: Path) -> None:
    safe = builders.build_safe(tmp_path)
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = builders.build_draft(safe, keys)
    with pytest.raises(RecordFormatError, match="certificate_was_valid"):
        seal_record(draft, keys, safe.sealing, safe.store, NOW - timedelta(days=2))


def _swap_document(safe: Safe, draft: RecordDraft) -> RecordDraft:
    return builders.with_object(draft, "contract.pdf", b"%PDF- another contract")


def _swap_strokes(safe: Safe, draft: RecordDraft) -> RecordDraft:
    return builders.with_object(draft, "strokes.json", b"{}")


def _break_journal(safe: Safe, draft: RecordDraft) -> RecordDraft:
    first, second = draft.journal
    return replace(draft, journal=(replace(first, event="nothing"), second))


def _drop_entry(safe: Safe, draft: RecordDraft) -> RecordDraft:
    return replace(draft, journal=draft.journal[1:])


def _other_actor(safe: Safe, draft: RecordDraft) -> RecordDraft:
    customer, clerk = draft.signatures
    return replace(draft, signatures=(customer, replace(clerk, actor="clerk-8")))


def _no_strokes(safe: Safe, draft: RecordDraft) -> RecordDraft:
    customer, clerk = draft.signatures
    return replace(draft, signatures=(replace(customer, strokes_object=None), clerk))


def _forged_statement(safe: Safe, draft: RecordDraft) -> RecordDraft:
    content = next(item.content for item in draft.objects if item.name == "statements/clerk.json")
    return builders.with_object(draft, "statements/clerk.json", content.replace(b'"clerk-7"', b'"clerk-8"'))


CONTRADICTIONS = {
    "document_is_the_signed_one": _swap_document,
    "strokes_are_the_signed_ones": _swap_strokes,
    "journal_is_intact": _break_journal,
    "journal_is_intact ": _drop_entry,
    "statements_are_signed": _other_actor,
    "strokes_are_the_signed_ones ": _no_strokes,
    "statements_are_signed ": _forged_statement,
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_draft_that_contradicts_itself_is_not_sealed(safe: Safe, name: str) -> None:
    """The signed content is judged by the very checks a stranger runs later."""
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = CONTRADICTIONS[name](safe, builders.build_draft(safe, keys))
    with pytest.raises(RecordFormatError, match=name.strip()):
        seal_record(draft, keys, safe.sealing, safe.store, NOW)
    assert not safe.store.folder_of(keys.record_id).exists()


def test_a_missing_segment_is_not_sealed_unless_the_gap_is_declared(safe: Safe) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = builders.build_draft(safe, keys, builders.record_segments(safe, keys))
    (track,) = draft.recordings
    late = replace(track.segments[2], start_ms=13_000)
    broken = replace(track, segments=(*track.segments[:2], late))
    with pytest.raises(RecordFormatError, match="recording_is_continuous"):
        seal_record(replace(draft, recordings=(broken,)), keys, safe.sealing, safe.store, NOW)
    swapped = replace(track, segments=(track.segments[1], track.segments[0], track.segments[2]))
    with pytest.raises(RecordFormatError, match="recording_is_continuous"):
        seal_record(replace(draft, recordings=(swapped,)), keys, safe.sealing, safe.store, NOW)
    hole = replace(draft, adopted=(draft.adopted[0], draft.adopted[2]), recordings=())
    with pytest.raises(RecordFormatError, match="recording_is_continuous"):
        seal_record(hole, keys, safe.sealing, safe.store, NOW)
    declared = replace(broken, gaps=(RecordingGap(8_000, 5_000),))
    sealed = seal_record(replace(draft, recordings=(declared,)), keys, safe.sealing, safe.store, NOW)
    assert verify_record(sealed.folder, safe.trust).intact


def test_segments_a_crash_left_are_sealed_as_an_incomplete_track(safe: Safe) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = builders.build_draft(safe, keys, builders.record_segments(safe, keys))
    sealed = seal_record(replace(draft, recordings=()), keys, safe.sealing, safe.store, NOW)
    (track,) = sealed.manifest.recordings
    assert (track.side, track.complete, track.frames, len(track.segments)) == ("customer", False, 0, 3)
    assert verify_record(sealed.folder, safe.trust, builders.identity_of(keys)).intact


@pytest.mark.parametrize("content", [b"no cluster", b"x" + builders.piece(2), builders.piece(2, at_ms=0)])
def test_a_segment_that_does_not_continue_the_stream_is_not_sealed(safe: Safe, content: bytes) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    segments = builders.record_segments(safe, keys)
    segments[2].path.write_bytes(encrypt(content, keys.recipient))
    again = SealedObject.adopt(segments[2].path, segments[2].name, segments[2].object_class, segments[2].media_type)
    draft = builders.build_draft(safe, keys, (segments[0], segments[1], again))
    with pytest.raises(RecordFormatError, match="recording_runs_forward"):
        seal_record(draft, keys, safe.sealing, safe.store, NOW)


def test_a_segment_sealed_to_another_key_is_not_adopted(safe: Safe) -> None:
    with safe.engine.begin() as conn:
        keys, other = builders.begin_recording(safe, conn), builders.begin_recording(safe, conn)
    strangers = builders.record_segments(safe, replace(keys, identities=other.identities))
    draft = builders.build_draft(safe, keys, strangers)
    with pytest.raises(RecordFormatError, match="objects_open"):
        seal_record(draft, keys, safe.sealing, safe.store, NOW)


def test_the_manifest_holds_no_personal_data(safe: Safe, sealed: SealedRecord) -> None:
    stored = (sealed.folder / "record.json").read_bytes()
    assert builders.HOLDER.encode() not in stored
    assert hashlib.sha256(builders.DOCUMENT).hexdigest().encode() not in stored


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../b", "a//b", ".hidden", "名", "a\n"])
def test_an_object_name_that_leads_out_of_the_folder_is_refused(safe: Safe, name: str) -> None:
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    draft = builders.build_draft(safe, keys)
    evil = PlainObject(name, ObjectClass.EVIDENCE, "text/plain", b"x")
    with pytest.raises(RecordFormatError, match="not allowed"):
        seal_record(replace(draft, objects=(*draft.objects, evil)), keys, safe.sealing, safe.store, NOW)


def test_the_offline_checker_loads_only_the_standard_library_and_cryptography(safe: Safe, sealed: SealedRecord) -> None:
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['verify', 'verify', {str(sealed.folder)!r}, '--trust', {str(safe.sealing.trust_root)!r}]\n"
        "try: runpy.run_module('counter_server.records', run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "ours = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(name for name in ours if not name.startswith('_') and name not in sys.builtin_module_names))\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] in (
        "['counter_server', 'cryptography']",
        "['cffi', 'counter_server', 'cryptography']",
    )


def test_the_offline_checker_says_no_with_the_name_of_the_check(
    safe: Safe, sealed: SealedRecord, tmp_path: Path
) -> None:
    copy = shutil.copytree(sealed.folder, tmp_path / "copy")
    item = sealed.manifest.objects[0]
    (copy / OBJECT_FOLDER / f"{item.sha256}.age").write_bytes(b"x" * item.size)
    done = subprocess.run(
        [sys.executable, "-m", "counter_server.records", "verify", str(copy), "--trust", str(safe.sealing.trust_root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "12 object_hashes_hold" in done.stdout.splitlines()[-1]
