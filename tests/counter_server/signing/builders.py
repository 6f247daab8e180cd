"""Documents and signatures for tests."""

import math
from datetime import date

from counter_server.signing.document import DocumentValues, FormRow
from counter_server.signing.statement import SignerRole
from webrtc.wire.visit import Point

DAY = date(2026, 11, 21)


def document_values(name: str = "李𠮷", purpose: str = "学费", *, self_service: bool = False) -> DocumentValues:
    rows = (FormRow("new_limit", "新的每日限额（元）", "500000"), FormRow("purpose", "用途", purpose))
    signers = () if self_service else (SignerRole.CUSTOMER, SignerRole.CLERK)
    return DocumentValues("R-20261121-7K3M9Q2X", name, "E12345678", DAY, rows, signers)


def wave(points: int = 100, width: float = 0.8, step_ms: int = 16) -> list[Point]:
    return [
        Point(x=0.1 + width * i / points, y=0.5 + 0.35 * math.sin(i / 5) * width, t_ms=i * step_ms)
        for i in range(points)
    ]
