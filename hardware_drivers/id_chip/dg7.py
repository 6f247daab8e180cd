"""DG7, the signature or usual mark as displayed: Doc 9303-10 §4.7.7."""

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS
from hardware_drivers.id_chip.portrait import Portrait, look_at

COUNT, SIGNATURE = 0x02, 0x5F43
SIGNATURES_MAX = 9  # the count is one digit


def parse_dg7(content: bytes) -> tuple[Portrait, ...]:
    """The pictures of signatures, at least one."""
    objects = tlv.parse_all(tlv.only(content, DATA_GROUP_TAGS[7]))
    count = tlv.pick(objects, COUNT)
    images = [found.value for found in objects if found.tag == SIGNATURE]
    if len(count) != 1 or count[0] != len(images) or not 1 <= len(images) <= SIGNATURES_MAX:
        raise MalformedFileError("DG7", f"{len(images)} signatures do not fit their count")
    return tuple(look_at(image) for image in images)
