"""The logical data structure, Doc 9303-10: the table of contents, the zone and the portrait."""

from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.biometric_record import parse_biometric_group
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS, EF_COM
from hardware_drivers.id_chip.iso19794 import face_images
from hardware_drivers.id_chip.iso39794 import parse_face_block
from hardware_drivers.id_chip.mrz import Mrz, parse_mrz
from hardware_drivers.id_chip.portrait import Portrait, look_at

DG_BY_TAG = {tag: number for number, tag in DATA_GROUP_TAGS.items()}


@dataclass(frozen=True, slots=True)
class EfCom:
    """What the chip says about itself; unsigned, so it decides nothing.

    Attributes:
        lds_version: Four digits, such as 0107.
        unicode_version: Six digits, such as 040000.
        data_groups: Numbers in the order listed.
    """

    lds_version: str
    unicode_version: str
    data_groups: tuple[int, ...]


def parse_com(content: bytes) -> EfCom:
    """EF.COM, Doc 9303-10 §4.6.1."""
    objects = tlv.parse_all(tlv.only(content, EF_COM.tag))
    tags = tlv.pick(objects, 0x5C)
    unknown = [tag for tag in tags if tag not in DG_BY_TAG]
    if unknown:
        raise MalformedFileError("EF.COM", f"lists {len(unknown)} tags that are no data group")
    return EfCom(
        lds_version=_ascii("LDS version", tlv.pick(objects, 0x5F01)),
        unicode_version=_ascii("Unicode version", tlv.pick(objects, 0x5F36)),
        data_groups=tuple(DG_BY_TAG[tag] for tag in tags),
    )


def parse_dg1(content: bytes) -> Mrz:
    """The machine readable zone in DG1, Doc 9303-10 §4.7.1."""
    zone = tlv.pick(tlv.parse_all(tlv.only(content, DATA_GROUP_TAGS[1])), 0x5F1F)
    return parse_mrz(_ascii("DG1", zone))


def parse_dg2(content: bytes) -> tuple[Portrait, ...]:
    """The portraits in DG2, at least one, Doc 9303-10 §4.7.2."""
    portraits: list[Portrait] = []
    for instance in parse_biometric_group(content, 2):
        portraits.extend(look_at(image) for image in face_pictures(instance.block))
    if not portraits:
        raise MalformedFileError("DG2", "holds no portrait")
    return tuple(portraits)


def face_pictures(block: bytes) -> list[bytes]:
    """The encoded pictures of a face record of either generation, by its first bytes."""
    if block[:1] in (b"\xa1", b"\x65"):
        return [face.image for face in parse_face_block(block)]
    return face_images(block)


def _ascii(field: str, text: bytes) -> str:
    """Text of one-byte characters, or `MalformedFileError`."""
    try:
        return text.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedFileError(field, "holds bytes that are no ASCII") from error
