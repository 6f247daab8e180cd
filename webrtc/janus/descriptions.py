"""One offer to the page out of two connections of Janus, and the page's one answer back into two.

A VideoRoom receives on one connection, which the *sender* must offer, and sends on another, which Janus offers. Our
pages answer, once, on one connection. So a page gets four sections in two bundles: sound and picture that it sends
(Janus' answer to a placeholder of ours, turned into an offer) and sound and picture that it gets (Janus' own offer).
The placeholder's credentials and fingerprint are random: until the page's own replace them nobody can connect.
"""

import re
import secrets

from webrtc.errors import BadDescriptionError

# Sections of a page: what it sends, then what it gets. Janus calls both pairs 0 and 1.
SENT, GOT = ("0", "1"), ("2", "3")
_HEAD = "v=0\r\no=- {session} {version} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
_CODECS = {
    "VP8": ("VP8/90000", ""),
    # constrained baseline 3.1, the profile every browser has (RFC 7742 §6.2)
    "H264": ("H264/90000", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
}
_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
_TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
_CANDIDATE = re.compile(
    r"candidate:[A-Za-z0-9+/]{1,32} [12] (?:udp|tcp) \d{1,10} [0-9A-Fa-f.:]{2,45} \d{1,5} "
    r"typ (?:host|srflx|prflx|relay)[ -~]*",
    re.IGNORECASE,
)
# A browser's answer of four sections has 6 KB.
ANSWER_MAX_BYTES = 64 << 10


def placeholder_offer(codec: str, version: int) -> str:
    """What a page would offer to send, before it has said anything."""
    number, pair = secrets.token_hex, 32
    fingerprint = ":".join(secrets.token_hex(1).upper() for _ in range(pair))
    common = (
        f"c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=ice-ufrag:{number(4)}\r\na=ice-pwd:{number(12)}\r\n"
        f"a=ice-options:trickle\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:active\r\na=sendonly\r\n"
        f"a=extmap:4 {_MID}\r\na=msid:page page\r\n"
    )
    if version == 0:
        raise ValueError("versions begin with 1")
    name, parameters = _CODECS[codec]
    feedback = "".join(f"a=rtcp-fb:96 {kind}\r\n" for kind in ("nack", "nack pli", "goog-remb", "transport-cc"))
    return (
        _HEAD.format(session=1, version=version)
        + "a=group:BUNDLE 0 1\r\na=msid-semantic: WMS *\r\n"
        + f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n{common}a=rtpmap:111 opus/48000/2\r\n"
        + f"a=fmtp:111 useinbandfec=1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\n{common}"
        + f"a=extmap:3 {_TRANSPORT_CC}\r\na=rtpmap:96 {name}\r\n{feedback}"
        + (f"a=fmtp:96 {parameters}\r\n" if parameters else "")
        + "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    )


def _parts(sdp: str) -> tuple[list[str], list[list[str]]]:
    """Lines before the first section, and those of each section."""
    head: list[str] = []
    sections: list[list[str]] = []
    for line in sdp.splitlines():
        if line.startswith("m="):
            sections.append([line])
        elif line:
            (sections[-1] if sections else head).append(line)
    return head, sections


def page_offer(sent_answer: str, got_offer: str, session: int, version: int) -> str:
    """The offer to the page, from Janus' answer to the placeholder and Janus' own offer."""
    head, sent = _parts(sent_answer)
    got = _parts(got_offer)[1]
    if len(sent) != len(SENT) or len(got) != len(GOT):
        raise BadDescriptionError(f"Janus described {len(sent)} and {len(got)} sections")
    fingerprint = [line for line in head if line.startswith("a=fingerprint:")]
    lines = [
        *_HEAD.format(session=session, version=version).split("\r\n")[:-1],
        f"a=group:BUNDLE {' '.join(SENT)}",
        f"a=group:BUNDLE {' '.join(GOT)}",
        "a=msid-semantic: WMS *",
        *(line for line in head if line == "a=ice-lite"),
    ]
    for mid, section in zip(SENT, sent, strict=True):
        lines += [line for line in section if not line.startswith(("a=mid:", "a=setup:", "a=ssrc", "a=msid:"))]
        lines += [f"a=mid:{mid}", "a=setup:actpass", *fingerprint]
    for mid, section in zip(GOT, got, strict=True):
        # Janus marks packets with its own section names, which are not the page's: let it go by SSRC
        lines += [line for line in section if not line.startswith("a=mid:") and _MID not in line]
        lines += [f"a=mid:{mid}", *fingerprint]
    return "\r\n".join(lines) + "\r\n"


def janus_answers(sdp: str, version: int) -> tuple[str, str]:
    """What the page answered, for the connection it sends on and for the one it gets; raise `BadDescriptionError`."""
    if len(sdp) > ANSWER_MAX_BYTES:
        raise BadDescriptionError(f"an answer of {len(sdp)} characters")
    if any(letter < " " and letter not in "\r\n\t" for letter in sdp):
        raise BadDescriptionError("an answer with control characters")
    head, sections = _parts(sdp)
    if len(sections) != len(SENT) + len(GOT) or not head or head[0] != "v=0":
        raise BadDescriptionError(f"an answer of {len(sections)} sections")
    common = [line for line in head if line.startswith(("a=fingerprint:", "a=ice-", "a=setup:"))]
    told: list[str] = []
    for first, mids in ((0, SENT), (len(SENT), GOT)):
        lines = [*_HEAD.format(session=1, version=version).split("\r\n")[:-1], "a=group:BUNDLE 0 1"]
        for place, mid in enumerate(mids):
            section = sections[first + place]
            if f"a=mid:{mid}" not in section or section[0].split(" ")[1:2] == ["0"]:
                raise BadDescriptionError(f"section {mid} is refused or at another place")
            for what in ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 "):
                if not any(line.startswith(what) and len(line) > len(what) for line in (*section, *common)):
                    raise BadDescriptionError(f"section {mid} has no {what}")
            if "a=setup:active" not in (*section, *common):
                raise BadDescriptionError("the page wants us to begin the handshake")
            lines += [section[0], *(line for line in common if line.split(":")[0] not in _names(section))]
            lines += [line for line in section[1:] if not line.startswith(("a=mid:", "a=candidate:"))]
            lines += [f"a=mid:{place}"]
        told.append("\r\n".join(line for line in lines if line != "a=end-of-candidates") + "\r\n")
    return told[0], told[1]


def _names(section: list[str]) -> set[str]:
    """Attributes a section has itself."""
    return {line.split(":")[0] for line in section}


def candidate_for_janus(
    candidate: str, sdp_mid: str | None, sdp_mline_index: int | None
) -> tuple[bool, dict[str, object]]:
    """Whether a page's candidate belongs to what it sends, and the candidate; raise `BadDescriptionError`."""
    if not _CANDIDATE.fullmatch(candidate):
        raise BadDescriptionError("a candidate nobody can read")
    mids = (*SENT, *GOT)
    if sdp_mid in mids:
        place = mids.index(sdp_mid)
    elif sdp_mid is None and sdp_mline_index is not None and 0 <= sdp_mline_index < len(mids):
        place = sdp_mline_index
    else:
        raise BadDescriptionError("a candidate of no section")
    own = place % len(SENT)
    return place < len(SENT), {"candidate": candidate, "sdpMid": str(own), "sdpMLineIndex": own}
