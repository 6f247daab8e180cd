"""What counter and finger process say to each other; apart, so that the counter loads no network for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grey:
    """A picture of a finger from a chip, decoded elsewhere: grey pixels, row by row."""

    pixels: bytes
    width_px: int
    height_px: int
    dpi: float


@dataclass(frozen=True, slots=True, repr=False)
class Judge:
    """One picture from a scanner, and what it is to be compared with.

    Attributes:
        png: As the desk sent it; not looked at where `signed` is given.
        signed: The picture under the scanner's own signature.
        enrolled: Templates written by this process before.
        pictures: Of the same finger, from the holder's chip.
        tries: Comparisons so far, this one included.
    """

    png: bytes
    dpi: float
    position: int
    enrolled: tuple[bytes, ...] = ()
    pictures: tuple[Grey, ...] = ()
    tries: int = 1
    signed: Grey | None = None


@dataclass(frozen=True, slots=True, repr=False)
class FingerFinding:
    """What one picture came to.

    Attributes:
        readable: False where it is no picture of a finger; then nothing else is said.
        template: For enrolment, or for the record of a comparison; empty where nothing was found.
        compared: False where one side showed too little.
        fmr_worst_group: What an acceptance promises on the worst scanner, tries included.
    """

    readable: bool
    advice: str | None = None
    quality: int = 0
    minutiae: int = 0
    template: bytes = b""
    verdict: str = "refer"
    compared: bool = False
    fmr_upper: float | None = None
    fmr_worst_group: float | None = None
    comparisons: int | None = None
    reasons: tuple[str, ...] = ()
    why: str = ""
    engine: str = ""
