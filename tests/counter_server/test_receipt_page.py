"""The page where a customer checks a receipt names the check that failed, in both languages."""

from pathlib import Path

import pytest

from counter_server.visits import customer
from counter_server.visits.store import load
from tests.counter_server.builders import ADDRESS, with_card_and_face
from tests.counter_server.test_doors import doors
from webrtc.wire.visit import SubmitForm


@pytest.mark.parametrize(
    ("harmed", "named"),
    [
        ("record.json", "2 manifest_is_canonical"),
        ("record.sig", "6 signature_holds"),
        ("objects", "12 object_hashes_hold"),
    ],
)
async def test_a_broken_record_is_told_with_the_checks_number(tmp_path: Path, harmed: str, named: str) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        visit = await with_card_and_face(office, "change-address")
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, visit.visit_id)
        receipt = (await office.db.run(load, visit.visit_id)).receipt
        assert receipt is not None
        query = {"record": receipt.record_id, "code": receipt.check_code, "lang": "en"}
        assert "check that failed" not in (await public.get("/check", params=query)).text
        path = office.safe.folder_of(receipt.record_id) / harmed
        path = next(path.iterdir()) if path.is_dir() else path
        content = path.read_bytes()
        path.write_bytes(content + b" " if harmed == "record.json" else content[:-1] + bytes([content[-1] ^ 1]))
        page = (await public.get("/check", params=query)).text
        assert f"<dt>The check that failed</dt><dd>{named}</dd>" in page
        chinese = (await public.get("/check", params={**query, "lang": "zh"})).text
        assert f"<dt>未通过的检查</dt><dd>{named}</dd>" in chinese
        wrong = (await public.get("/check", params={**query, "code": "00000000"})).text
        assert named not in wrong
