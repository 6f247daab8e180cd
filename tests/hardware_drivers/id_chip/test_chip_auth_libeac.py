"""Chip authentication version 2 against libeac as the chip: key agreement, key derivation and token by other hands."""

import ctypes

import pytest

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.chip_auth import Agreed, ChipKey, ephemeral_key, keys_after
from hardware_drivers.id_chip.cipher_suites import CipherSuite
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS, AgreementKey
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.security_infos import BSI, Agreement
from tests.hardware_drivers.cards import seeded
from tests.hardware_drivers.id_chip.libeac_card import LIBEAC_MISSING, LIBRARIES

SUITES = {CipherSuite.AES_128: 2, CipherSuite.AES_192: 3, CipherSuite.AES_256: 4}
FAMILIES = {Agreement.ECDH: (10, 12, 13, 15, 16, 17, 18), Agreement.DH: (0, 1, 2)}
COMBINATIONS = [
    (family, number, suite) for family, numbers in FAMILIES.items() for number in numbers for suite in SUITES
]


class LibeacChip:
    """The chip's half of chip authentication in the library, with a given static key."""

    def __init__(self, oid: str, parameter_id: int, private: bytes, public: bytes) -> None:
        if LIBRARIES is None:
            raise RuntimeError(LIBEAC_MISSING)
        self._eac, self._crypto = LIBRARIES
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        self._eac.EAC_CTX_init_ca.argtypes = [pointer, ctypes.c_int, ctypes.c_int]
        self._eac.CA_set_key.argtypes = [pointer, ctypes.c_char_p, size, ctypes.c_char_p, size]
        self._eac.CA_STEP4_compute_shared_secret.argtypes = [pointer, pointer]
        self._eac.CA_STEP5_derive_keys.argtypes = [pointer, pointer, pointer, pointer]
        self._context = self._eac.EAC_CTX_new()
        nid = self._crypto.OBJ_txt2nid(oid.encode())
        assert self._eac.EAC_CTX_init_ca(self._context, nid, parameter_id) == 1
        assert self._eac.CA_set_key(self._context, private, len(private), public, len(public)) == 1

    def close(self) -> None:
        """Free what the library holds."""
        self._eac.EAC_CTX_clear_free(self._context)

    def agree(self, terminal_public: bytes) -> bytes:
        """What the chip answers to GENERAL AUTHENTICATE: nonce and token."""
        told = self._crypto.BUF_MEM_new()
        self._crypto.BUF_MEM_grow(told, len(terminal_public))
        ctypes.memmove(told.contents.data, terminal_public, len(terminal_public))
        assert self._eac.CA_STEP4_compute_shared_secret(self._context, told) == 1
        nonce, token = type(told)(), type(told)()
        assert self._eac.CA_STEP5_derive_keys(self._context, told, ctypes.byref(nonce), ctypes.byref(token)) == 1
        parts = [ctypes.string_at(buffer.contents.data, buffer.contents.length) for buffer in (nonce, token)]
        return tlv.encode(0x7C, tlv.encode(0x81, parts[0]) + tlv.encode(0x82, parts[1]))


@pytest.mark.skipif(LIBRARIES is None, reason=LIBEAC_MISSING)
@pytest.mark.parametrize(("agreement", "parameter_id", "suite"), COMBINATIONS)
def test_libeacs_chip_proves_its_key_to_us(agreement: Agreement, parameter_id: int, suite: CipherSuite) -> None:
    domain = STANDARD_DOMAINS[parameter_id]
    group = agreement_over(domain)
    private = group.draw_private_key(seeded(parameter_id))
    public = group.power(group.generator, private)
    assert public is not None
    oid = f"{BSI}.3.{1 if agreement is Agreement.DH else 2}.{SUITES[suite]}"
    chip = LibeacChip(oid, parameter_id, private.to_bytes(domain.field_bytes, "big"), public)
    try:
        ephemeral = ephemeral_key(domain, b"secret", bytes(32))
        answer = chip.agree(ephemeral.public)
        key = ChipKey(oid, agreement, suite, None, AgreementKey(domain, public), version=2)
        keys_after(key, ephemeral, Agreed(answer))
        copied = ChipKey(oid, agreement, suite, None, AgreementKey(domain, group.generator), version=2)
        with pytest.raises(TamperedAnswerError):
            keys_after(copied, ephemeral, Agreed(answer))
    finally:
        chip.close()
