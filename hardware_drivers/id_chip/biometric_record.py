"""Biometric data groups: the containers of ISO/IEC 19785-3 (CBEFF patron format of ISO/IEC 7816-11) in DG2 and DG3."""

from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS

GROUP, COUNT, INSTANCE, HEADER = 0x7F61, 0x02, 0x7F60, 0xA1  # Doc 9303-10 §4.7.2, table 41
PLAIN_BLOCK, CONSTRUCTED_BLOCK = 0x5F2E, 0x7F2E
FORMAT_OWNER, FORMAT_TYPE = 0x87, 0x88
INSTANCES_MAX = 9  # Doc 9303-10 §4.7.2.1: the count is one digit


@dataclass(frozen=True, slots=True)
class BiometricInstance:
    """One record of a face or finger, still in its own format.

    Attributes:
        format_owner, format_type: As the header states them, None where it does not; headers in the field lie, so
            nothing is chosen by them.
        block: The record itself.
    """

    format_owner: int | None
    format_type: int | None
    block: bytes


def parse_biometric_group(content: bytes, number: int) -> tuple[BiometricInstance, ...]:
    """The instances in a biometric data group file; none is lawful in DG3 (Doc 9303-10 §4.7.3.1).

    `MalformedFileError` when their count is wrong or one lacks its data block.
    """
    name = f"DG{number}"
    group = tlv.parse_all(tlv.only(tlv.only(content, DATA_GROUP_TAGS[number]), GROUP))
    count = tlv.pick(group, COUNT)
    instances = [found.value for found in group if found.tag == INSTANCE]
    if len(count) != 1 or count[0] != len(instances) or len(instances) > INSTANCES_MAX:
        raise MalformedFileError(name, f"{len(instances)} instances do not fit their count")
    return tuple(_instance(name, instance) for instance in instances)


def _instance(name: str, content: bytes) -> BiometricInstance:
    """Header and data block."""
    objects = tlv.parse_all(content)
    blocks = [found.value for found in objects if found.tag in (PLAIN_BLOCK, CONSTRUCTED_BLOCK)]
    if len(blocks) != 1:
        raise MalformedFileError(name, f"instance with {len(blocks)} biometric data blocks")
    header = next((tlv.parse_all(found.value) for found in objects if found.tag == HEADER), [])
    return BiometricInstance(_number(header, FORMAT_OWNER), _number(header, FORMAT_TYPE), blocks[0])


def _number(header: list[tlv.Tlv], tag: int) -> int | None:
    """A number of the header, where it has one."""
    return next((int.from_bytes(found.value, "big") for found in header if found.tag == tag), None)
