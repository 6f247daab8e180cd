"""Signed messages from strangers: a wrong bit is refused or, where nothing covers it, read; never more than that."""

import random
import warnings
from datetime import UTC, datetime, timedelta
from hashlib import sha384
from pathlib import Path

import pytest

from counter_server.config import SigningSettings
from counter_server.records.authority import load_or_create_sealing_identity
from counter_server.records.cms import read_signed_message, read_time_stamp
from counter_server.records.errors import RecordFormatError
from counter_server.signing.cms_writer import sign_message
from counter_server.signing.signers import HeldKey
from counter_server.signing.worker import open_desk

CONTENT = b"what was signed"
FLIPS = 4_000


@pytest.fixture(scope="module")
def message(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    keys = tmp_path_factory.mktemp("keys")
    keys.chmod(0o700)
    return signed(keys)


def signed(keys: Path) -> bytes:
    """A signature with a time stamp, as a court's container has one."""
    sealing = load_or_create_sealing_identity(keys, datetime.now(UTC) - timedelta(days=1))
    clock = open_desk(keys, SigningSettings()).clock
    key = HeldKey(sealing.key)
    digest = sha384(CONTENT).digest()
    return sign_message(digest, key, sealing.certificate, (), stamp_time=lambda raw: clock.stamp(sha384(raw).digest()))


def judge(message: bytes) -> bool:
    """Whether signature and time stamp both hold; hostile bytes end in `RecordFormatError` and in nothing else."""
    try:
        read = read_signed_message(message)
        if not read.holds_over(sha384(CONTENT).digest()) or read.time_stamp is None:
            return False
        return read_time_stamp(read.time_stamp).imprint == sha384(read.signature).digest()
    except RecordFormatError:
        return False


def test_hostile_bytes_end_in_one_kind_of_error(message: bytes) -> None:
    assert judge(message)
    chance, refused = random.Random(3), 0  # noqa: S311 - which bits to flip is no secret
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography warns of serial numbers below one before it refuses them
        for _ in range(FLIPS):
            hostile = bytearray(message)
            for _ in range(chance.choice((1, 1, 1, 4))):
                hostile[chance.randrange(len(hostile))] ^= 1 << chance.randrange(8)
            refused += not judge(bytes(hostile))
    assert refused > FLIPS * 3 // 4  # the rest fell on bytes that no signature in a message covers


def test_a_message_cut_anywhere_is_refused(message: bytes) -> None:
    assert not any(judge(message[:length]) for length in range(0, len(message) - 1, 7))
