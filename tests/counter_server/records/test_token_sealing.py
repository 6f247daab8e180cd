"""The key that seals records in SoftHSM 2: no file holds it, and nobody who checks can tell the difference."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import counter_server.records
from counter_server.config import SigningSettings
from counter_server.records.authority import AUTHORITY_FILE, TRUST_FILE, load_or_create_sealing_identity
from counter_server.records.court.container import check_court
from counter_server.records.custodian import open_log_key, open_masters, open_sealing
from counter_server.records.errors import KeyFileError
from counter_server.records.home import SafeHome
from counter_server.records.log.files import LogFiles
from counter_server.records.masters import FileMasterKeys
from counter_server.records.proving.court_flips import export_sample
from counter_server.records.proving.sample import (
    NOW,
    SampleSafe,
    sample_draft,
    sample_keys,
    sample_visit_id,
    write_segments,
)
from counter_server.records.seal import seal_record
from counter_server.records.verify import verify_record
from tests.counter_server.signing.own_token import own_token

SCRIPT = Path(counter_server.records.__file__).parent / "verify.sh"
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSettings]:
    with own_token(tmp_path_factory.mktemp("token")) as made:
        yield made


def test_a_record_and_a_courts_container_are_sealed_by_a_key_that_is_in_no_file(
    settings: SigningSettings, tmp_path: Path
) -> None:
    home = SafeHome(tmp_path / "home")
    sealing = open_sealing(home.sealing, settings, YESTERDAY)
    assert b"PRIVATE" not in b"".join(path.read_bytes() for path in home.sealing.iterdir())
    safe, keys = SampleSafe(home, FileMasterKeys.load_or_create(home.sealing), sealing), sample_keys(0)
    segments = write_segments(home.store().recording_folder(keys.record_id), keys, 2, 5_000, "customer")
    sealed = seal_record(sample_draft(safe, keys, sample_visit_id(0), (segments,)), keys, sealing, home.store(), NOW)
    assert verify_record(sealed.folder, home.trust_root.read_bytes(), keys.keyring()).intact
    words = ["sh", str(SCRIPT), str(home.trust_root), str(sealed.folder)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.startswith("WHOLE")
    container, trust = export_sample(safe, sealed, tmp_path)
    assert check_court(container, trust.read_bytes()).broken is None


def test_it_is_found_again_renewed_under_the_same_root_and_refused_under_another(
    settings: SigningSettings, tmp_path: Path
) -> None:
    first = open_sealing(tmp_path, settings, NOW)
    assert open_sealing(tmp_path, settings, NOW + timedelta(days=699)).certificate == first.certificate
    root = first.trust_root.read_bytes()
    later = open_sealing(tmp_path, settings, NOW + timedelta(days=701))
    assert later.certificate.not_valid_after_utc > first.certificate.not_valid_after_utc
    assert later.trust_root.read_bytes() == root
    other = load_or_create_sealing_identity(tmp_path / "other", NOW)
    (tmp_path / TRUST_FILE).write_bytes(other.trust_root.read_bytes())
    with pytest.raises(KeyFileError, match="not the certificate of the ring's key"):
        open_sealing(tmp_path, settings, NOW)


def test_a_home_that_began_with_files_stays_with_them(settings: SigningSettings, tmp_path: Path) -> None:
    before = load_or_create_sealing_identity(tmp_path, NOW)
    assert (tmp_path / AUTHORITY_FILE).exists()
    assert open_sealing(tmp_path, settings, NOW).certificate == before.certificate


def test_several_threads_may_seal_at_once(settings: SigningSettings, tmp_path: Path) -> None:
    sealing = open_sealing(tmp_path, settings, NOW)
    messages = [os.urandom(40) for _ in range(60)]
    with ThreadPoolExecutor(6) as threads:
        signatures = list(threads.map(sealing.sign, messages))
    public = sealing.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for message, signature in zip(messages, signatures, strict=True):
        public.verify(signature, message, ec.ECDSA(hashes.SHA384()))


def test_master_keys_seal_and_log_may_use_the_token_at_once(settings: SigningSettings, tmp_path: Path) -> None:
    """As in the counter: three sessions of one process, in threads that know nothing of each other."""
    masters, sealing = open_masters(tmp_path, settings), open_sealing(tmp_path, settings, NOW)
    log_key = open_log_key(LogFiles(tmp_path), settings)
    works = (
        lambda: masters.unwrap(masters.wrap(bytes(32), "here"), "here"),
        lambda: sealing.sign(b"a manifest"),
        lambda: log_key.sign("a checkpoint\n"),
    )
    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(works[number % len(works)]) for number in range(60)]
    assert {done[at].result() for at in range(0, 60, 3)} == {bytes(32)}
    assert len({done[at].result() for at in range(2, 60, 3)}) == 1  # Ed25519 signs the same alike


def test_a_token_that_is_not_there_is_named(settings: SigningSettings, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="the token 'elsewhere'"):
        open_sealing(tmp_path, settings.model_copy(update={"token_label": "elsewhere"}), NOW)
