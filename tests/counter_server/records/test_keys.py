"""Key files that only their owner reads, slots that open only their own record, a root made once."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from counter_server.config import read_patience, read_record_settings
from counter_server.errors import StoppedError
from counter_server.records.authority import SEALING_FILE, load_or_create_sealing_identity
from counter_server.records.codes import CROCKFORD, code_is_right, draw_code, hash_code, is_record_id
from counter_server.records.errors import KeyFileError, WrongKeyError
from counter_server.records.keys import MasterKey, new_record_keys
from counter_server.records.slots import read_slots
from counter_server.records.verify import verify_record
from tests.counter_server.records.builders import NOW, build_safe, seal_visit


def test_the_master_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    first = MasterKey.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert MasterKey.load_or_create(path) == first
    assert first.secret.hex() not in repr(first)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_key_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    MasterKey.load_or_create(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="others"):
        MasterKey.load_or_create(path)


def test_a_damaged_or_linked_key_file_is_refused_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    MasterKey.load_or_create(path)
    good = path.read_bytes()
    for bad in (b"", good[:-5], good.replace(b"1", b"2"), b"\xff" * 90, good + good):
        path.write_bytes(bad)
        with pytest.raises(KeyFileError):
            MasterKey.load_or_create(path)
        assert path.read_bytes() == bad
    path.write_bytes(good)
    (tmp_path / "link.key").symlink_to(path)
    with pytest.raises(KeyFileError):
        MasterKey.load_or_create(tmp_path / "link.key")


def test_a_slot_opens_its_own_record_with_its_own_master_only() -> None:
    master, other = MasterKey.of(b"m" * 32), MasterKey.of(b"n" * 32)
    keys, stranger = new_record_keys(NOW), new_record_keys(NOW)
    wrapped = master.wrap(keys.identity.encode(), keys.record_id)
    assert master.unwrap(wrapped, keys.record_id) == keys.identity.encode()
    with pytest.raises(WrongKeyError):
        master.unwrap(wrapped, stranger.record_id)
    with pytest.raises(WrongKeyError):
        other.unwrap(wrapped, keys.record_id)
    with pytest.raises(WrongKeyError):
        master.unwrap(replace(wrapped, ciphertext=wrapped.ciphertext[:-1] + b"\0"), keys.record_id)
    assert keys.identity not in repr(keys)


def test_record_numbers_and_codes_are_readable_and_forgiving() -> None:
    numbers = {new_record_keys(NOW).record_id for _ in range(50)}
    assert len(numbers) == 50
    assert all(is_record_id(number) and number.startswith("R-20261121-") for number in numbers)
    assert draw_code(lambda size: bytes(range(size))) == CROCKFORD[:8]
    assert draw_code(lambda size: bytes(range(248, 248 + size))) == CROCKFORD[24:]
    stored = hash_code("7K01M9Q2", b"salt" * 4)
    for typed in ("7k01-m9q2", " 7KO1 M9Q2 ", "7koi m9q2", "7K0LM9Q2"):
        assert code_is_right(typed, b"salt" * 4, stored)
    for typed in ("", "7K01M9Q3", "7K01M9Q", "7K01M9Q22", "x" * 10_000):
        assert not code_is_right(typed, b"salt" * 4, stored)
    assert not any(is_record_id(bad) for bad in ("../../etc", "R-20261121-7K3M9Q2I", "R-2026-7K3M9Q2X", "r" * 20, ""))


def test_openssl_accepts_the_servers_certificate(tmp_path: Path) -> None:
    sealing = load_or_create_sealing_identity(tmp_path / "sealing", NOW)
    (tmp_path / "server.pem").write_bytes(sealing.certificate_pem())
    (tmp_path / "message").write_bytes(b"a manifest")
    (tmp_path / "signature").write_bytes(sealing.sign(b"a manifest"))
    moment = str(int(NOW.timestamp()))
    command = ["openssl", "verify", "-x509_strict", "-attime", moment, "-CAfile", str(sealing.trust_root), "server.pem"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    key = subprocess.run(
        ["openssl", "x509", "-in", "server.pem", "-noout", "-pubkey"], cwd=tmp_path, check=True, capture_output=True
    )
    (tmp_path / "public.pem").write_bytes(key.stdout)
    check = ["openssl", "dgst", "-sha384", "-verify", "public.pem", "-signature", "signature", "message"]
    subprocess.run(check, cwd=tmp_path, check=True, capture_output=True)


def test_the_identity_is_kept_and_renewed_before_it_ends(tmp_path: Path) -> None:
    first = load_or_create_sealing_identity(tmp_path, NOW)
    assert load_or_create_sealing_identity(tmp_path, NOW + timedelta(days=699)).certificate == first.certificate
    later = load_or_create_sealing_identity(tmp_path, NOW + timedelta(days=701))
    assert later.certificate != first.certificate
    assert later.trust_root.read_bytes() == first.trust_root.read_bytes()
    assert (tmp_path / SEALING_FILE).stat().st_mode & 0o777 == 0o600


def test_an_identity_of_another_authority_is_refused(tmp_path: Path) -> None:
    load_or_create_sealing_identity(tmp_path / "a", NOW)
    load_or_create_sealing_identity(tmp_path / "b", NOW)
    (tmp_path / "a" / SEALING_FILE).write_bytes((tmp_path / "b" / SEALING_FILE).read_bytes())
    with pytest.raises(KeyFileError):
        load_or_create_sealing_identity(tmp_path / "a", NOW)


@pytest.mark.parametrize(
    "written",
    ["# 柜台\n".encode("gb18030"), b"face_attempts = \n", b"face_atempts = 2\n", b"[signing]\nkeys = 'paper'\n"],
)
def test_settings_that_cannot_be_read_stop_the_start_and_name_the_file(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "counter.toml").write_bytes(written)
    with pytest.raises(StoppedError, match=r"counter\.toml"):
        read_patience(tmp_path)


def test_a_setting_seals_whole_records_under_hybrid_keys(tmp_path: Path) -> None:
    safe = build_safe(tmp_path)
    assert not read_record_settings(tmp_path).post_quantum
    (tmp_path / "counter.toml").write_text("face_attempts = 2\n[records]\npost_quantum = true\n")
    assert read_patience(tmp_path).face_attempts == 2
    keys, sealed = seal_visit(safe, post_quantum=read_record_settings(tmp_path).post_quantum)
    assert keys.recipient.startswith("age1pq1")
    item = next((sealed.folder / "objects").iterdir())
    assert item.read_bytes().startswith(b"age-encryption.org/v1\n-> mlkem768x25519 ")
    with safe.engine.begin() as conn:
        kept = read_slots(conn, keys.record_id).open(safe.master)
    assert verify_record(sealed.folder, safe.trust, kept.keyring()).intact
