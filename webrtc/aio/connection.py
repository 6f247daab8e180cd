"""A connection as every engine on aiortc wants it, by public names alone."""

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from webrtc.engine import VideoCodec

CODECS = {"audio": "opus", "video": VideoCodec.VP8.value}
# Constrained baseline 3.1 in fragments (RFC 7742 §6.2): browsers have it, and aiortc lists another profile beside it.
_H264 = {"packetization-mode": "1", "profile-level-id": "42e01f"}


def codecs(video: VideoCodec) -> dict[str, str]:
    """Sound and pictures of a deployment."""
    return CODECS | {"video": video.value}


def new_peer_connection() -> RTCPeerConnection:
    """A connection with everything bundled and no STUN server.

    aiortc's default is a public STUN server: gathering would wait up to 5 s for it (its issue 1183).
    """
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


def preferred_codecs(kind: str, codec: str) -> list[RTCRtpCodecCapability]:
    """The one codec of this kind we offer, with retransmission for video: nothing is transcoded, so both legs agree."""
    offered = RTCRtpSender.getCapabilities(kind).codecs
    by_type = [(capability.mimeType.lower(), capability) for capability in offered]
    wanted = [capability for name, capability in by_type if name == f"{kind}/{codec.lower()}"]
    if codec == VideoCodec.H264:
        wanted = [capability for capability in wanted if _H264.items() <= capability.parameters.items()]
    return wanted[-1:] + [capability for name, capability in by_type if name == f"{kind}/rtx"]
