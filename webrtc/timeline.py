"""When recorded frames were, and how good the line was that brought them: what a reader of a recording may rely on."""

from dataclasses import dataclass, field

from webrtc.engine import LineMinute, PictureSize, TrackQuality
from webrtc.rtp import Assembler, ahead

# Media time may drift from our clock by crystal error (50 ppm: 0.2 s in an hour); more is a lie or a new beginning.
DRIFT_MAX_S = 2.0
# A leg silent for this long counts as lost (`LineLost`); the recording lists the same silences.
GAP_S = 1.5
MINUTE_S = 60.0
# A page that turns all the time would fill the manifest: the first changes tell enough.
SIZES_MAX = 64
# Two reports tell lips from sound only while both clocks are fresh; pages send one a second (RFC 3550 §6.2).
REPORT_FRESH_S = 10.0
# Further apart than this, a report is a lie: no page holds a picture back for two seconds.
SKEW_MAX_S = 2.0
# Pictures are moved to their sound only where somebody could come to notice (ITU-R BT.1359: 45 ms early, 125 ms late),
# and not so far that `DRIFT_MAX_S` would take it for a lie; a page that lies in its reports gains no more than this.
ALIGN_S = (0.02, 1.0)
# Nothing written can be written again, so they move by a fifth of the time that passes: 0.4 s within 2 s.
ALIGN_SPEED = 0.2


@dataclass(slots=True)
class MediaClock:
    """Places frames of one kind on the recording's time line, whatever their RTP timestamps begin with."""

    clock_hz: int
    source: object = None
    _timestamp: int = 0
    _at_s: float = 0.0
    _owed_s: float = 0.0

    def place(self, source: object, timestamp: int, arrived_s: float) -> float:
        """Seconds since the recording began; a new source starts at its arrival (else pts would jump by hours)."""
        at_s = self.of(timestamp)
        if source is not self.source or abs(at_s - arrived_s) > DRIFT_MAX_S:
            at_s, self._owed_s = arrived_s, 0.0
        elif self._owed_s:
            most_s = max(0.0, ALIGN_SPEED * (at_s - self._at_s))
            step_s = min(max(self._owed_s, -most_s), most_s)
            self._owed_s -= step_s
            at_s += step_s
        self.source, self._timestamp, self._at_s = source, timestamp, at_s
        return at_s

    def of(self, timestamp: int) -> float:
        """Where on the time line this timestamp of the present source is."""
        return self._at_s + ahead(timestamp, self._timestamp, 32) / self.clock_hz

    def move(self, by_s: float) -> None:
        """Place what comes so much later (or earlier), little by little; in place of what was asked before."""
        least_s, most_s = ALIGN_S
        self._owed_s = by_s if least_s < abs(by_s) < most_s else 0.0


@dataclass(slots=True)
class Timeline:
    """What a reader of the recording must know about its pictures."""

    frames: int = 0
    first_s: float | None = None
    last_s: float = 0.0
    gaps: list[tuple[float, float]] = field(default_factory=list)
    sizes: list[PictureSize] = field(default_factory=list)

    def add(self, at_s: float) -> None:
        """Count one picture."""
        if self.first_s is None:
            self.first_s = at_s
        elif at_s - self.last_s > GAP_S:
            self.gaps.append((round(self.last_s, 3), round(at_s - self.last_s, 3)))
        self.frames += 1
        self.last_s = at_s

    def show(self, at_s: float, size: tuple[int, int] | None) -> None:
        """Note the size of a key picture where it is another than before."""
        if size is None or len(self.sizes) >= SIZES_MAX:
            return
        if not self.sizes or (self.sizes[-1].width, self.sizes[-1].height) != size:
            at_s = max(at_s, self.sizes[-1].at_s) if self.sizes else at_s
            self.sizes.append(PictureSize(round(at_s, 3), *size))

    def pictures_per_s(self) -> float:
        """Mean rate outside gaps; 0 with fewer than two pictures."""
        if self.first_s is None or self.frames < 2:
            return 0.0
        shown_s = self.last_s - self.first_s - sum(length for _, length in self.gaps)
        return round((self.frames - 1 - len(self.gaps)) / shown_s, 2) if shown_s > 0 else 0.0


