"""No face leaves the face process: every embedding is a canary, looked for in everything that is said or written."""

import logging
import pickle
from typing import Any

import numpy as np
import pytest

from biometrics.face.calibration import load_thresholds
from biometrics.face.engine import Chip, Embedding
from biometrics.face.reference import load_reference
from biometrics.face.session import FaceSession
from counter_server.identification.face_process import _decide, _finding, _Running
from tests.biometrics.simulated_customer import face_engine
from tests.biometrics.test_session import ASKED, run, willing
from tests.journeys.photographs import photograph


class Canaries:
    """The real engine, which remembers what every face became."""

    def __init__(self) -> None:
        self.embeddings: list[Embedding] = []
        self.handed_out: list[Embedding] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(face_engine(), name)

    def embed(self, chip: Chip) -> Embedding:
        embedding = face_engine().embed(chip)
        self.embeddings.append(embedding.copy())
        self.handed_out.append(embedding)
        return embedding


def test_no_embedding_is_logged_told_or_left_in_memory(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    engine = Canaries()
    reference = load_reference(photograph("obama2.jpg").read_bytes(), engine)
    session = FaceSession(engine, reference, ASKED, load_thresholds(engine), 0.0)
    run(session, willing())
    finding = _finding("visit", _decide(_Running(session, reference)))
    assert len(engine.embeddings) > 10
    told = pickle.dumps(finding)
    captured = capfd.readouterr()
    written = caplog.text + captured.out + captured.err + repr(session) + repr(finding.checks) + repr(finding.reasons)
    directions = [*engine.embeddings, *(one / np.linalg.norm(one) for one in engine.embeddings)]
    for embedding in directions:
        for part in embedding[:16]:
            assert part.tobytes() not in told
            assert part.astype(np.float32).tobytes() not in told
            assert f"{abs(part):.6f}" not in written
    assert not reference.embedding.any()
    assert not any(one.any() for one in engine.handed_out)
