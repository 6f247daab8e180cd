"""Signed notes: Go's own example, other spellings refused, every bit of a cosigned checkpoint."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter_server.records.log.checkpoint import Checkpoint, open_checkpoint, with_signatures
from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.note import Algorithm, Note, SignerKey, VerifierKey, read_signatures

# the worked example in the documentation of golang.org/x/mod/sumdb/note
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

LOG = SignerKey("log.example/one", Algorithm.ED25519, bytes(range(32)))
WITNESSES = (
    SignerKey("witness.example/w1", Algorithm.COSIGNATURE_ED25519, bytes(32)),
    SignerKey("witness.example/w2", Algorithm.COSIGNATURE_MLDSA44, bytes(range(1, 33))),
)


def cosigned() -> Note:
    note = Checkpoint("log.example/one", 7, bytes(range(32))).sign(LOG)
    for witness in WITNESSES:
        note = with_signatures(note, read_signatures(witness.sign(note.text, 1_700_000_000)))
    return note


def believe(stored: bytes) -> None:
    """Log and both witnesses, or an error."""
    note = Note.parse(stored)
    open_checkpoint(note, LOG.verifier)
    for witness in WITNESSES:
        if note.signed_by(witness.verifier) is None:
            raise LogUnprovenError("a cosignature is gone")


def test_gos_example_is_read_and_written() -> None:
    key, signer = VerifierKey.parse(PUBLIC), SignerKey.parse(PRIVATE)
    note = Note.parse(f"{TEXT}\n{LINE}".encode())
    assert note.signed_by(key) == (None,)
    assert signer.verifier == key
    assert signer.sign(TEXT) == LINE  # Ed25519 has one signature per message and key
    assert (key.spelling(), signer.spelling(), note.spelling()) == (PUBLIC, PRIVATE, f"{TEXT}\n{LINE}")


def test_cosignatures_say_when() -> None:
    note = cosigned()
    assert open_checkpoint(note, LOG.verifier).size == 7
    for witness in WITNESSES:
        assert note.signed_by(VerifierKey.parse(witness.verifier.spelling())) == (1_700_000_000,)
        assert SignerKey.parse(witness.spelling()) == witness
    assert len(note.spelling().splitlines()[-1]) > 3200  # FIPS 204: 2420 bytes


@settings(max_examples=150)
@given(draw=st.randoms(use_true_random=False))
def test_every_single_bit_of_a_cosigned_checkpoint_counts(draw: random.Random) -> None:
    stored = bytearray(cosigned().spelling().encode())
    bit = draw.randrange(len(stored) * 8)
    stored[bit // 8] ^= 1 << bit % 8
    with pytest.raises((LogFormatError, LogUnprovenError)):
        believe(bytes(stored))


def test_a_cosignature_is_no_signature_of_the_log_and_the_other_way_round() -> None:
    """One key in two roles: the role is in the key's number and in what is signed."""
    same = SignerKey(LOG.name, Algorithm.COSIGNATURE_ED25519, LOG.seed)
    checkpoint = Checkpoint(LOG.name, 7, bytes(32))
    note = Note.parse((checkpoint.text() + "\n" + same.sign(checkpoint.text(), 5)).encode())
    with pytest.raises(LogUnprovenError, match="missing"):
        open_checkpoint(note, LOG.verifier)
    assert checkpoint.sign(LOG).signed_by(same.verifier) is None


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"text\n",
        b"text\n\n",
        f"{TEXT}\n{LINE}"[:-1].encode(),
        f"{TEXT}{LINE}".encode(),
        f"{TEXT}\n\n\n".encode(),
        f"{TEXT}\n{LINE}\n".encode(),
        f"{TEXT}\r\n\n{LINE}".encode(),
        f"{TEXT}\n{LINE}".replace("AM=", "AN=").encode(),  # the same bytes in another base64
        f"{TEXT}\n{LINE}".replace("PeterNeumann", "Peter+Neumann").encode(),
        f"{TEXT}\n".encode() + LINE.encode() * 40,
        b"\xff" + f"{TEXT}\n{LINE}".encode(),
    ],
)
def test_what_is_no_note_is_refused(stored: bytes) -> None:
    with pytest.raises(LogFormatError):
        Note.parse(stored)


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n01\nX\n",
        "o\n-1\nX\n",
        "o\n1\nAAAA\n",
        "\n1\nX\n",
        "o\n9223372036854775808\nX\n",
        "o\n1\nX\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert Checkpoint.parse(f"o\n1\n{root}\n") == Checkpoint("o", 1, bytes(32))
    with pytest.raises(LogFormatError):
        Checkpoint.parse(text.replace("X", root))


@pytest.mark.parametrize("change", [lambda s: s[:-4], lambda s: s.replace("c7", "c8"), lambda s: "x" + s, lambda s: ""])
def test_a_changed_key_is_refused_without_being_repeated(change: object) -> None:
    assert callable(change)
    for parse, spelling in ((VerifierKey.parse, PUBLIC), (SignerKey.parse, PRIVATE)):
        with pytest.raises(LogFormatError) as refused:
            parse(change(spelling))
        assert "AYEKFALV" not in str(refused.value)
