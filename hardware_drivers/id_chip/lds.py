"""The logical data structure: Doc 9303-10, and ISO/IEC 19794-5:2005 inside CBEFF for the face."""

from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS, EF_COM
from hardware_drivers.id_chip.mrz import Mrz, parse_mrz
from hardware_drivers.id_chip.portrait import Portrait, look_at

DG_BY_TAG = {tag: number for number, tag in DATA_GROUP_TAGS.items()}
FACE_RECORD_START = b"FAC\x00010\x00"  # ISO/IEC 19794-5:2005 §5.4.1, §5.4.2
FACE_RECORD_HEADER = 14
FACIAL_INFORMATION = 20  # §5.5
FEATURE_POINT = 8  # §5.6
IMAGE_INFORMATION = 12  # §5.7
PORTRAITS_MAX = 9  # Doc 9303-10 §4.7.2.1: the instance count is one digit


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
    group = tlv.parse_all(tlv.only(tlv.only(content, DATA_GROUP_TAGS[2]), 0x7F61))
    count = tlv.pick(group, 0x02)
    instances = [found.value for found in group if found.tag == 0x7F60]
    if len(count) != 1 or count[0] != len(instances) or not 1 <= len(instances) <= PORTRAITS_MAX:
        raise MalformedFileError("DG2", f"{len(instances)} instances do not fit their count")
    portraits: list[Portrait] = []
    for instance in instances:
        objects = tlv.parse_all(instance)
        block = next((found.value for found in objects if found.tag in (0x5F2E, 0x7F2E)), None)
        if block is None:
            raise MalformedFileError("DG2", "instance without a biometric data block")
        portraits.extend(look_at(image) for image in _face_images(block))
    return tuple(portraits)


def _face_images(record: bytes) -> list[bytes]:
    """The encoded pictures of an ISO/IEC 19794-5:2005 face record, §5.3."""
    if not record.startswith(FACE_RECORD_START):
        raise MalformedFileError("face record", "no ISO/IEC 19794-5:2005 record")
    announced, count = int.from_bytes(record[8:12], "big"), int.from_bytes(record[12:14], "big")
    if announced > len(record) or not 1 <= count <= PORTRAITS_MAX:
        raise MalformedFileError("face record", f"announces {announced} bytes and {count} faces in {len(record)}")
    images, at = [], FACE_RECORD_HEADER
    for _ in range(count):
        if at + FACIAL_INFORMATION > announced:
            raise MalformedFileError("facial information", "cut off")
        length, points = int.from_bytes(record[at : at + 4], "big"), int.from_bytes(record[at + 4 : at + 6], "big")
        begin, end = at + FACIAL_INFORMATION + FEATURE_POINT * points + IMAGE_INFORMATION, at + length
        if not begin < end <= announced:
            raise MalformedFileError("facial information", f"{length} bytes with {points} points do not fit")
        images.append(record[begin:end])
        at = end
    return images


def _ascii(field: str, text: bytes) -> str:
    """Text of one-byte characters, or `MalformedFileError`."""
    try:
        return text.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedFileError(field, "holds bytes that are no ASCII") from error
