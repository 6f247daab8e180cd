"""The finger in a chip's DG3, for the counter to compare with; there where a state let this desk read it."""

from counter_server.identification.finger_messages import Grey
from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.dg3 import POSITIONS, FingerImage, parse_dg3
from hardware_drivers.id_chip.image_sandbox import decode_image

USUAL_DPI = 500.0  # what Doc 9303-9 asks of fingers in DG3; where the record is silent


def finger_in(dg3: bytes) -> tuple[int, Grey] | None:
    """The first finger whose position is known, as ISO/IEC 19794-2 counts them; blocking.

    None where there is none that can be read: the file was signed by a state, its pictures are decoded apart all the
    same.
    """
    try:
        fingers = [one for one in parse_dg3(dg3) if one.position in POSITIONS[1:]]
        return (POSITIONS.index(fingers[0].position), _grey(fingers[0])) if fingers else None
    except MalformedFileError:
        return None


def _grey(finger: FingerImage) -> Grey:
    dpi = finger.dpi or USUAL_DPI
    if finger.image_type is None:
        return Grey(finger.image, finger.width_px, finger.height_px, dpi)
    decoded = decode_image(finger.image)[:, :, 0]  # grey pictures come back with three equal planes
    return Grey(decoded.tobytes(), decoded.shape[1], decoded.shape[0], dpi)
