"""Master keys in SoftHSM 2: the same promises as those in files, and no key outside of the token."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from counter_server.config import SigningSettings
from counter_server.records import erasure, slots
from counter_server.records.custodian import open_masters
from counter_server.records.errors import KeyFileError, WrongKeyError
from counter_server.records.keys import new_record_keys
from counter_server.records.token_masters import TokenMasterKeys
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW
from tests.counter_server.signing.own_token import own_token


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSettings]:
    with own_token(tmp_path_factory.mktemp("token")) as made:
        yield made


def test_slots_under_a_token_rotate_and_the_old_key_is_gone(tmp_path: Path, settings: SigningSettings) -> None:
    safe = builders.build_safe(tmp_path / "home")
    masters = open_masters(tmp_path / "keys", settings)
    assert isinstance(masters, TokenMasterKeys)
    assert list((tmp_path).rglob("master*.key")) == [tmp_path / "home" / "keys" / "master.key"]  # the builder's own
    keys = new_record_keys(NOW)
    with safe.engine.begin() as conn:
        slots.store_keys(conn, keys, masters, NOW)
        before = slots.read_slots(conn, keys.record_id)
        assert before.open(masters) == keys
        erasure.rotate_master(conn, masters, NOW)
    with safe.engine.begin() as conn:
        assert erasure.needs_finish(conn, masters)
    masters.promote()
    with safe.engine.begin() as conn:
        assert slots.read_slots(conn, keys.record_id).open(masters) == keys
        assert not erasure.needs_finish(conn, masters)
    again = open_masters(tmp_path / "keys", settings)
    assert again.key_id == masters.key_id
    for held in (masters, again):
        with pytest.raises(WrongKeyError, match="not here any more"):
            before.open(held)


def test_a_swapped_or_changed_slot_does_not_open(tmp_path: Path, settings: SigningSettings) -> None:
    masters = open_masters(tmp_path, settings)
    wrapped = masters.wrap(b"a secret", "this")
    assert masters.unwrap(wrapped, "this") == b"a secret"
    with pytest.raises(WrongKeyError):
        masters.unwrap(wrapped, "that")
    with pytest.raises(WrongKeyError):
        masters.unwrap(replace(wrapped, ciphertext=wrapped.ciphertext[:-1] + b"\0"), "this")


def test_a_wrong_pin_stops_the_start(tmp_path: Path, settings: SigningSettings) -> None:
    with pytest.raises(KeyFileError):
        open_masters(tmp_path, settings.model_copy(update={"token_label": "another token"}))
