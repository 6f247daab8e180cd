"""The finger process: decodes scanners' pictures, finds minutiae and compares, away from the server's loop.

Started by `fingers.FingerDesk`. A picture that a kiosk sent is not believed to be one: whatever its decoder does, it
does here. What it was given lives until the answer; no picture and no template is kept or written.
"""

import logging
import signal
from multiprocessing.connection import Connection

import cv2
import numpy as np

from biometrics.decision import Calibration
from biometrics.errors import BiometricsError, FingerImageError, TemplateError
from biometrics.fingerprint.engine import Extraction, Extractor
from biometrics.fingerprint.image import FingerImage
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.opening import open_extractor
from biometrics.fingerprint.policy import FingerDecision, decide_finger, load_finger_calibration
from biometrics.fingerprint.template import FingerPosition
from biometrics.fingerprint.template_formats import TemplateFormat, read_minutiae, write_minutiae
from counter_server.identification.finger_messages import FingerFinding, Grey, Judge

log = logging.getLogger(__name__)

PNG = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 29  # signature, length, IHDR and its 13 bytes: PNG specification, 5.2 and 11.2.2
GREY_8 = (8, 0)  # bit depth and colour type
MAX_PIXELS = 4_000_000  # a single finger at 1000 dpi has 1.5 million
KEPT_AS = TemplateFormat.ISO_2011  # 16-bit fields lose nothing that matters; the only format this counter writes
MINUTIAE_KEPT = 255  # all of them: the matcher weighs each by its certainty, and takes part from 0.3 on


def main(pipe: Connection) -> None:
    """Answer until the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the counter ends us
    cv2.setNumThreads(1)
    try:
        extractor = open_extractor()
        calibration = load_finger_calibration(extractor.id)
    except BiometricsError as error:
        log.error("no finger can be looked at: %s", error)  # one line; a traceback would help nobody
        return
    try:
        while (asked := pipe.recv()) is not None:
            if not isinstance(asked, Judge):
                raise TypeError(f"no message of ours: {type(asked).__name__}")
            pipe.send(judge(extractor, calibration, asked))
    except (EOFError, OSError):
        return  # the counter is gone


def judge(extractor: Extractor, calibration: Calibration, asked: Judge) -> FingerFinding:
    """Quality, template and decision of one picture."""
    try:
        if asked.signed is None:
            seen = extractor.extract(grey_of_png(asked.png), dpi=asked.dpi)
        else:
            seen = extractor.extract(_pixels(asked.signed), dpi=asked.signed.dpi)
        references = [read_minutiae(template, KEPT_AS) for template in asked.enrolled]
        references += [extractor.extract(_pixels(one), dpi=one.dpi).minutiae for one in asked.pictures]
    except (FingerImageError, TemplateError):
        return FingerFinding(readable=False)
    decision = decide_finger(seen.minutiae, references, calibration, tries=asked.tries)
    return _finding(seen, decision, asked.position)


def grey_of_png(png: bytes) -> FingerImage:
    """The pixels of an 8-bit grey PNG, looked at before it is decoded.

    Raises:
        FingerImageError: It is none, or larger than any finger.
    """
    if len(png) < HEADER_BYTES or not png.startswith(PNG) or png[12:16] != b"IHDR":
        raise FingerImageError("no PNG")
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    if (png[24], png[25]) != GREY_8 or not 0 < width * height <= MAX_PIXELS:
        raise FingerImageError(f"{width} x {height} pixels of {png[24]} bits, type {png[25]}")
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if decoded is None or decoded.shape != (height, width):
        raise FingerImageError("the PNG does not decode")
    return np.asarray(decoded, np.uint8)


def _pixels(one: Grey) -> FingerImage:
    if len(one.pixels) != one.width_px * one.height_px:
        raise FingerImageError("a picture has another size than it says")
    return np.frombuffer(one.pixels, np.uint8).reshape(one.height_px, one.width_px)


def _finding(seen: Extraction, decision: FingerDecision, position: int) -> FingerFinding:
    quality, score = seen.quality, decision.match
    return FingerFinding(
        readable=True,
        advice=None if quality.advice is None else quality.advice.value,
        quality=quality.score,
        minutiae=quality.minutiae,
        template=_template(seen.minutiae, position, quality.score),
        verdict=decision.verdict.value,
        compared=decision.compared,
        fmr_upper=None if score is None else score.fmr_upper,
        fmr_worst_group=None if score is None else score.fmr_worst_group,
        comparisons=None if score is None else score.comparisons,
        reasons=tuple(reason.value for reason in decision.reasons),
        why=decision.checks[0].why,
        engine=f"{decision.engine}, {decision.calibration}",
    )


def _template(minutiae: Minutiae, position: int, quality: int) -> bytes:
    if not len(minutiae):
        return b""
    return write_minutiae(minutiae, KEPT_AS, position=FingerPosition(position), quality=quality, at_most=MINUTIAE_KEPT)
