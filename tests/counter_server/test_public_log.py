"""The log at the public door: states as leaves, tiles and checkpoint, and the proof behind a receipt."""

import json
from pathlib import Path

from counter_server.records.log import ledger
from counter_server.records.log.checkpoint import Checkpoint
from counter_server.records.log.examine import LogEvidence
from counter_server.records.log.merkle import leaf_hash
from counter_server.records.log.note import Note
from counter_server.records.log.policy import Policy
from counter_server.records.verify import verify_record
from counter_server.visits import closing, customer
from counter_server.visits.publishing import LogPublishing
from counter_server.visits.receipts import hand_out_proofs
from counter_server.visits.store import COUNTER, load
from tests.counter_server.builders import ADDRESS, with_card_and_face
from tests.counter_server.test_doors import doors
from webrtc.wire.visit import Reason, SubmitForm


async def test_every_change_of_state_is_a_leaf_without_a_person_in_it(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, _, _kiosk):
        visit = await with_card_and_face(office, "change-address")
        await closing.refuse(office, visit.visit_id, Reason.BY_CLERK, COUNTER)
        leaves = await office.db.run(ledger.read_leaves, 0, 100)
    states = [json.loads(leaf.entry or b"")["details"]["state"] for leaf in leaves if leaf.kind == "visit"]
    assert states == ["consent", "card", "face", "form", "refused"]
    assert all(leaf.subject == visit.record_id for leaf in leaves if leaf.kind == "visit")
    assert visit.holder is not None
    for word in (visit.holder.name, visit.holder.document_number, visit.visit_id):
        assert word.encode() not in b"".join(leaf.entry or b"" for leaf in leaves)


async def test_the_published_log_is_served_and_proves_a_receipt(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        visit = await with_card_and_face(office, "change-address")
        await closing.refuse(office, visit.visit_id, Reason.BY_CLERK, COUNTER)
        publishing = LogPublishing.begin(office)
        await publishing.publish_checkpoint()
        answer = await public.get("/log/checkpoint")
        checkpoint = Checkpoint.parse(Note.parse(answer.content).text)
        tile = await public.get(f"/log/tile/0/000.p/{checkpoint.size}")
        assert (answer.status_code, tile.status_code) == (200, 200)
        hashes = [tile.content[at : at + 32] for at in range(0, len(tile.content), 32)]
        assert len(hashes) == checkpoint.size
        proof = await office.db.run(ledger.prove_record, visit.record_id)
        assert hashes[proof.index] == leaf_hash((office.safe.folder_of(visit.record_id) / "record.json").read_bytes())
        proof.check_path(hashes[proof.index], checkpoint)
        for path in ("audited", "../keys/log.key", "tile/0/%2e%2e/policy", "tile/0/999", ".publishing", ""):
            assert (await public.get(f"/log/{path}")).status_code == 404
        refused = await public.get(f"/api/receipts/{visit.record_id}/proof", params={"code": "00000000"})
        assert refused.status_code == 404


async def test_a_receipt_shows_its_place_in_the_log_and_gives_out_the_proof(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, public, _kiosk):
        visit = await with_card_and_face(office, "change-address")
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, visit.visit_id)
        receipt = (await office.db.run(load, visit.visit_id)).receipt
        assert receipt is not None
        query = {"record": receipt.record_id, "code": receipt.check_code, "lang": "en"}
        assert "Public log" not in (await public.get("/check", params=query)).text  # no checkpoint covers it yet
        await hand_out_proofs(office)
        still = (await office.db.run(load, visit.visit_id)).receipt
        assert still == receipt  # no checkpoint covers it
        await LogPublishing.begin(office).publish_checkpoint()
        await hand_out_proofs(office)
        carried = (await office.db.run(load, visit.visit_id)).receipt
        page = (await public.get("/check", params=query)).text
        assert "Public log" in page
        assert f"/api/receipts/{receipt.record_id}/proof?code={receipt.check_code}" in page
        answer = await public.get(f"/api/receipts/{receipt.record_id}/proof", params={"code": receipt.check_code})
        assert carried is not None
        assert carried.proof == answer.text
        policy = Policy.parse((await public.get("/log/policy")).text)
        folder, trust = office.safe.folder_of(receipt.record_id), office.sealing.trust_root.read_bytes()
        assert verify_record(folder, trust, log=LogEvidence(answer.content, policy)).intact
