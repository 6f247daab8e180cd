"""A connection as every engine on aiortc wants it, by public names alone."""

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

# One codec per deployment, because both legs must agree: VP8 is in every browser since Safari 12.1.
CODECS = {"audio": "opus", "video": "VP8"}


def new_peer_connection() -> RTCPeerConnection:
    """A connection with everything bundled and no STUN server.

    aiortc's default is a public STUN server: gathering would wait up to 5 s for it (its issue 1183).
    """
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


def preferred_codecs(kind: str, codec: str) -> list[RTCRtpCodecCapability]:
    """The one codec of this kind we offer, with retransmission for video: nothing is transcoded, so both legs agree."""
    offered = RTCRtpSender.getCapabilities(kind).codecs
    by_type = [(capability.mimeType.lower(), capability) for capability in offered]
    wanted = [capability for name, capability in by_type if name == f"{kind}/{codec.lower()}"][-1:]
    return wanted + [capability for name, capability in by_type if name == f"{kind}/rtx"]
