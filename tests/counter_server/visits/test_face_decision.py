"""What a face check came to, as an operator reads it afterwards."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from biometrics.face.outcome import FaceReason
from counter_server.visits import card_step, customer, face_decision, store
from tests.counter_server.builders import chip_message, decided, face, office_in, opened


async def test_an_operator_reads_which_cues_refused_and_of_nobody_whom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, face_decision.__name__)
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        reasons = (FaceReason.WRONG_MOVEMENT.value, FaceReason.FLAT.value)
        await decided(office, replace(face(visit.visit_id, "reject", live=False), reasons=reasons))

        (line,) = [record.getMessage() for record in caplog.records if record.name == face_decision.__name__]
        assert line == "face not passed: wrong_movement flat; failed checks: movement"
        journal = await office.db.run(store.read_journal_of, visit.visit_id)
        (entry,) = [entry for entry in journal if entry.event == "face_not_passed"]
        assert entry.details["reasons"] == "wrong_movement flat"


async def test_of_a_face_that_passed_no_reasons_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, face_decision.__name__)
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        await decided(office, face(visit.visit_id))
        assert [record for record in caplog.records if record.name == face_decision.__name__] == []
