"""The ID card: what opens its chip, what the chip gave, and whose it says it is."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Base64Bytes, Field, StringConstraints

from webrtc.wire.message import Message, ShortText


class CardAccess(Message):
    """POST /api/visits/{id}/card on the kiosk agent: what BAC derives its key from. Stays on the desk."""

    document_number: Annotated[
        str, StringConstraints(pattern=r"^[A-Z0-9]{1,30}$", to_upper=True, strip_whitespace=True)
    ]
    date_of_birth: date
    date_of_expiry: date
    fingers: bool = Field(default=False, description="a finger will be compared: the chip's are wanted, if permitted")


class ChipEvidenceMessage(Message):
    """POST /api/visits/{id}/chip-evidence, kiosk agent to counter: the files as the chip gave them."""

    access: Literal["BAC", "PACE"]
    atr: Annotated[Base64Bytes, Field(max_length=64)]
    ef_com: Annotated[Base64Bytes, Field(max_length=4096)]
    ef_sod: Annotated[Base64Bytes, Field(max_length=65536)]
    data_groups: dict[int, Annotated[Base64Bytes, Field(max_length=400_000)]]
    read_ms: int
    reader: ShortText
    proofs: Annotated[
        Base64Bytes,
        Field(
            max_length=131_072, description="JSON of id_chip.evidence.proofs_of: what the chip proved against copies"
        ),
    ] = b""


class ChipChallenge(Message):
    """Answer to POST /api/visits/{id}/chip-challenge, counter to kiosk agent: what the chip must prove itself over."""

    challenge: Annotated[Base64Bytes, Field(min_length=8, max_length=32)]


class AskChipOffer(Message):
    """POST /api/visits/{id}/chip-offer, kiosk agent to counter: which keys this chip claims to have."""

    dg14: Annotated[Base64Bytes, Field(max_length=65536)]


class ChipOffer(Message):
    """Its answer: the counter's own public key for chip authentication, and the first command under keys only it has.

    Everything is empty where the chip has no key for it.
    """

    oid: ShortText
    key_id: int | None
    terminal_public: Base64Bytes
    command: Base64Bytes


class HolderView(Message):
    """What the chip says about its holder (DG1)."""

    name: str
    document_number: str
    issuing_state: str
    nationality: str
    date_of_birth: date | None = Field(description="None where the document leaves a part of it unknown")
    date_of_expiry: date
    sex: str
