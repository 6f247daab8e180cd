"""Matroska clusters, as libav writes them."""

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from counter_server.records.errors import RecordFormatError
from counter_server.records.journal import instant
from counter_server.records.record import ObjectClass, RecordedTrack, RecordingGap, RecordingSegment
from counter_server.records.recordings import CLUSTER, first_cluster_at, first_cluster_ms, track_and_number
from counter_server.records.seal import SealedObject, seal_record
from counter_server.records.verify import verify_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import Safe
from tests.webrtc.test_record import Clock, Leg, encoded
from webrtc.record import Recording
from webrtc.sealed import SegmentWriter


def live_stream() -> bytes:
    """Six seconds of pictures, written without seeking, a cluster per second."""
    stored = io.BytesIO()
    options = {"live": "1", "cluster_time_limit": "1000"}
    with av.open(stored, "w", format="matroska", options=options) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.gop_size = 64, 64, 10
        for number in range(60):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number * 4, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return stored.getvalue()


def test_cluster_times_are_those_libav_reads_back() -> None:
    stored = live_stream()
    starts = [at for at in range(len(stored)) if stored.startswith(CLUSTER, at)]
    assert len(starts) >= 4
    times = [first_cluster_ms(stored[at:]) for at in starts]
    with av.open(io.BytesIO(stored)) as container:
        pictures_ms = {round(float(p.pts * p.time_base) * 1000) for p in container.demux(video=0) if p.pts is not None}
    assert times[0] == 0
    assert times == sorted(set(times), key=lambda ms: ms or 0)
    assert set(times) <= pictures_ms
    assert first_cluster_at(stored) == starts[0] > 0
    assert first_cluster_at(stored[starts[1] :]) == 0


@pytest.mark.parametrize("cut", [b"", CLUSTER, CLUSTER + b"\x01", CLUSTER + b"\x81\xe7", CLUSTER + b"\x81\xe7\x84\0\0"])
def test_what_is_cut_short_has_no_time(cut: bytes) -> None:
    assert first_cluster_ms(cut) is None


def test_a_name_tells_track_and_number() -> None:
    assert track_and_number("recording/customer.2-0012.mkv") == ("recording/customer.2", "customer.2", 12)
    for name in ("recording/customer.mkv", "customer-1.mkv", "-0001.mkv", "a-0001"):
        with pytest.raises(RecordFormatError):
            track_and_number(name)


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return builders.build_safe(tmp_path)


async def test_what_the_media_worker_recorded_is_sealed_and_decodes_after_opening(safe: Safe) -> None:
    """Ten seconds through the real recorder, with a silence, then sealed, verified and opened."""
    with safe.engine.begin() as conn:
        keys = builders.begin_recording(safe, conn)
    folder, clock, writer = safe.store.recording_folder(keys.record_id), Clock(), SegmentWriter()
    film = Recording("customer", folder, "customer", keys.recipient, writer, clock)
    Leg(film, clock, timestamp=7, sequence=7).talk(encoded(150))
    clock.now_s += 3.0
    Leg(film, clock, timestamp=90_000, sequence=700).talk(encoded(150))
    track = await film.finish()
    writer.close()
    names = [f"recording/{filename.removesuffix('.age')}" for filename, _, _ in track.segments]
    adopted = tuple(
        SealedObject.adopt(folder / filename, name, ObjectClass.RECORDING, "video/x-matroska")
        for name, (filename, _, _) in zip(names, track.segments, strict=True)
    )
    told = RecordedTrack(
        side="customer",
        kind="both",
        started_at=instant(track.started_at),
        frames=track.frames,
        fps_milli=round(track.fps_measured * 1000),
        duration_ms=round(track.duration_s * 1000),
        gaps=tuple(RecordingGap(round(at_s * 1000), round(for_s * 1000)) for at_s, for_s in track.gaps),
        segments=tuple(RecordingSegment(name, index) for index, name in enumerate(names)),
    )
    draft = replace(builders.build_draft(safe, keys), adopted=adopted, recordings=(told,))
    sealed = seal_record(draft, keys, safe.sealing, safe.store, builders.NOW)
    assert len(names) >= 3
    assert safe.store.release_recording(keys.record_id)
    identity = builders.identity_of(keys)
    assert verify_record(sealed.folder, safe.trust, identity).intact
    listed = {item.name: sealed.folder / "objects" / f"{item.sha256}.age" for item in sealed.manifest.objects}
    film_bytes = b"".join(identity.open(listed[name].read_bytes()) for name in names)
    with av.open(io.BytesIO(film_bytes)) as container:
        assert sum(1 for _ in container.decode(video=0)) == track.frames == 300
