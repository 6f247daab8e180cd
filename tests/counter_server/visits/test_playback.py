"""Watching a recording: by those who may, noted before, and by ranges that open only what was asked for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import httpx
import pytest
from sqlalchemy import Engine

from counter_server.records import agereader, service
from counter_server.records.keeping import KeepClass
from counter_server.records.log.tables import log_leaf
from counter_server.records.masters import FileMasterKeys
from counter_server.records.openings import read_openings
from counter_server.records.seal import seal_record
from counter_server.records.tables import record_slot
from counter_server.visits.office import Office
from counter_server.visits.publishing import LogPublishing
from tests.counter_server.builders import PASSWORD, add_clerk
from tests.counter_server.records.builders import Safe, begin_recording, build_draft, piece, record_segments
from tests.counter_server.test_doors import code_of, doors

REASON = {"reason": "complaint 2026-118, second look"}


async def recorded(office: Office, home: Path) -> str:
    """A sealed record with three segments of one side; its number."""
    master = cast("FileMasterKeys", office.master)
    safe = Safe(home, cast("Engine", None), master, office.sealing, office.safe)
    keys = await office.db.run(lambda connection: begin_recording(safe, connection))
    draft = build_draft(safe, keys, record_segments(safe, keys))
    sealed = seal_record(draft, keys, office.sealing, office.safe, datetime.now(UTC))
    await office.db.run(service.insert_record, sealed)
    return sealed.record_id


async def logged_in(office: Office, client: httpx.AsyncClient, *roles: str) -> None:
    await add_clerk(office, "wu", *roles)
    answer = await client.post("/api/console/login", json={"username": "wu", "password": PASSWORD})
    assert answer.status_code == 200


async def test_an_auditor_watches_by_ranges_and_every_viewing_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with doors(tmp_path) as (office, client, _):
        record_id = await recorded(office, tmp_path)
        await logged_in(office, client, "auditor")
        listed = (await client.get("/api/console/recordings")).json()["records"]
        assert [row["record_id"] for row in listed] == [record_id]
        viewing = (await client.post(f"/api/console/recordings/{record_id}/viewings", json=REASON)).json()
        track = viewing["tracks"][0]
        assert [each["start_ms"] for each in track["pieces"]] == [0, 4000, 8000]
        whole = piece(0) + piece(1) + piece(2)
        path = f"/api/console/viewings/{viewing['viewing_id']}/{track['number']}.mkv"

        opened: list[int] = []
        open_chunk = agereader.AgeReader._open

        def counted(self: agereader.AgeReader, index: int) -> bytes:
            opened.append(index)
            return open_chunk(self, index)

        monkeypatch.setattr(agereader.AgeReader, "_open", counted)
        third = track["pieces"][2]
        answer = await client.get(path, headers={"Range": f"bytes={third['offset']}-{third['offset'] + 99}"})
        assert (answer.status_code, answer.content) == (206, piece(2)[:100])
        assert answer.headers["content-range"] == f"bytes {third['offset']}-{third['offset'] + 99}/{len(whole)}"
        assert len(opened) == 2  # its end, which proves that nothing was cut off, and the wanted chunk; nothing before

        answer = await client.get(path)
        assert answer.content == whole
        answer = await client.get(path, headers={"Range": f"bytes={len(piece(0)) - 5}-{len(piece(0)) + 4}"})
        assert answer.content == whole[len(piece(0)) - 5 : len(piece(0)) + 5]
        assert (await client.get(path, headers={"Range": f"bytes={len(whole)}-"})).status_code == 416
        assert (await client.get(path, headers={"Range": "bytes=0-1,5-6"})).status_code == 400

        lines = read_openings(tmp_path / "openings.jsonl")
        assert [(line.event, line.details["record_id"]) for line in lines] == [("recording_viewed", record_id)]
        await LogPublishing.begin(office)._log_openings()
        kinds = await office.db.run(lambda connection: connection.execute(log_leaf.select()).mappings().all())
        assert [row["subject"] for row in kinds if row["kind"] == "opening"] == [record_id]


async def test_a_clerk_without_the_role_and_a_reason_that_says_nothing_open_nothing(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, client, _):
        record_id = await recorded(office, tmp_path)
        await logged_in(office, client, "clerk", "approver")
        assert code_of(await client.get("/api/console/recordings")) == "not_allowed"
        answer = await client.post(f"/api/console/recordings/{record_id}/viewings", json=REASON)
        assert code_of(answer) == "not_allowed"
        answer = await client.post(f"/api/console/recordings/{record_id}/viewings", json={"reason": "audit       "})
        assert answer.status_code == 400
        assert not (tmp_path / "openings.jsonl").exists()


async def test_another_ones_viewing_is_nobodys(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, client, more):
        record_id = await recorded(office, tmp_path)
        await logged_in(office, client, "supervisor")
        viewing = (await client.post(f"/api/console/recordings/{record_id}/viewings", json=REASON)).json()
        other = await more(None)
        await add_clerk(office, "li", "supervisor")
        await other.post("/api/console/login", json={"username": "li", "password": PASSWORD})
        assert code_of(await other.get(f"/api/console/viewings/{viewing['viewing_id']}/0.mkv")) == "not_found"


async def test_a_changed_record_and_an_erased_key_are_not_played(tmp_path: Path) -> None:
    async with doors(tmp_path) as (office, client, _):
        record_id = await recorded(office, tmp_path)
        await logged_in(office, client, "auditor")
        path = f"/api/console/recordings/{record_id}/viewings"
        victim = max((office.safe.folder_of(record_id) / "objects").iterdir(), key=lambda each: each.stat().st_size)
        sound = victim.read_bytes()
        victim.chmod(0o600)
        victim.write_bytes(sound[:-20] + bytes([sound[-20] ^ 1]) + sound[-19:])
        assert code_of(await client.post(path, json=REASON)) == "record_broken"
        victim.write_bytes(sound)
        gone = record_slot.c.keep_class == KeepClass.RECORDING.value
        await office.db.run(lambda connection: connection.execute(record_slot.delete().where(gone)))
        assert code_of(await client.post(path, json=REASON)) == "recording_closed"
