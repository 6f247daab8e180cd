"""Builders: pictures of fingers that belong to nobody, and visits brought to the finger step."""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from counter_server.visits import customer, fingers, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from hardware_drivers.fingerprint.synthetic_finger import SyntheticFinger
from hardware_drivers.fingerprint.synthetic_impression import Touch, impression
from tests.counter_server.builders import with_card_and_face
from webrtc.wire.finger import FingerEvidenceMessage, PadVerdict, SensorPad
from webrtc.wire.visit import VisitState

HOLDERS, STRANGERS = 41, 42  # seeds of fingers
RIGHT_INDEX = 2


@functools.cache
def grown(seed: int) -> SyntheticFinger:
    return SyntheticFinger.grown(seed)


def picture(finger: int, touch: int) -> NDArray[np.uint8]:
    """One impression, put down as people do who were told how."""
    return impression(grown(finger), Touch.drawn(np.random.default_rng((finger, touch))))


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    encoded, stored = cv2.imencode(".png", pixels)
    assert encoded
    return stored.tobytes()


def given(
    pixels: NDArray[np.uint8], *, position: int = RIGHT_INDEX, said: PadVerdict = PadVerdict.NOT_JUDGED
) -> FingerEvidenceMessage:
    """As the desk sends it."""
    return of_png(png_of(pixels), position=position, said=said)


def of_png(
    png: bytes, *, position: int = RIGHT_INDEX, said: PadVerdict = PadVerdict.NOT_JUDGED
) -> FingerEvidenceMessage:
    source = "" if said is PadVerdict.NOT_JUDGED else "a sensor of the test's"
    return FingerEvidenceMessage.model_construct(
        position=position,
        image_png=png,
        dpi=500,
        scanner="synthetic",
        sensor_pad=SensorPad(verdict=said, source=source),
    )


async def enrolled(office: Office, finger: int = HOLDERS) -> Visit:
    """The holder of the usual card has registered this finger; the visit is done."""
    visit = await with_card_and_face(office, "enrol-finger")
    for touch in range(1, 6):
        await fingers.take_impression(office, visit.visit_id, given(picture(finger, touch)))
        if (await office.db.run(store.load, visit.visit_id)).state is not VisitState.FINGER:
            break
    await customer.confirm(office, visit.visit_id)
    return await office.db.run(store.load, visit.visit_id)


async def at_finger(office: Office) -> Visit:
    """Card and face have passed; the registered finger is asked for."""
    visit = await with_card_and_face(office, "reset-pin")
    assert visit.state is VisitState.FINGER
    return visit
