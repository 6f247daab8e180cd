"""The page's player: the right second of an H.264 recording after a jump, sound too, a picture that turned; and VP8."""

import asyncio
import base64
import io
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyrage  # type: ignore[import-untyped]
import pytest
from playwright.async_api import Page as BrowserPage

import build_web
from counter_server.records.recordings import first_cluster_ms
from tests.webrtc.films import unseal
from tests.webrtc.stage import browsers
from tests.webrtc.test_record import Clock, Leg, encoded
from tests.webrtc.test_record_h264 import Page
from webrtc.record import Recording
from webrtc.sealed import SegmentWriter

SECONDS, KEY_EVERY_S, TURNED_AT_S = 24, 8, 16
ROLLDOWN = build_web.ROOT / "node_modules" / "rolldown" / "bin" / "cli.mjs"

PLAYER = """
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
const video = document.querySelector('video');
window.begin = (view) => {
  window.playback = new Playback(view, async (n, offset, size) => bytes(await piece(offset, size)));
  playback.show(view.tracks[0], video); };
window.look = () => {
  const c = new OffscreenCanvas(1, 1), g = c.getContext('2d'); g.drawImage(video, 0, 0, 1, 1);
  return { shown: g.getImageData(0, 0, 1, 1).data[1], at_ms: playback.position(), at_s: video.currentTime,
    width: video.videoWidth, height: video.videoHeight, broken: playback.broken(0),
    heard: video.webkitAudioDecodedByteCount } };
"""


