"""Matroska clusters, as libav writes them."""

import io

import av
import numpy as np
import pytest

from counter_server.records.errors import RecordFormatError
from counter_server.records.recordings import CLUSTER, first_cluster_at, first_cluster_ms, track_and_number


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