@dataclass(slots=True)
class SkewMeter:
    """How much later than sound pictures stand in the recording than the page took them, by its sender reports.

    A report says which moment of the page's clock one RTP timestamp is (RFC 3550 §6.4.1). Placed on the recording's
    time line, that moment should be the same place for sound and pictures.
    """

    sound: MediaClock
    pictures: MediaClock
    samples: int = 0
    _sum_s: float = 0.0
    _worst_s: float = 0.0
    _reports: dict[bool, tuple[int, int, float]] = field(default_factory=dict)

    def report(self, ntp: int, timestamp: int, now_s: float, *, video: bool) -> float | None:
        """One report of the present source: the page's 64-bit time at a timestamp; the skew, where two tell it."""
        self._reports[video] = (ntp, timestamp, now_s)
        other = self._reports.get(not video)
        if other is None or now_s - other[2] > REPORT_FRESH_S:
            return None
        # both places are looked up now: pictures may have been moved since their report
        skew_s = self._page_s(self.sound, video=False) - self._page_s(self.pictures, video=True)
        if abs(skew_s) > SKEW_MAX_S:
            return None
        self.samples += 1
        self._sum_s += skew_s
        if abs(skew_s) > abs(self._worst_s):
            self._worst_s = skew_s
        return skew_s

    def _page_s(self, clock: MediaClock, *, video: bool) -> float:
        """The page's time where the recording's time line begins."""
        ntp, timestamp, _ = self._reports[video]
        return ntp / (1 << 32) - clock.of(timestamp)

    def forget(self, *, video: bool) -> None:
        """Another source came: what was said of the one before is worth nothing."""
        self._reports.pop(video, None)

    @property
    def mean_ms(self) -> float | None:
        """Mean of all samples; None without any."""
        return round(1000 * self._sum_s / self.samples, 1) if self.samples else None

    @property
    def worst_ms(self) -> float | None:
        """The sample furthest from zero, with its sign."""
        return round(1000 * self._worst_s, 1) if self.samples else None


@dataclass(slots=True)
class LineLedger:
    """Packets of every minute of the recording: how many came, came only late, and never came."""

    minutes: list[LineMinute] = field(default_factory=list)
    packets: int = 0
    _lost: int = 0
    _late: int = 0

    def leave(self, assembler: Assembler) -> None:
        """An assembler goes out of use: keep what it counted."""
        self._lost += assembler.lost
        self._late += assembler.late

    def close_until(self, at_s: float, in_use: list[Assembler]) -> None:
        """End the minutes that are over."""
        while at_s >= MINUTE_S * (len(self.minutes) + 1):
            self._close(in_use)

    def _close(self, in_use: list[Assembler]) -> None:
        lost = self._lost + sum(assembler.lost for assembler in in_use)
        late = self._late + sum(assembler.late for assembler in in_use)
        before = self.minutes
        packets = self.packets - sum(minute.packets for minute in before)
        lost -= sum(minute.lost for minute in before)
        late -= sum(minute.repaired for minute in before)
        self.minutes.append(LineMinute(packets, lost, late))

    def finish(self, in_use: list[Assembler]) -> tuple[LineMinute, ...]:
        """All minutes, the last perhaps a short one."""
        self._close(in_use)
        return tuple(self.minutes)


def quality(timeline: Timeline, skew: SkewMeter, minutes: tuple[LineMinute, ...]) -> TrackQuality:
    """Everything measured, as the record keeps it."""
    return TrackQuality(
        sizes=tuple(timeline.sizes),
        skew_mean_ms=skew.mean_ms,
        skew_worst_ms=skew.worst_ms,
        skew_samples=skew.samples,
        minutes=minutes,
    )
