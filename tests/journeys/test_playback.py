"""An auditor watches a recording in a real browser: the right second is shown after a jump."""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from counter_server.records import service
from counter_server.records.line_quality import QUALITY_OBJECT, QUALITY_POLICY
from counter_server.records.masters import FileMasterKeys
from counter_server.records.openings import read_openings
from counter_server.records.record import ObjectClass, RecordingSegment
from counter_server.records.seal import PlainObject, SealedObject, seal_record
from counter_server.visits.line_quality import measured
from counter_server.visits.office import Office
from tests.counter_server.builders import PASSWORD, office_in
from tests.counter_server.records.builders import Safe, begin_recording, build_draft
from tests.journeys.browsers import NoChromiumError, find_chromium, two_browsers
from tests.journeys.programs import Program, free_port, run_once
from tests.journeys.words import say
from tests.webrtc.test_record import Clock, Leg
from webrtc.record import Recording
from webrtc.rtp import OPUS, VP8
from webrtc.sealed import SegmentWriter

SECONDS, KEY_EVERY = 40, 10
LATE_MS = 48


def film() -> list[bytes]:
    """Pictures whose brightness tells the second: 40 + 5 per second; a key picture every ten seconds."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 320, 240, "yuv420p", Fraction(1, 30)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": str(30 * KEY_EVERY)}
    pictures: list[bytes] = []
    for number in range(30 * SECONDS):
        planes = np.full((360, 320), 128, np.uint8)
        planes[:240] = 40 + 5 * (number // 30)
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts = number
        pictures += [bytes(packet) for packet in encoder.encode(picture)]
    return pictures


async def seal_film(office: Office, home: Path) -> str:
    """A sealed record whose one track is the film; its number."""
    safe = Safe(home, cast("Engine", None), cast("FileMasterKeys", office.master), office.sealing, office.safe)
    keys = await office.db.run(lambda connection: begin_recording(safe, connection))
    folder, clock, writer = office.safe.recording_folder(keys.record_id), Clock(), SegmentWriter()
    recording = Recording("customer", folder, "customer-1", keys.recipient, writer, clock)
    leg = Leg(recording, clock, timestamp=5, sequence=5)
    leg.talk(film())
    # the page took its last sound at the moment it took a picture that stands LATE_MS later
    recording.hear(OPUS, leg.audio, 3_900_000_000 << 32, (leg.sent - 1) * 1_600)
    recording.hear(VP8, leg.video, 3_900_000_000 << 32, 5 + (leg.sent - 1) * 3_000 + LATE_MS * 90)
    track = await recording.finish()
    writer.close()
    adopted = tuple(
        SealedObject.adopt(
            folder / name, f"recording/{name.removesuffix('.age')}", ObjectClass.RECORDING, "video/x-matroska"
        )
        for name, _, _ in track.segments
    )

    draft = build_draft(safe, keys, adopted)
    pieces = tuple(RecordingSegment(item.name, index) for index, item in enumerate(adopted))
    whole = replace(draft.recordings[0], duration_ms=SECONDS * 1000, frames=track.frames, segments=pieces)
    quality = measured(keys.record_id, (track,), (whole,))
    assert quality is not None
    said = PlainObject(QUALITY_OBJECT, ObjectClass.STATEMENT, "application/json", quality.to_bytes())
    draft = replace(draft, objects=(*draft.objects, said), policies=(*draft.policies, QUALITY_POLICY))
    sealed = seal_record(replace(draft, recordings=(whole,)), keys, office.sealing, office.safe, datetime.now(UTC))
    await office.db.run(service.insert_record, sealed)
    return sealed.record_id


async def prepare(home: Path) -> str:
    async with office_in(home) as office:
        return await seal_film(office, home)


BRIGHTNESS = """video => { const c = new OffscreenCanvas(1, 1), g = c.getContext('2d');
  g.drawImage(video, 0, 0, 1, 1); return g.getImageData(0, 0, 1, 1).data[1] }"""


def test_an_auditor_jumps_into_a_recording_and_sees_that_second(tmp_path: Path) -> None:
    try:
        find_chromium()
    except NoChromiumError as missing:
        pytest.skip(str(missing))
    home = tmp_path / "home"
    record_id = asyncio.run(prepare(home))
    command = [sys.executable, "-m", "counter_server", "--home", str(home)]
    words = [*command, "clerk", "add", "wu", "--name", "Wu", "--role", "auditor", "--language", "en"]
    run_once([*words, "--password-stdin"], given=PASSWORD + "\n")
    port = free_port()
    serve = [*command, "serve", "--port", str(port), "--kiosk-port", str(free_port())]
    counter = Program("counter", serve, tmp_path / "counter.log")
    try:
        counter.wait_ready(90)
        with two_browsers() as browsers:
            page = browsers.console("en")
            page.goto(f"http://127.0.0.1:{port}/console")
            page.get_by_label(say("en", "username"), exact=True).fill("wu")
            page.get_by_label(say("en", "password"), exact=True).fill(PASSWORD)
            page.get_by_role("button", name=say("en", "login"), exact=True).click()
            page.get_by_role("button", name=say("en", "recordingsOpen")).click()
            page.get_by_role("button", name=say("en", "recordingOpen", record=record_id)).click()
            begin = page.get_by_role("button", name=say("en", "recordingBegin"))
            expect(begin).to_be_disabled()
            page.get_by_label(say("en", "recordingReason")).fill("complaint 2026-118")
            begin.click()
            slider = page.get_by_role("slider", name=say("en", "playbackPosition"))
            expect(slider).to_be_visible()
            slider.fill("33000")
            page.get_by_role("button", name=say("en", "playbackPlay"), exact=True).click()
            page.wait_for_function("() => Number(document.querySelector('.playback').dataset.position) > 34500")
            page.get_by_role("button", name=say("en", "playbackPause"), exact=True).click()
            page.wait_for_timeout(300)
            at_s = float(page.locator(".playback").get_attribute("data-position") or 0) / 1000
            shown = page.locator(".playback video").evaluate(BRIGHTNESS)
            page.screenshot(path=str(tmp_path / "playback.png"), full_page=True)
            side = page.get_by_role("region", name=say("en", "sideCustomer"))
            expect(side.get_by_text(say("en", "recordingLossNone"), exact=True)).to_be_visible()
            expect(
                side.get_by_text(say("en", "recordingSizeFrom", at="0:00", width="320", height="240"))
            ).to_be_visible()
            expect(side.get_by_text("ms later than the voice")).to_be_visible()
            # BT.601 video range to full range, as canvases give it
            second = ((shown * 219 / 255 + 16) - 40) / 5
            assert abs(second - at_s) < 1.6, (shown, second, at_s)
            assert browsers.faults == []
    finally:
        counter.stop()
    assert [line.event for line in read_openings(home / "openings.jsonl")] == ["recording_viewed"]
