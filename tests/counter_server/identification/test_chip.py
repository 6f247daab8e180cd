import base64
import io

import pytest
from PIL import Image

from counter_server.identification.chip import ChipFinding, check_chip
from hardware_drivers.id_chip.trust import TrustStore
from tests.hardware_drivers.cards import NOW, drawn_portrait, evidence_of, make_card, make_issuer
from webrtc.wire.card import ChipEvidenceMessage
from webrtc.wire.check import CheckOutcome
from webrtc.wire.visit import Reason

ISSUER = make_issuer()
TRUST = TrustStore.of([ISSUER.csca_der])


def finding_for(portrait: bytes) -> ChipFinding:
    evidence = evidence_of(make_card(ISSUER, portrait=portrait))
    message = ChipEvidenceMessage.model_validate(
        {
            "access": "BAC",
            "atr": "",
            "ef_com": base64.b64encode(evidence.ef_com),
            "ef_sod": base64.b64encode(evidence.ef_sod),
            "data_groups": {number: base64.b64encode(content) for number, content in evidence.data_groups.items()},
            "read_ms": 1,
            "reader": "test",
        }
    )
    return check_chip(message, TRUST, NOW)


def jpeg_2000() -> bytes:
    stored = io.BytesIO()
    Image.open(io.BytesIO(drawn_portrait(100))).convert("RGB").save(stored, "JPEG2000")
    return stored.getvalue()


@pytest.mark.parametrize(("portrait", "kind"), [(jpeg_2000(), "image/jp2"), (drawn_portrait(100), "image/jpeg")])
def test_a_clerks_page_gets_a_jpeg_whatever_is_on_the_chip(portrait: bytes, kind: str) -> None:
    finding = finding_for(portrait)
    assert finding.refusal is None
    assert finding.portrait is not None
    assert (finding.portrait.image, finding.portrait.image_type.value) == (portrait, kind)
    assert finding.portrait_jpeg is not None
    shown = Image.open(io.BytesIO(finding.portrait_jpeg))
    assert (shown.format, shown.size, shown.mode) == ("JPEG", (100, 100), "RGB")


def test_a_portrait_whose_header_alone_is_good_is_refused_by_name() -> None:
    cut = jpeg_2000()[:300]
    finding = finding_for(cut)
    assert finding.refusal is Reason.CARD_NOT_GENUINE
    assert finding.portrait_jpeg is None
    failed = [check.name for check in finding.checks if check.outcome is CheckOutcome.FAILED]
    assert failed == ["portrait_decodable"]
