"""What a device signed is believed for this capture, finger, device and time alone, if somebody vouches for its key."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hardware_drivers.errors import (
    DeviceError,
    DeviceGoneError,
    MalformedFileError,
    NoScannerError,
    ScannerUntrustedError,
)
from hardware_drivers.fingerprint.finger_record import read_record
from hardware_drivers.fingerprint.sbi import SbiScanner, SbiSettings
from hardware_drivers.fingerprint.sbi_statement import open_statement
from hardware_drivers.fingerprint.scanner import CaptureWish, FingerPosition
from tests.hardware_drivers.fingerprint.rigs import FINGER, SbiRig, known_maker, picture, rig
from tests.hardware_drivers.fingerprint.sbi_device import (
    SERIAL,
    Maker,
    SbiDevice,
    base64url,
    certificate,
    record_2011,
    serving,
)

NOW = datetime.now(UTC)


def test_a_signature_made_by_openssl_holds(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, cert, signed = tmp_path / "key", tmp_path / "cert", tmp_path / "signed"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-subj", "/CN=device"]
    subprocess.run([*words, "-out", str(cert), "-days", "2"], check=True, capture_output=True)
    device = x509.load_pem_x509_certificate(cert.read_bytes())
    der = subprocess.run(["openssl", "x509", "-in", cert, "-outform", "DER"], check=True, capture_output=True).stdout
    header = json.dumps({"alg": "RS256", "x5c": [base64.b64encode(der).decode()]}).encode()
    signed.write_text(f"{base64url(header)}.{base64url(b'hello')}")
    sign = ["openssl", "dgst", "-sha256", "-sign", str(key), str(signed)]
    signature = subprocess.run(sign, check=True, capture_output=True).stdout
    compact = f"{signed.read_text()}.{base64url(signature)}"
    assert open_statement(compact, [device], datetime.now(UTC)) == b"hello"
    with pytest.raises(ScannerUntrustedError):
        open_statement(compact.replace(base64url(b"hello"), base64url(b"hallo")), [device], datetime.now(UTC))


def test_a_device_under_a_trusted_maker_is_believed_and_any_other_is_not() -> None:
    maker = known_maker()
    statement = maker.sign(b"{}")
    assert open_statement(statement, [maker.root], NOW) == b"{}"
    assert open_statement(statement, [maker.device], NOW) == b"{}"  # pinned itself
    for trusted in ([], [Maker("maker").root]):  # the second has the same name and another key
        with pytest.raises(ScannerUntrustedError, match="vouches"):
            open_statement(statement, trusted, NOW)
    with pytest.raises(ScannerUntrustedError, match="valid"):
        open_statement(statement, [maker.root], NOW + timedelta(days=60))


def test_a_device_cannot_vouch_for_another_key() -> None:
    maker = known_maker()
    thief = rsa.generate_private_key(65537, 2048)
    forged = certificate("thief", thief, "maker device", maker.device_key, authority=False)
    evil = Maker.__new__(Maker)
    evil.device, evil.device_key = forged, thief
    both = [forged, maker.device]
    x5c = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in both]
    with pytest.raises(ScannerUntrustedError, match="vouches"):
        open_statement(evil.sign(b"{}", x5c=x5c), [maker.root], NOW)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256"}, {"crit": ["exp"]}])
def test_other_algorithms_and_unknown_demands_are_refused(header: dict[str, object]) -> None:
    maker = known_maker()
    with pytest.raises(ScannerUntrustedError):
        open_statement(maker.sign(b"{}", **header), [maker.root], NOW)


@pytest.mark.parametrize("compact", ["", "a.b", "a.b.c", "....", "e30.e30.e30", "\N{SNOWMAN}.x.y", "e30=.e30=."])
def test_what_is_no_signature_is_refused(compact: str) -> None:
    with pytest.raises(ScannerUntrustedError):
        open_statement(compact, [known_maker().root], NOW)


@settings(max_examples=60)
@example(311, 1)  # names a kind of key that nobody knows
@given(st.integers(0, 10_000), st.integers(0, 63))
def test_no_changed_character_survives(at: int, other: int) -> None:
    statement = known_maker().sign(b'{"a":1}')
    at %= len(statement)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = statement[:at] + letters[other] + statement[at + 1 :]
    try:
        payload = open_statement(changed, [known_maker().root], NOW)
    except ScannerUntrustedError:
        return
    assert payload == b'{"a":1}'
    # the last letters of a signature's base64 have bits nobody reads; what was signed is the same to the letter
    assert changed.split(".")[:2] == statement.split(".")[:2]


@pytest.mark.parametrize(
    "answered",
    [
        {"transactionId": "0" * 32},
        {"transactionId": None},
        {"bioSubType": "Left Thumb"},
        {"timestamp": "2020-01-01T00:00:00.000+00:00"},
        {"timestamp": "2026-11-21T00:00:00"},
        {"digitalId": base64url(json.dumps({"serialNo": SERIAL, "make": "Test", "model": "One"}).encode())},
        {"digitalId": known_maker().sign(json.dumps({"serialNo": "9", "make": "Test", "model": "One"}).encode())},
        {"bioValue": "***"},
        {"bioValue": None},
    ],
)
def test_an_answer_to_something_else_is_not_believed(tmp_path: Path, answered: dict[str, object]) -> None:
    with rig("sbi", tmp_path) as desk:
        assert isinstance(desk, SbiRig)
        desk.scanner.open()
        desk.device.answered = answered
        desk.lay()
        with pytest.raises(ScannerUntrustedError):
            desk.scanner.capture(CaptureWish(FINGER, 5.0), lambda: False)


@pytest.mark.parametrize("act", ["", "[]", "{", '{"biometrics": []}', "[" * 5000, '{"biometrics": [{"data": 7}]}'])
def test_a_service_that_speaks_nonsense_is_gone(tmp_path: Path, act: str) -> None:
    with rig("sbi", tmp_path) as desk:
        assert isinstance(desk, SbiRig)
        desk.scanner.open()
        desk.device.acts.put(act or " ")
        with pytest.raises(DeviceGoneError):
            desk.scanner.capture(CaptureWish(FINGER, 5.0), lambda: False)


def test_the_device_is_asked_for_what_was_wished_and_its_statement_is_kept(tmp_path: Path) -> None:
    with rig("sbi", tmp_path) as desk:
        assert isinstance(desk, SbiRig)
        desk.device.compression = 4  # JPEG 2000, as most devices have it; lossless here
        desk.scanner.open()
        assert desk.scanner.info().name == f"Test One {SERIAL}"
        desk.lay()
        wish = CaptureWish(FingerPosition.LEFT_RING, 5.0, 40, transaction="c" * 32)
        taken = desk.scanner.capture(wish, lambda: False)
        (order,) = desk.device.orders
        assert order["transactionId"] == "c" * 32  # the counter's, so that the counter can check it
        assert order["bio"][0]["bioSubType"] == ["Left RingFinger"]  # type: ignore[index]
        assert (taken.pixels == picture()).all()
        assert taken.quality == 77  # the device's own
        assert b"bioValue" in open_statement(taken.statement.decode(), [known_maker().root], NOW)


def test_somebody_elses_service_on_the_port_is_not_the_scanner(tmp_path: Path) -> None:
    with serving(SbiDevice(Maker("stranger"))) as stranger:
        scanner = SbiScanner(SbiSettings(known_maker().trust(tmp_path / "trust"), stranger.port))
        with pytest.raises(ScannerUntrustedError):
            scanner.open()
        with serving(SbiDevice(known_maker())) as own:  # looked for among many ports, past the stranger
            found = SbiScanner(SbiSettings(tmp_path / "trust", ports=(stranger.port, own.port)))
            found.open()
            assert found.info().serial == SERIAL
    with pytest.raises((NoScannerError, DeviceGoneError)):
        scanner.open()


def test_a_record_is_read_as_the_standard_has_it_and_never_past_its_end() -> None:
    pixels = picture()
    record = record_2011(pixels, 7, dpi=500)
    read = read_record(record)
    assert (read.position, read.dpi) == (7, 500)
    assert (read.pixels == pixels).all()
    rng = np.random.default_rng(3)
    for _ in range(400):
        broken = bytearray(record[: int(rng.integers(0, 400)) if rng.random() < 0.3 else len(record)])
        for at in rng.integers(0, 80, 3):
            if at < len(broken) and at not in range(60, 80):
                broken[at] = int(rng.integers(256))
        try:
            again = read_record(bytes(broken))
        except MalformedFileError:
            continue
        except DeviceError as error:  # nothing else may come out
            pytest.fail(type(error).__name__)
        assert again.pixels.size == again.pixels.shape[0] * again.pixels.shape[1]
