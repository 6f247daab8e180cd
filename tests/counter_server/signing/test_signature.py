"""Handwriting and statements."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from counter_server.records.authority import SealingIdentity, load_or_create_sealing_identity
from counter_server.records.statement import SignedStatement
from counter_server.signing.errors import SignatureEmptyError
from counter_server.signing.statement import SignerRole, sign_statement
from counter_server.signing.strokes import Strokes
from tests.counter_server.signing.builders import wave
from webrtc.wire.visit import Point

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

NOT_SIGNATURES: dict[str, list[list[Point]]] = {
    "nothing": [],
    "empty lines": [[], []],
    "a tap": [[Point(x=0.5, y=0.5, t_ms=0)]],
    "a wobbling tap": [[Point(x=0.5 + 0.002 * (i % 3), y=0.5, t_ms=i * 20) for i in range(30)]],
    "a slip": [wave(points=20, width=0.1)],
    "a burst no hand can draw": [wave(points=100, step_ms=1)],
}


@pytest.mark.parametrize("kind", NOT_SIGNATURES)
def test_what_is_no_signature_is_refused(kind: str) -> None:
    with pytest.raises(SignatureEmptyError):
        Strokes.of(NOT_SIGNATURES[kind], 2.5)


def test_a_cross_is_a_signature() -> None:
    """Whoever cannot write signs with a cross."""
    down = [Point(x=0.3 + 0.02 * i, y=0.2 + 0.05 * i, t_ms=i * 16) for i in range(12)]
    up = [Point(x=0.3 + 0.02 * i, y=0.8 - 0.05 * i, t_ms=400 + i * 16) for i in range(12)]
    assert len(Strokes.of([down, up], 2.5).lines) == 2


def test_strokes_have_one_spelling_and_hash() -> None:
    line = [Point(x=1 / 3, y=0.25 * (i % 4), t_ms=i * 30, pressure=0.5) for i in range(10)]
    strokes = Strokes.of([line], 2.0)
    stored = strokes.to_bytes()
    assert stored.startswith(b'{"format":"visual-counter-strokes/1","lines":[[[333333,0,0,500],[333333,250000,30,500],')
    assert strokes.sha256() == hashlib.sha256(stored).hexdigest()


@pytest.fixture(scope="module")
def sealing(tmp_path_factory: pytest.TempPathFactory) -> SealingIdentity:
    return load_or_create_sealing_identity(tmp_path_factory.mktemp("keys"), NOW - timedelta(days=1))


def test_a_statement_holds_only_as_it_was_signed(sealing: SealingIdentity) -> None:
    signed = sign_statement(
        sealing,
        record_id="R-20261121-7K3M9Q2X",
        visit_id="v1",
        role=SignerRole.CLERK,
        actor="clerk-7",
        document_sha256="ab" * 32,
        strokes_sha256=None,
        at=NOW,
    )
    pem, key = sealing.certificate_pem(), sealing.key.public_key()
    stored = signed.to_bytes()
    assert SignedStatement.read(stored).is_signed_by(pem, key)
    changed = stored.replace(b'"actor":"clerk-7"', b'"actor":"clerk-8"')
    assert not SignedStatement.read(changed).is_signed_by(pem, key)
    assert not SignedStatement.read(stored).is_signed_by(pem + b"\n", key)
