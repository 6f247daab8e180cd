"""From the chip's nonce to a fresh generator: the three mappings of Doc 9303-11 §4.4.3.3, and what CAM proves."""

import hmac
from dataclasses import dataclass

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.id_chip.cipher_suites import AES_BLOCK, CipherSuite
from hardware_drivers.id_chip.curves import Curve
from hardware_drivers.id_chip.domain_parameters import AgreementKey, Domain
from hardware_drivers.id_chip.key_agreement import KeyAgreement, agreement_over
from hardware_drivers.id_chip.keys import unpad

# §4.4.3.3.2, for 3DES and AES-128, and for the longer keys
CONSTANTS_128 = (
    bytes.fromhex("a668892a7c41e3ca739f40b057d85904"),
    bytes.fromhex("a4e136ac725f738b01c1f60217c188ad"),
)
CONSTANTS_256 = (
    bytes.fromhex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"),
    bytes.fromhex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"),
)
SPARE_BITS = 64  # §4.4.3.3.2: n is the smallest with n*l >= log2(p) + 64
MINUS_ONE = b"\xff" * AES_BLOCK  # §4.4.3.5.4


def generic_generator(agreement: KeyAgreement, nonce: bytes, common: bytes) -> bytes:
    """s times G plus H, where H came out of the first key agreement (§4.4.3.3.1)."""
    from_nonce = agreement.power(agreement.generator, int.from_bytes(nonce, "big"))
    mapped = common if from_nonce is None else agreement.combine(from_nonce, common)
    if mapped is None:
        raise TamperedAnswerError("generic mapping ends in the unit")
    return mapped


def integrated_nonce_length(suite: CipherSuite) -> int:
    """Bytes of the chip's nonce with integrated mapping: the key's length in whole blocks (§4.4.3.3)."""
    return 16 if suite.key_length == 16 else 32


def integrated_generator(domain: Domain, suite: CipherSuite, nonce: bytes, terminal_nonce: bytes) -> bytes:
    """f(R(s, t)) (§4.4.3.3.2)."""
    mapped = agreement_over(domain).encode_field(pseudo_random_number(suite, nonce, terminal_nonce, domain.p))
    if mapped is None:
        raise TamperedAnswerError("integrated mapping ends in the unit")
    return mapped


def pseudo_random_number(suite: CipherSuite, nonce: bytes, terminal_nonce: bytes, p: int) -> int:
    """R(s, t) modulo p: a chain of keys, each making the next and one output block string (§4.4.3.3.2, figure 2)."""
    next_key, output = CONSTANTS_128 if suite.key_length == 16 else CONSTANTS_256
    rounds = -(-(p.bit_length() + SPARE_BITS) // (8 * len(output)))
    key = suite.encrypt(terminal_nonce, nonce)[: suite.key_length]
    collected = b""
    for _ in range(rounds):
        collected += suite.encrypt(key, output)
        key = suite.encrypt(key, next_key)[: suite.key_length]
    return int.from_bytes(collected, "big") % p


@dataclass(frozen=True, slots=True)
class MappingProof:
    """What a chip showed during PACE with chip authentication mapping.

    It convinces whoever ran the terminal's side, and nobody else: who picks `chip_data` first can make a `mapping_key`
    to fit it. A counter that lets a kiosk run PACE learns nothing from this and needs chip or active authentication.

    Attributes:
        mapping_key: The chip's public key of the mapping step, as it came.
        chip_data: CA_IC, decrypted and without padding.
    """

    domain: Curve
    mapping_key: bytes
    chip_data: bytes

    def shown_by(self, key: AgreementKey) -> bool:
        """Whether the chip that ran PACE owns this static key of EF.CardSecurity (§4.4.3.5.2)."""
        factor = int.from_bytes(self.chip_data, "big")
        if key.domain != self.domain or not 0 < factor < self.domain.n:
            return False
        claimed = agreement_over(self.domain).power(key.element, factor)
        return claimed is not None and hmac.compare_digest(claimed, self.mapping_key)


def open_chip_data(suite: CipherSuite, encryption_key: bytes, sealed: bytes, domain: Curve) -> bytes:
    """CA_IC from its cryptogram (§4.4.3.5); `TamperedAnswerError` when it has no such form."""
    if not sealed or len(sealed) % AES_BLOCK or len(sealed) > 2 * domain.field_bytes + AES_BLOCK:
        raise TamperedAnswerError(f"chip authentication data of {len(sealed)} bytes")
    plain = unpad(suite.decrypt(encryption_key, sealed, suite.encrypt(encryption_key, MINUS_ONE)))
    # §4.4.5.6: as many bytes as the order has
    if plain is None or len(plain) != (domain.n.bit_length() + 7) // 8:
        raise TamperedAnswerError("chip authentication data without its padding or length")
    return plain


def seal_chip_data(suite: CipherSuite, encryption_key: bytes, chip_data: bytes) -> bytes:
    """The chip's side of `open_chip_data`."""
    return suite.encrypt(encryption_key, suite.pad(chip_data), suite.encrypt(encryption_key, MINUS_ONE))
