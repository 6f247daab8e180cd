"""The media engine's interface: legs, who sees whom, what is recorded. No type of any WebRTC library passes it.

A *leg* is the one connection between the counter and one participant of a room. The counter offers (one audio and one
video section, both sendrecv, no STUN), the page answers. Legs of a room are wired with `attach`; what arrives on a leg
can be recorded and watched without the participants noticing.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class EngineKind(StrEnum):
    """Who carries the packets."""

    OWN = "pass"  # our own, on aiortc: packets are passed through
    RELAY = "relay"  # stock aiortc, which decodes and encodes: what OWN falls back to
    JANUS = "janus"  # a Janus VideoRoom of the distribution's


class VideoCodec(StrEnum):
    """What pages are offered for pictures: one per deployment, because nothing is transcoded and all must agree."""

    VP8 = "VP8"  # in every browser since Safari 12.1
    H264 = "H264"  # constrained baseline, where a kiosk's hardware wants it


@dataclass(frozen=True, slots=True)
class LegOffer:
    """A fresh leg and the session description the page must answer."""

    leg_id: str
    sdp: str


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One whole encoded picture as the page sent it; decode with `webrtc.snapshot.PictureDecoder`.

    `at_s` is the arrival of its last packet on the machine-wide monotonic clock (CLOCK_MONOTONIC). `camera_s` is the
    sender's RTP time in seconds: begun anywhere and begun anew after 13 hours, so only short differences tell anything.
    """

    payload: bytes
    key: bool
    codec: str
    at_s: float
    camera_s: float


@dataclass(frozen=True, slots=True)
class PictureSize:
    """From this moment of the recording on, pictures have this size."""

    at_s: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class LineMinute:
    """Packets of one minute of a recording, sound and pictures together, outside of lost lines.

    `repaired` came only after later ones, because they were asked for again or overtaken; `lost` never came in time.
    """

    packets: int
    lost: int
    repaired: int


@dataclass(frozen=True, slots=True)
class TrackQuality:
    """How good a recorded line was. Skew is positive where pictures come after their sound, None where nobody told."""

    sizes: tuple[PictureSize, ...]
    skew_mean_ms: float | None
    skew_worst_ms: float | None
    skew_samples: int
    minutes: tuple[LineMinute, ...]


@dataclass(frozen=True, slots=True)
class RecordedTrack:
    """One sealed recording: its files in order, and what a reader must know about its time line.

    Decrypting `segments` in order and concatenating them gives one Matroska file. `segments` holds
    (file name, size in bytes, SHA-256 in hex) of the encrypted files. `gaps` holds (begin, length) in seconds on the
    recording's own clock, which began at `started_at` and runs through gaps. `complete` is False for a part left by a
    worker that died: its segments are sound, what followed is in the next part, and its figures are unknown (zero,
    and no `quality`).
    """

    role: str
    name: str
    segments: tuple[tuple[str, int, str], ...]
    started_at: datetime
    duration_s: float
    frames: int
    gaps: tuple[tuple[float, float], ...]
    width: int
    height: int
    fps_measured: float
    complete: bool = True
    quality: TrackQuality | None = None


@dataclass(frozen=True, slots=True)
class LegConnected:
    """Media can flow: ICE and DTLS are up."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LineLost:
    """A connected leg has been silent for 1.5 s (no RTP of any kind). Keep it: most lines come back."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LineBack:
    """RTP arrives again on a leg whose line was lost."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LegClosed:
    """The leg ended for good without `close_leg`: the page left, never connected, or stayed away for about 90 s."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class PictureSampled:
    """A picture of a watched leg. The sequence a reader sees is always decodable from a key picture on."""

    leg_id: str
    picture: EncodedPicture


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """A worker process ended unasked; every leg of these rooms is gone and its page must join again."""

    rooms: tuple[str, ...]


MediaEvent = LegConnected | LineLost | LineBack | LegClosed | PictureSampled | WorkerDied


class MediaEngine(Protocol):
    """Carries the calls of many rooms. Every method raises a `MediaError` and nothing else."""

    async def start(self) -> None:
        """Ready for legs; raise `EngineUnfitError` where this machine cannot carry a call."""

    async def stop(self) -> None:
        """Close every leg, finish every recording, end."""

    @property
    def healthy(self) -> bool:
        """Whether a new leg would be served now."""

    async def create_leg(self, room: str, role: str, near: str | None = None) -> LegOffer:
        """A new leg; an earlier one of the same room and role stays open until it is closed.

        `near` names the room whose legs this one will be attached to: an engine of several workers puts it there.
        """

    async def accept(self, leg_id: str, sdp: str) -> None:
        """Apply the page's answer; `LegConnected` follows when the way is found."""

    async def restart(self, leg_id: str) -> LegOffer:
        """Look for a new way for a leg whose page has another address now; it answers this offer as the first.

        Nothing else changes: encryption, numbers, who sees whom and recordings go on.
        """

    async def add_candidate(
        self, leg_id: str, candidate: str | None, sdp_mid: str | None, sdp_mline_index: int | None
    ) -> None:
        """Take a trickled candidate. Before the answer it waits; `.local` names are learnt from checks instead."""

    async def attach(self, publisher: str, subscriber: str) -> None:
        """Send the publisher's picture and sound to the subscriber, in place of whatever it got before.

        Raises `LegsApartError` when no worker carries both: one must be made anew, `near` the other's room.
        """

    async def detach(self, subscriber: str) -> None:
        """Send nothing more to the subscriber; its own picture still arrives."""

    async def watch(self, leg_id: str, *, pictures_per_s: float) -> None:
        """Deliver the leg's encoded pictures as `PictureSampled`, beginning with a key picture.

        Above 1 picture/s every encoded picture is delivered, because each needs all before it; up to 1 picture/s only
        key pictures are asked for and delivered, at that pace.
        """

    async def unwatch(self, leg_id: str) -> None:
        """Deliver no more pictures of this leg."""

    async def record(self, leg_id: str, folder: Path, name: str, recipient: str) -> None:
        """Seal what arrives on this leg into `{name}-NNNN.mkv.age` in `folder` for an age X25519 recipient.

        A recording of the same room, role, folder and name that is still open is continued with this leg in its time
        line; any other that this leg filled is left as it is until `end_recording`.
        """

    async def end_recording(self, room: str) -> tuple[RecordedTrack, ...]:
        """Close the room's recordings and return when all are durable; raise `RecordingFailedError` if any is not."""

    async def close_leg(self, leg_id: str) -> None:
        """Hang up. Unknown legs are fine: they are closed."""

    async def close_room(self, room: str) -> None:
        """Hang up every leg of the room; recordings stay open until `end_recording`."""

    async def next_event(self) -> MediaEvent:
        """Wait for what happens next. One reader at a time."""
