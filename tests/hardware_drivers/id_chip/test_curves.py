import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hardware_drivers.id_chip.curves import CURVES, Curve, curve_with, verify_ecdsa
from hardware_drivers.id_chip.signatures import LIBRARY_CURVES


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_the_base_point_is_on_its_curve_and_has_its_order(curve: Curve) -> None:
    assert curve.holds(curve.x, curve.y)
    assert curve.multiply(curve.n, (curve.x, curve.y)) is None


@pytest.mark.parametrize("curve", [curve for curve in CURVES if curve.name in LIBRARY_CURVES], ids=lambda c: c.name)
def test_our_arithmetic_agrees_with_the_library(curve: Curve) -> None:
    key = ec.derive_private_key(0xC0FFEE, LIBRARY_CURVES[curve.name])
    numbers = key.public_key().public_numbers()
    assert curve.multiply(0xC0FFEE, (curve.x, curve.y)) == (numbers.x, numbers.y)
    signature = decode_dss_signature(key.sign(b"message", ec.ECDSA(hashes.SHA512())))
    assert verify_ecdsa(curve, (numbers.x, numbers.y), signature, b"message", "sha512")
    assert not verify_ecdsa(curve, (numbers.x, numbers.y), signature, b"massage", "sha512")
    assert not verify_ecdsa(curve, (numbers.x, numbers.y), (signature[0], signature[1] ^ 1), b"message", "sha512")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="wants openssl as the other implementation")
@pytest.mark.parametrize("curve", [curve for curve in CURVES if curve.name not in LIBRARY_CURVES], ids=lambda c: c.name)
def test_curves_the_library_lacks_agree_with_openssl(curve: Curve, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(b"message")
    key, signed = tmp_path / "key", tmp_path / "signature"
    run = ["openssl", "ecparam", "-name", curve.name, "-genkey", "-noout", "-out", str(key)]
    subprocess.run(run, check=True, capture_output=True)
    run = ["openssl", "dgst", "-sha256", "-sign", str(key), "-out", str(signed), str(tmp_path / "message")]
    subprocess.run(run, check=True, capture_output=True)
    run = ["openssl", "ec", "-in", str(key), "-pubout", "-outform", "DER"]
    public = subprocess.run(run, check=True, capture_output=True).stdout[-2 * curve.field_bytes :]
    point = (
        int.from_bytes(public[: curve.field_bytes], "big"),
        int.from_bytes(public[curve.field_bytes :], "big"),
    )
    signature = decode_dss_signature(signed.read_bytes())
    assert verify_ecdsa(curve, point, signature, b"message", "sha256")
    assert not verify_ecdsa(curve, point, signature, b"massage", "sha256")


def test_parameters_that_only_share_the_base_point_are_no_known_curve() -> None:
    """CVE-2020-0601: a generator chosen by the forger, or another number bent, must not pass for the named curve."""
    curve = next(curve for curve in CURVES if curve.name == "secp256r1")
    base = b"\x04" + curve.x.to_bytes(32, "big") + curve.y.to_bytes(32, "big")
    assert curve_with(curve.p, curve.a, curve.b, base, curve.n, 1) is curve
    assert curve_with(curve.p, curve.a, curve.b, bytes((2 + curve.y % 2,)) + base[1:33], curve.n, None) is curve
    other = curve.multiply(int.from_bytes(hashlib.sha256(b"forger").digest(), "big"), (curve.x, curve.y))
    assert other is not None
    other_base = b"\x04" + other[0].to_bytes(32, "big") + other[1].to_bytes(32, "big")
    assert curve_with(curve.p, curve.a, curve.b, other_base, curve.n, 1) is None
    assert curve_with(curve.p, curve.a + 1, curve.b, base, curve.n, 1) is None
    assert curve_with(curve.p, curve.a, curve.b + 1, base, curve.n, 1) is None
    assert curve_with(curve.p, curve.a, curve.b, base, curve.n + 2, 1) is None
    assert curve_with(curve.p, curve.a, curve.b, base, curve.n, 2) is None
    assert curve_with(curve.p + 2, curve.a, curve.b, base, curve.n, 1) is None
