"""Downloads of the ICAO Public Key Directory: LDIF files (RFC 2849) with master lists and revocation lists in them."""

import base64
import binascii
import itertools
from collections.abc import Iterable, Iterator

from hardware_drivers.errors import DeviceError
from hardware_drivers.id_chip.crl import parse_crl
from hardware_drivers.id_chip.master_list import parse_master_list

# Attribute, in small letters, to the suffix of the file it becomes; signers' certificates are not needed, documents
# carry their own.
SUFFIXES = {
    "pkdmasterlistcontent": ".ml",
    "cscamasterlistdata": ".ml",  # the same before 2012
    "certificaterevocationlist;binary": ".crl",
}


def unpack(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes | None]]:
    """Each list in the file as a suffix and its content; None for one that is damaged, unsigned or unknown to us."""
    for attribute, encoded in _values(lines):
        suffix = SUFFIXES.get(attribute)
        if suffix is not None:
            yield suffix, _checked(suffix, encoded)


def _checked(suffix: str, encoded: bytes) -> bytes | None:
    """The content, once it was read and, for a master list, its signature held."""
    try:
        content = base64.b64decode(encoded, validate=True)
        if suffix == ".ml":
            parse_master_list(content)
        else:
            parse_crl(content)
    except (DeviceError, binascii.Error):
        return None
    return content


def _values(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Attribute and base64 text; a line that begins with a space goes on where the last one ended (RFC 2849 §2)."""
    attribute, parts = "", list[bytes]()
    for line in itertools.chain(lines, [b""]):
        if line.startswith(b" "):
            parts.append(line.strip())
            continue
        if attribute:
            yield attribute, b"".join(parts)
        name, separator, value = line.partition(b"::")
        attribute = name.decode("ascii", "replace").lower() if separator else ""
        parts = [value.strip()]
