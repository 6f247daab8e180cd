"""A stream's packets since its last key picture, so that whoever is attached sees it at once.

A key picture asked for takes 150 ms to come on an idle machine with no way in between: up to 33 ms to the next picture,
the encoder, and 130 ms in which Chromium paces its 47 KB out at little more than the rate of the stream.
"""

from typing import NamedTuple

from webrtc.rtp import PayloadFormat, ahead

# A key picture of 640x480 and 0.7 s of what follows it at the 1.7 Mbit/s Chromium sends. They leave in one burst, which
# a viewer's line must swallow; a longer one costs it more than the key picture saved.
KEPT_PACKETS = 160


class KeptPacket(NamedTuple):
    """What `PassSender.forward` takes."""

    packet: bytes
    sequence: int
    timestamp: int
    begin: int
    end: int
    marker: int


class RecentPictures:
    """Keeps them; empty when the last key picture is too long ago."""

    def __init__(self) -> None:
        self._kept: list[KeptPacket] = []
        self._keeps = False
        self._timestamp = -1
        self.key_bytes = 0  # of the last key picture, to weigh what another would cost

    def take(
        self,
        kind: PayloadFormat,
        packet: bytes,
        sequence: int,
        timestamp: int,
        begin: int,
        end: int,
        marker: int,
    ) -> None:
        """One packet, repairs included, in any order. This runs for every packet: keep it flat.

        Only the first of a picture's packets to come is asked whether it begins a key picture; one whose own first
        packet was lost and repaired is not noticed, and the next is.
        """
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            if kind.begins_key(packet, begin):
                self._kept = [KeptPacket(packet, sequence, timestamp, begin, end, marker)]
                self._keeps = True
                self.key_bytes = end - begin
                return
        if self._keeps:
            if timestamp == self._kept[0].timestamp:
                self.key_bytes += end - begin
            self._kept.append(KeptPacket(packet, sequence, timestamp, begin, end, marker))
            if len(self._kept) > KEPT_PACKETS:
                self.forget()

    def forget(self) -> None:
        """Another stream begins, or the key picture is too long ago."""
        self._kept = []
        self._keeps = False

    def whole(self) -> list[KeptPacket]:
        """All packets from the key picture on in order, or none where one of them is missing."""
        if not self._kept:
            return []
        first = self._kept[0].sequence
        ordered = {ahead(packet.sequence, first): packet for packet in self._kept}
        steps = sorted(step for step in ordered if step >= 0)
        return [ordered[step] for step in steps] if steps[-1] + 1 == len(steps) else []


def picture_places(packets: list[KeptPacket]) -> dict[int, int]:
    """Each picture's place among them, by its timestamp."""
    return {timestamp: place for place, timestamp in enumerate(dict.fromkeys(packet.timestamp for packet in packets))}
