"""The contract of a visit: signed inside by everybody who signed, and so found in the record."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from counter_server.config import SigningSettings
from counter_server.errors import CounterError
from counter_server.records import slots
from counter_server.records.agefile import AgeKeyring
from counter_server.records.cms import read_signed_message
from counter_server.records.pdf_opinion import pdf_library_agrees
from counter_server.records.record import CONTRACT_ROOT, TIME_STAMP_ROOTS
from counter_server.records.verify import Verification, verify_record
from counter_server.records.verify_clock import CLOCKS_FILE, clocks_policy
from counter_server.records.verify_contract import evidence_name
from counter_server.signing.authority import ROOT_FILE
from counter_server.signing.pool import SigningPool
from counter_server.visits import customer, desk, store
from counter_server.visits.evidence import CONTRACT
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from tests.counter_server.builders import PASSWORD, add_clerk, office_in, reading, signature, signed
from tests.counter_server.signing.public_clock import public_clock
from tests.counter_server.signing.services import served
from tests.counter_server.signing.test_contract import extracted
from webrtc.wire.console import Approve, Countersign
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import PageSeen, VisitState


async def judged(office: Office, visit: Visit) -> tuple[Verification, AgeKeyring]:
    def keys(connection: Connection) -> AgeKeyring:
        return slots.read_slots(connection, visit.record_id).open(office.master).keyring()

    keyring = await office.db.run(keys)
    folder = office.safe.folder_of(visit.record_id)
    trust = office.sealing.trust_root.read_bytes()
    found = await asyncio.to_thread(verify_record, folder, trust, keyring, None, (pdf_library_agrees,))
    return found, keyring


async def test_the_record_holds_a_contract_that_both_signed(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        assert visit.document is not None
        evidence = office.evidence_of(visit.visit_id)
        by_hand, summary = evidence.get(CONTRACT).content, evidence.summary
        assert hashlib.sha256(by_hand[: len(evidence.document.pdf)]).hexdigest() == visit.document.sha256  # type: ignore[union-attr]
        certificate = read_signed_message(extracted(by_hand)[0][0]).certificate
        der = certificate.public_bytes(Encoding.DER)
        assert evidence_name(hashlib.sha256(summary).hexdigest()).encode() in der
        assert json.loads(summary)["exhibits"]["contract.pdf"] == visit.document.sha256
        closing = Countersign(document_sha256=visit.document.sha256, password=PASSWORD)
        await desk.countersign(office, clerk, visit.visit_id, closing)
        found, _ = await judged(office, visit)
        assert found.first_broken is None
        assert found.checks[-1].name == "pdf_library_agrees"
        assert found.manifest is not None
        assert CONTRACT_ROOT in {item.name for item in found.manifest.objects}
        assert next(c.why for c in found.checks if c.name == "contract_holds_its_signatures").startswith("2 signatures")


async def test_a_second_persons_approval_stands_in_the_contract_too(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk, other = await add_clerk(office, "zhang"), await add_clerk(office, "li", "clerk", "approver")
        visit = await signed(office, clerk, "raise-limit")
        assert visit.document is not None
        sha256 = visit.document.sha256
        await desk.countersign(office, clerk, visit.visit_id, Countersign(document_sha256=sha256, password=PASSWORD))
        yes = Approve(document_sha256=sha256, decision="approve", password=PASSWORD)
        await desk.decide_approval(office, other, visit.visit_id, yes)
        found, _ = await judged(office, visit)
        assert found.first_broken is None
        assert next(c.why for c in found.checks if c.name == "contract_holds_its_signatures").startswith("3 signatures")


async def test_the_record_names_whose_time_stamps_the_operator_accepts(tmp_path: Path) -> None:
    """And a checker's own list counts instead of it, in the record's check as in its contract's."""
    provider = public_clock(tmp_path / "provider")
    with served(provider) as url:
        async with office_in(tmp_path) as office:
            clerk = await add_clerk(office, "zhang")
            keys = office.settings.keys
            (keys / CLOCKS_FILE).write_bytes(provider.root_pem)
            office.signing = SigningPool(keys, SigningSettings(time_stamp_url=url))
            visit = await signed(office, clerk, "replace-card")
            assert visit.document is not None
            closing = Countersign(document_sha256=visit.document.sha256, password=PASSWORD)
            await desk.countersign(office, clerk, visit.visit_id, closing)
            found, keyring = await judged(office, visit)
            assert found.first_broken is None
            assert found.manifest is not None
            assert clocks_policy(provider.root_pem) in found.manifest.policies
            assert TIME_STAMP_ROOTS in {item.name for item in found.manifest.objects}
            folder, trust = office.safe.folder_of(visit.record_id), office.sealing.trust_root.read_bytes()
            for clocks, broken in ((provider.root_pem, None), ((keys / ROOT_FILE).read_bytes(), 21)):
                again = await asyncio.to_thread(verify_record, folder, trust, keyring, clocks_pem=clocks)
                assert (again.first_broken.number if again.first_broken else None) == broken


async def test_nothing_is_signed_where_no_signature_can_be_made(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        assert visit.document is not None
        for page in range(1, visit.document.pages + 1):
            seen = PageSeen(document_sha256=visit.document.sha256, page=page)
            await customer.see_page(office, visit.visit_id, seen)
        office.signing = SigningPool(tmp_path / "keys", SigningSettings(time_stamp_url="http://127.0.0.1:9"))
        with pytest.raises(CounterError) as refused:
            await customer.sign(office, visit.visit_id, signature(visit.document.sha256))
        assert refused.value.code is ErrorCode.INTERNAL
        after = await office.db.run(store.load, visit.visit_id)
        assert (after.state, after.signed) == (VisitState.READING, ())
        journal = await office.db.run(store.read_journal_of, visit.visit_id)
        assert [entry.event for entry in journal].count("page_seen") == visit.document.pages
        assert (tmp_path / "keys" / ROOT_FILE).exists()
