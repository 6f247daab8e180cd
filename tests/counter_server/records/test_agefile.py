"""age v1, opened by our reader, by pyrage (Rust) and by the age command line tool (Go)."""

import random
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pyrage  # type: ignore[import-untyped]  # ships no type information
import pytest

from counter_server.records.agefile import AgeIdentity
from counter_server.records.errors import RecordFormatError, WrongKeyError
from counter_server.records.keys import new_record_keys
from counter_server.records.seal import encrypt

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SIZES = (0, 1, 65535, 65536, 65537, 131072, 200_001)  # around age's chunk of 64 KiB


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311  # content to encrypt, not a key


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_pyrage_wrote(size: int) -> None:
    identity = pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(noise(size), [pyrage.x25519.Identity.generate().to_public(), identity.to_public()])
    ours = AgeIdentity.parse(str(identity))
    assert ours.open(sealed) == noise(size)
    assert (ours.recipient(), ours.spelling()) == (str(identity.to_public()), str(identity))


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_what_we_seal(size: int) -> None:
    identity = pyrage.x25519.Identity.generate()
    assert pyrage.decrypt(encrypt(noise(size), str(identity.to_public())), [identity]) == noise(size)


@pytest.mark.parametrize("size", SIZES)
def test_a_hybrid_key_opens_what_was_sealed_for_it_and_for_nobody_else(size: int) -> None:
    identity = AgeIdentity.of(noise(32), post_quantum=True)
    sealed = encrypt(noise(size), identity.recipient())
    assert AgeIdentity.parse(identity.spelling()).open(sealed) == noise(size)
    with pytest.raises(WrongKeyError):
        AgeIdentity.of(noise(33)[1:], post_quantum=True).open(sealed)
    with pytest.raises(WrongKeyError):
        AgeIdentity(identity.key).open(sealed)  # its classical half alone


@pytest.mark.skipif(shutil.which("age") is None, reason="wants the age command line tool (apt install age)")
@pytest.mark.parametrize("size", SIZES)
def test_the_age_tool_opens_what_we_seal_and_we_what_it_seals(tmp_path: Path, size: int) -> None:
    keys = new_record_keys(NOW)
    (tmp_path / "key").write_text(keys.identity + "\n")
    opened = subprocess.run(
        ["age", "-d", "-i", str(tmp_path / "key")],
        input=encrypt(noise(size), keys.recipient),
        capture_output=True,
        check=True,
    )
    assert opened.stdout == noise(size)
    sealed = subprocess.run(["age", "-r", keys.recipient], input=noise(size), capture_output=True, check=True)
    assert keys.keyring().open(sealed.stdout) == noise(size)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(WrongKeyError):
        new_record_keys(NOW).keyring().open(encrypt(b"x", new_record_keys(NOW).recipient))


def test_no_bit_and_no_cut_goes_unseen() -> None:
    keys = new_record_keys(NOW)
    identity, sealed = keys.keyring(), encrypt(noise(70_000), keys.recipient)
    header_end = sealed.index(b"\n---") + 50 + 16
    draw = random.Random(3)  # noqa: S311  # which bits to flip is no secret
    for bit in [*range(header_end * 8), *draw.sample(range(header_end * 8, len(sealed) * 8), 300)]:
        bad = bytearray(sealed)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises((WrongKeyError, RecordFormatError)):
            identity.open(bytes(bad))
    for cut in [*range(header_end), *draw.sample(range(header_end, len(sealed)), 100), len(sealed) - 1]:
        with pytest.raises((WrongKeyError, RecordFormatError)):
            identity.open(sealed[:cut])
    with pytest.raises((WrongKeyError, RecordFormatError)):
        identity.open(sealed + b"\0")


@pytest.mark.parametrize(
    "spelling",
    ["", "age1", "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1QQQQ", "x" * 62, "AGE-SECRET-KEY-1" + "Q" * 58],
)
def test_what_is_no_key_is_refused(spelling: str) -> None:
    with pytest.raises(WrongKeyError):
        AgeIdentity.parse(spelling)


def test_a_key_with_a_wrong_letter_is_refused() -> None:
    spelling = AgeIdentity.of(bytes(32)).spelling()
    wrong = spelling[:30] + ("Q" if spelling[30] != "Q" else "P") + spelling[31:]
    with pytest.raises(WrongKeyError, match="letter"):
        AgeIdentity.parse(wrong)
