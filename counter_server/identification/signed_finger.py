"""A finger's picture that the scanner itself signed, checked here again: a desk is never believed.

MOSIP SBI 0.9.5 (IEEE 3167). The device signs picture, finger, time and the transaction that this counter drew, so that
neither another picture nor an older one passes. It signs no verdict on imitations: that stays the desk's word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from counter_server.errors import StoppedError
from counter_server.identification.finger_messages import Grey
from hardware_drivers.errors import MalformedFileError, ScannerUntrustedError
from hardware_drivers.fingerprint.finger_record import read_record
from hardware_drivers.fingerprint.sbi_statement import CaptureAsked, capture_in
from hardware_drivers.fingerprint.scanner import FingerPosition


@dataclass(frozen=True, slots=True, repr=False)
class SignedFinger:
    """What a device vouches for.

    Attributes:
        device: Maker, model and serial number, signed too.
        capture_key: SHA-256 of the key that signed the picture.
        identity_key: Of the key that signed who the device is.
    """

    picture: Grey
    device: str
    capture_key: str
    identity_key: str


def load_scanner_makers(file: Path) -> tuple[x509.Certificate, ...]:
    """Who may vouch for scanners; nobody where there is no file, and then the desk's word has to do.

    Raises:
        StoppedError: It is there and cannot be read.
    """
    if not file.exists():
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError) as error:
        raise StoppedError(f"{file}: no certificates can be read from it ({type(error).__name__})") from error


def signed_finger(
    statement: bytes, transaction: str, position: int, makers: Sequence[x509.Certificate], at: datetime
) -> SignedFinger:
    """The picture inside a device's statement; blocking, since some are decoded in a process of their own.

    Raises:
        ScannerUntrustedError: It is missing or does not hold, or is of another finger, capture or time.
    """
    asked = CaptureAsked(transaction, FingerPosition(position), serial=None)
    try:
        signed = capture_in(statement.decode("ascii"), asked, makers, at)
        finger = read_record(signed.record)
    except (UnicodeDecodeError, MalformedFileError) as error:
        raise ScannerUntrustedError("signed a record that cannot be read") from error
    height, width = finger.pixels.shape
    device = " ".join(filter(None, (signed.device.make, signed.device.model, signed.device.serialNo)))
    grey = Grey(finger.pixels.tobytes(), width, height, finger.dpi)
    return SignedFinger(grey, device, signed.capture_key, signed.identity_key)