def second_by_brightness() -> list[bytes]:
    """Pictures whose brightness tells the second: 40 + 7 per second; upright from a moment on."""
    pictures: list[bytes] = []
    for begin_s in range(0, SECONDS, KEY_EVERY_S):
        width, height = (320, 240) if begin_s < TURNED_AT_S else (240, 320)
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 30)
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": "9999"}
        for number in range(30 * KEY_EVERY_S):
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = 40 + 7 * (begin_s + number // 30)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts = number
            pictures += [bytes(packet) for packet in encoder.encode(picture)]
    return pictures


async def record(folder: Path) -> tuple[list[bytes], float]:
    """The segments in the clear, and how long they last together."""
    writer = SegmentWriter()
    page = Page(folder, writer)
    page.talk(second_by_brightness())
    track = await page.film.finish()
    writer.close()
    return [unseal(folder, [name], page.identity) for name, _, _ in track.segments], track.duration_s


def view_of(pieces: list[bytes], duration_s: float) -> dict[str, object]:
    """What the counter tells the player."""
    offsets = [sum(map(len, pieces[:index])) for index in range(len(pieces))]
    side = {
        "number": 0,
        "starts_ms": 0,
        "duration_ms": round(duration_s * 1000),
        "gaps": [],
        "pieces": [
            {"offset": offset, "size": len(piece), "start_ms": first_cluster_ms(piece)}
            for offset, piece in zip(offsets, pieces, strict=True)
        ],
    }
    return {"viewing_id": "", "record_id": "", "duration_ms": side["duration_ms"], "tracks": [side]}


def bundle(source: str, into: Path) -> str:
    """A module of the pages and what it imports, as one script; skips where nothing can bundle."""
    if not ROLLDOWN.exists():
        pytest.skip("node_modules are missing: ./run build")
    script = into / "bundle.js"
    words = [build_web.tool("node"), str(ROLLDOWN), str(build_web.ROOT / source), "--format", "esm", "--file"]
    subprocess.run([*words, str(script)], check=True, capture_output=True, env=build_web.environment())
    return script.read_text("utf-8")


async def stage_player(page: BrowserPage, script: str, whole: bytes, asked: list[tuple[int, int]]) -> None:
    """The player in a page, fed from memory."""

    def piece(offset: int, size: int) -> str:
        asked.append((offset, size))
        return base64.b64encode(whole[offset : offset + size]).decode()

    await page.expose_function("piece", piece)
    await page.set_content("<!doctype html><video muted></video>")
    await page.add_script_tag(content=script + PLAYER, type="module")
    await page.wait_for_function("() => window.begin !== undefined")


async def test_the_player_shows_the_second_that_was_jumped_to(tmp_path: Path) -> None:
    script = bundle("webrtc/web/playback.ts", tmp_path)
    pieces, duration_s = await record(tmp_path)
    whole, asked = b"".join(pieces), list[tuple[int, int]]()
    async with browsers(1) as ((browser,), address):
        page = await browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(address)
        await stage_player(page, script, whole, asked)
        await page.evaluate("view => begin(view)", view_of(pieces, duration_s))
        for jump_s, size in ((TURNED_AT_S + 3, (240, 320)), (4, (320, 240)), (TURNED_AT_S - 1, (320, 240))):
            await page.evaluate("at => { playback.seek(at); playback.play() }", 1000 * jump_s)
            await page.wait_for_function("at => playback.position() > at && !playback.waiting", arg=1000 * jump_s + 600)
            await page.evaluate("playback.pause()")
            await page.wait_for_timeout(300)
            seen = await page.evaluate("look()")
            second = ((seen["shown"] * 219 / 255 + 16) - 40) / 7  # BT.601 video range to a canvas' full range
            assert abs(second - seen["at_s"]) < 1.3, seen
            assert abs(seen["at_s"] - seen["at_ms"] / 1000) < 1.0, seen
            assert (seen["width"], seen["height"]) == size
            assert not seen["broken"]
            assert seen["heard"] > 0
        assert faults == []
    begun_at = [offset for offset, _ in asked][1]
    assert begun_at == 0 or begun_at >= len(pieces[0])  # whole pieces, none before the one that is needed


async def test_vp8_is_played_as_it_lies_there(tmp_path: Path) -> None:
    """The same clusters without a change: what webrtc/matroska.py writes is what Chromium takes as WebM."""
    script = bundle("webrtc/web/playback.ts", tmp_path)
    clock, writer, identity = Clock(), SegmentWriter(), pyrage.x25519.Identity.generate()
    film = Recording("customer", tmp_path, "customer", str(identity.to_public()), writer, clock)
    Leg(film, clock, timestamp=7, sequence=7).talk(encoded(300))
    track = await film.finish()
    writer.close()
    pieces = [unseal(tmp_path, [name], identity) for name, _, _ in track.segments]
    async with browsers(1) as ((browser,), address):
        page = await browser.new_page()
        await page.goto(address)
        await stage_player(page, script, b"".join(pieces), [])
        await page.evaluate("view => begin(view)", view_of(pieces, track.duration_s))
        await page.evaluate("() => { playback.seek(6000); playback.play() }")
        await page.wait_for_function("() => playback.position() > 7000 && !playback.waiting")
        seen = await page.evaluate("look()")
        assert (seen["width"], seen["height"], seen["broken"]) == (320, 240, False)
        assert seen["heard"] > 0
        assert seen["at_s"] > 6


async def test_libav_reads_the_fragments_as_mp4_with_the_same_pictures(tmp_path: Path) -> None:
    """Its demuxer is the oracle for boxes, times and key flags; pieces that follow each other leave no seam."""
    script = bundle("webrtc/web/fragments.ts", tmp_path)
    pieces, _ = await record(tmp_path)
    driver = tmp_path / "driver.mjs"
    driver.write_text(
        script
        + """
import { readFileSync, writeFileSync } from "node:fs";
const pieces = process.argv.slice(3).map((name) => new Uint8Array(readFileSync(name)));
const fragments = new Fragments(pieces[0]);
const parts = pieces.map((piece, number) => fragments.take(number, piece, number === pieces.length - 1));
writeFileSync(process.argv[2], Buffer.concat([fragments.description, ...parts]));
"""
    )
    names = []
    for number, piece in enumerate(pieces):
        names.append(tmp_path / f"{number}.mkv")
        names[-1].write_bytes(piece)
    film = tmp_path / "film.mp4"
    words = [build_web.tool("node"), str(driver), str(film), *map(str, names)]
    await asyncio.to_thread(subprocess.run, words, check=True, capture_output=True, env=build_web.environment())
    with av.open(io.BytesIO(b"".join(pieces))) as container:
        before = [(packet.pts, packet.is_keyframe, bytes(packet)) for packet in container.demux(video=0) if packet.size]
    with av.open(str(film)) as container:
        assert container.format.name.startswith("mov")
        after = [(packet.pts, packet.is_keyframe, bytes(packet)) for packet in container.demux(video=0) if packet.size]
    assert after == before
    with av.open(str(film)) as container:
        assert len(list(container.decode(video=0))) == 30 * SECONDS
    with av.open(str(film)) as container:
        assert len(list(container.decode(audio=0))) == 30 * SECONDS
