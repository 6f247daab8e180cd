"""The log's key in SoftHSM 2: made there, used there, moved there from a file without a gap in the log."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest

from counter_server.config import SigningSettings
from counter_server.records.custodian import open_log_key
from counter_server.records.errors import KeyFileError
from counter_server.records.log import ledger
from counter_server.records.log.files import LogFiles
from counter_server.records.log.note import Algorithm, SignerKey
from counter_server.records.log.publishing import Publisher
from counter_server.records.log.token_key import TokenLogKey
from tests.counter_server.records.log.builders import Log, add_events, build_log, publish, seal
from tests.counter_server.records.log.test_commands import counter
from tests.counter_server.signing import softhsm
from tests.counter_server.signing.own_token import own_token


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSettings]:
    with own_token(tmp_path_factory.mktemp("token")) as made:
        yield made


def configure(home: Path, settings: SigningSettings) -> None:
    told = settings.model_dump(mode="json", include={"keys", "pkcs11_module", "token_label", "secret_file"})
    (home / "counter.toml").write_text("[signing]\n" + "".join(f'{name} = "{value}"\n' for name, value in told.items()))


def asked(log: Log, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str | None]:
    assert counter(log, *words, "--json", "-") == 0
    answer: dict[str, str | None] = json.loads(capsys.readouterr().out)
    return answer


def openssl_verifies(key: bytes, message: bytes, signature: bytes, folder: Path) -> bool:
    """A tool that is not ours."""
    names = {"key.der": bytes.fromhex("302a300506032b6570032100") + key, "message": message, "signature": signature}
    for name, content in names.items():  # RFC 8410 §4: the algorithm, then the key
        (folder / name).write_bytes(content)
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
    return not subprocess.run([*words, "-in", "message", "-sigfile", "signature"], cwd=folder, check=False).returncode


def test_a_log_that_begins_with_a_token_is_signed_by_a_key_that_no_file_holds(
    settings: SigningSettings, tmp_path: Path
) -> None:
    log = build_log(tmp_path / "home")
    log.files.key.unlink()
    log.files.policy.unlink()
    key = open_log_key(log.files, settings)
    assert isinstance(key, TokenLogKey)
    log.publisher = Publisher(log.files, key)
    seal(log)
    assert publish(log)
    published = log.publisher.published()
    assert published is not None
    (signature,) = published[0].signatures
    assert openssl_verifies(key.verifier.public, published[0].text.encode(), signature.raw, tmp_path)
    assert not log.files.key.exists()
    with pytest.raises(pkcs11.PKCS11Error):
        key.key._private[pkcs11.Attribute.VALUE]
    assert open_log_key(log.files, settings).verifier == key.verifier
    assert log.policy.open(published[0]).size == 1


def test_a_log_that_began_with_a_file_stays_with_it_until_it_is_moved(
    settings: SigningSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = build_log(tmp_path / "home")
    configure(log.files.home, settings)
    first = seal(log)
    publish(log)
    old, before = log.publisher.key, log.policy
    assert open_log_key(log.files, settings) == old
    with log.safe.engine.connect() as conn:
        early = ledger.prove_record(conn, first.record_id)
    assert "move-key" in (asked(log, capsys, "key")["advice"] or "")

    told = asked(log, capsys, "move-key")
    assert asked(log, capsys, "move-key")["verifier"] == told["verifier"]  # again: nothing is left to do
    assert (told["origin"], asked(log, capsys, "key")["advice"]) == (old.name, None)
    assert not log.files.key.exists()
    key = open_log_key(log.files, settings)
    assert isinstance(key, TokenLogKey)
    assert log.policy.open(early.note) == before.open(early.note)  # who kept a proof can still show it

    log.publisher = Publisher(log.files, key)
    add_events(log, 1)
    publish(log)
    with log.safe.engine.connect() as conn:
        newest, leaves = ledger.newest_note(conn), ledger.read_leaves(conn, 0, 9)
    assert newest is not None
    assert newest.signed_by(key.verifier) is not None
    assert newest.signed_by(old.verifier) is None
    assert [leaf.kind for leaf in leaves] == ["record", "log_key_moved", "visit_moved"]
    assert counter(log, "check") == 0


@pytest.mark.parametrize("crash_at", ["_believe", "name_token_key", "_destroy"])
def test_a_move_that_was_interrupted_goes_on_with_either_key(
    settings: SigningSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash_at: str
) -> None:
    log = build_log(tmp_path / "home")
    configure(log.files.home, settings)
    add_events(log, 1)
    publish(log)

    def crash(*_: object) -> None:
        raise KeyFileError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(f"counter_server.records.log.moving.{crash_at}", crash)
        assert counter(log, "move-key") == 2
    log.publisher = Publisher(log.files, open_log_key(log.files, settings))
    add_events(log, 3)
    assert publish(log)
    assert counter(log, "check") == 0
    assert counter(log, "move-key") == 0
    log.publisher = Publisher(log.files, open_log_key(log.files, settings))
    assert isinstance(log.publisher.key, TokenLogKey)
    add_events(log, 3)
    assert publish(log)
    assert counter(log, "check") == 0


def test_a_token_with_another_key_signs_nothing(settings: SigningSettings, tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    key = open_log_key(files, settings)
    other = SignerKey(key.name, Algorithm.ED25519, bytes(32)).verifier
    files.token_key.write_text(other.spelling() + "\n")
    with pytest.raises(KeyFileError, match=r"is not the one that log\.token names"):
        open_log_key(files, settings)


def test_a_token_without_ed25519_is_refused_with_the_cure(settings: SigningSettings, tmp_path: Path) -> None:
    """SoftHSM with the mechanisms of older tokens alone, in a process of its own, because it looks once."""
    without = tmp_path / "softhsm2.conf"
    told = Path(os.environ[softhsm.CONFIGURATION]).read_text()
    without.write_text(told + "slots.mechanisms = CKM_ECDSA,CKM_EC_KEY_PAIR_GEN\n")
    code = (
        "import sys\nfrom pathlib import Path\nfrom counter_server.config import SigningSettings\n"
        "from counter_server.records.custodian import open_log_key\n"
        "from counter_server.records.errors import KeyUnsupportedError\n"
        "from counter_server.records.log.files import LogFiles\n"
        "settings, home = SigningSettings.model_validate_json(sys.argv[1]), Path(sys.argv[2])\n"
        "from counter_server.records.log import token_key\n"
        "token_key.LABEL = 'a-log-of-its-own'\n"
        "try:\n    open_log_key(LogFiles(home), settings)\n"
        "except KeyUnsupportedError as error:\n    print(error)\n"
        "kept = settings.model_copy(update={'log_key_in_file': True})\n"
        "print(type(open_log_key(LogFiles(home), kept)).__name__)\n"
    )
    words = [sys.executable, "-c", code, settings.model_dump_json(), str(tmp_path / "home")]
    done = subprocess.run(
        words, env={**os.environ, softhsm.CONFIGURATION: str(without)}, capture_output=True, text=True, check=True
    )
    refused, then = done.stdout.splitlines()
    assert "no Ed25519" in refused
    assert "log_key_in_file = true" in refused
    assert then == "SignerKey"
