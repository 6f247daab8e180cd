import hashlib
from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.active_auth import (
    ActiveAuthenticationProof,
    _end_of_header,
    challenge_bytes,
    parse_dg15,
    recovers,
    signature_proves,
)
from hardware_drivers.id_chip.curves import CURVES
from hardware_drivers.id_chip.security_infos import ActiveAuthenticationInfo
from hardware_drivers.id_chip.signatures import EcKey
from hardware_drivers.id_chip.simulated_proofs import ChipSecrets, SimulatedProofs, sign_9796_2
from hardware_drivers.smartcard.apdu import Command
from tests.hardware_drivers.cards import CHALLENGE, ID_CARD_DATA, SPECIMENS_MISSING, seeded

# ISO/IEC 9796-2:1997 annex, partial recovery, with the key of its example (numbers as in Bouncy Castle's ISO9796Test)
MODULUS = int(
    "ffffffff78f6c55506c59785e871211ee120b0b5dd644aa796d82413a47b24573f1be5745b5cd9950f6b389b52350d4e01e90009669a8720"
    "bf265a2865994190a661dea3c7828e2e7ca1b19651adc2d5",
    16,
)
MESSAGE = bytes.fromhex("fedcba9876543210" * 14)
SIGNATURE = int(
    "5cf9a01854dbacaec83aae8efc563d74538192e95466babacd361d7c86000fe42dcb4581e48e4feb862d04698da9203b1803b262105104d5"
    "10b365ee9c660857ba1c001aa57abfd1c8de92e47c275cae",
    16,
)


def test_the_standards_example_has_the_layout_that_is_read_here() -> None:
    block = pow(SIGNATURE, 3, MODULUS).to_bytes(80, "big")
    begin = _end_of_header(block)
    assert begin == 1
    assert block[-1] == 0xBC
    m1 = block[begin : -1 - 20]
    assert MESSAGE.startswith(m1)
    assert len(m1) == 58
    # the example hashes with RIPEMD-160; with SHA-1 in its place the block is one that a chip could have made
    rest = MESSAGE[len(m1) :]
    as_chips_do = block[:-21] + hashlib.sha1(MESSAGE, usedforsecurity=False).digest() + b"\xbc"
    assert recovers(as_chips_do, rest)
    assert not recovers(block, rest)


@cache
def rsa_key(bits: int = 1024) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_an_rsa_signature_over_the_challenge_proves_the_chip(digest: str) -> None:
    key = rsa_key()
    proof = ActiveAuthenticationProof(CHALLENGE, sign_9796_2(key, CHALLENGE, digest, seeded()))
    assert signature_proves(key.public_key(), proof)
    assert not signature_proves(key.public_key(), ActiveAuthenticationProof(b"otherone", proof.signature))
    assert not signature_proves(rsa_key(1025 + 7).public_key(), proof)


def test_the_smaller_of_two_roots_is_taken_as_well() -> None:
    key = rsa_key()
    signature = int.from_bytes(sign_9796_2(key, CHALLENGE, "sha1", seeded()), "big")
    n = key.public_key().public_numbers().n
    for root in (signature, n - signature):
        assert signature_proves(key.public_key(), ActiveAuthenticationProof(CHALLENGE, root.to_bytes(128, "big")))


@pytest.mark.parametrize("at", [0, 1, 60, 107, 126, 127])
def test_no_block_with_a_changed_byte_recovers(at: int) -> None:
    key = rsa_key()
    numbers = key.public_key().public_numbers()
    signature = sign_9796_2(key, CHALLENGE, "sha1", seeded())
    block = bytearray(pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(128, "big"))
    assert recovers(bytes(block), CHALLENGE)
    block[at] ^= 4
    assert not recovers(bytes(block), CHALLENGE)


@pytest.mark.parametrize(
    "block", [b"", b"\x6a", b"\x6a\xbc", b"\xbb" * 60 + b"\xbc", b"\x6b" * 90, b"\x4a" + bytes(100) + b"\xbc"]
)
def test_blocks_that_are_none_do_not_recover(block: bytes) -> None:
    assert not recovers(block, CHALLENGE)


@pytest.mark.parametrize("signature", [b"", b"\x00" * 128, b"\x01", b"\xff" * 128, b"\x01" * 4000])
def test_numbers_that_are_no_signature_do_not_prove(signature: bytes) -> None:
    assert not signature_proves(rsa_key().public_key(), ActiveAuthenticationProof(CHALLENGE, signature))


def test_ecdsa_by_the_library_proves_in_either_encoding() -> None:
    from_library = ec.derive_private_key(0xC0FFEE, ec.BrainpoolP256R1())
    numbers = from_library.public_key().public_numbers()
    curve = next(curve for curve in CURVES if curve.name == "brainpoolP256r1")
    key = EcKey(curve, numbers.x, numbers.y)
    der = from_library.sign(CHALLENGE, ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    plain = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    sha256 = ActiveAuthenticationInfo(1, "0.4.0.127.0.7.1.1.4.1.3", "sha256")
    for signature in (der, plain):
        assert signature_proves(key, ActiveAuthenticationProof(CHALLENGE, signature), sha256)
        assert signature_proves(key, ActiveAuthenticationProof(CHALLENGE, signature))  # what fits the curve
        sha1 = ActiveAuthenticationInfo(1, "0.4.0.127.0.7.1.1.4.1.1", "sha1")
        assert not signature_proves(key, ActiveAuthenticationProof(CHALLENGE, signature), sha1)
    with pytest.raises(MalformedFileError):
        signature_proves(key, ActiveAuthenticationProof(CHALLENGE, plain), ActiveAuthenticationInfo(1, "1.2", None))


@pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
@pytest.mark.parametrize("path", ["bsi_specimen_2008/Datagroup15.bin", "nl_specimen_2006/ef010F.bin"])
def test_the_specimens_keys_are_read(path: str) -> None:
    key = parse_dg15((ID_CARD_DATA / path).read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 1024


def test_a_long_challenge_is_hashed_and_a_short_one_refused() -> None:
    assert challenge_bytes(CHALLENGE) == CHALLENGE
    assert challenge_bytes(bytes(32)) == hashlib.sha256(bytes(32)).digest()[:8]
    for length in (0, 7, 33):
        with pytest.raises(ValueError, match="8 to 32 bytes"):
            challenge_bytes(bytes(length))


def test_a_chip_without_a_key_says_so() -> None:
    answer = SimulatedProofs(ChipSecrets(), b"", seeded()).answer(Command(0, 0x88, 0, 0, CHALLENGE, ne=256))
    assert answer is not None
    assert answer.sw == 0x6D00


def test_a_key_that_only_makes_work_is_refused() -> None:
    modulus, exponent = (1 << 8191) + 1, (1 << 4000) + 1
    for n, e in ((modulus << 8 | 1, 3), (modulus, exponent)):
        numbers = tlv.encode(0x30, der.encode_unsigned(n) + der.encode_unsigned(e))
        algorithm = tlv.encode(0x30, bytes.fromhex("06092A864886F70D0101010500"))
        info = tlv.encode(0x30, algorithm + tlv.encode(0x03, b"\x00" + numbers))
        with pytest.raises(MalformedFileError):
            parse_dg15(tlv.encode(0x6F, info))
