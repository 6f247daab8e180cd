"""The four ciphers a session may run under: key derivation, encryption and MAC (Doc 9303-11 §9.7 and §9.8)."""

import hashlib
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from hardware_drivers.id_chip import keys

AES_BLOCK = 16
MAC_LENGTH = 8  # §9.8.6: both MACs end as eight bytes
PASSWORD = 3  # counter of §9.7.1 beside those of `keys`: the key that encrypts the nonce of PACE


class CipherSuite(StrEnum):
    """One cipher with its MAC and the hash that derives its keys."""

    TDES = "3DES"
    AES_128 = "AES-128"
    AES_192 = "AES-192"
    AES_256 = "AES-256"

    @property
    def block(self) -> int:
        """Bytes of a cipher block."""
        return keys.BLOCK if self is CipherSuite.TDES else AES_BLOCK

    @property
    def key_length(self) -> int:
        """Bytes of a key; for 3DES two keys of eight."""
        return {CipherSuite.AES_192: 24, CipherSuite.AES_256: 32}.get(self, 16)

    def derive_key(self, shared_secret: bytes, counter: int) -> bytes:
        """KDF of §9.7.1: SHA-1 for 3DES and AES-128, SHA-256 for the longer ones, cut to the key's length."""
        if self is CipherSuite.TDES:
            return keys.derive_key(shared_secret, counter)
        message = shared_secret + counter.to_bytes(4, "big")
        if self is CipherSuite.AES_128:
            return hashlib.sha1(message, usedforsecurity=False).digest()[:16]
        return hashlib.sha256(message).digest()[: self.key_length]

    def pad(self, message: bytes) -> bytes:
        """ISO/IEC 9797-1 padding method 2 to this cipher's block."""
        padded = message + b"\x80"
        return padded + bytes(-len(padded) % self.block)

    def encrypt(self, key: bytes, plain: bytes, iv: bytes | None = None) -> bytes:
        """CBC, zero IV when none is given; whole blocks in, whole blocks out."""
        if self is CipherSuite.TDES:
            return keys.encrypt(key, plain)
        return Cipher(algorithms.AES(key), modes.CBC(iv or bytes(AES_BLOCK))).encryptor().update(plain)

    def decrypt(self, key: bytes, cipher_text: bytes, iv: bytes | None = None) -> bytes:
        """The inverse of `encrypt`."""
        if self is CipherSuite.TDES:
            return keys.decrypt(key, cipher_text)
        return Cipher(algorithms.AES(key), modes.CBC(iv or bytes(AES_BLOCK))).decryptor().update(cipher_text)

    def message_iv(self, key: bytes, counter: bytes) -> bytes | None:
        """The IV of one message of secure messaging: none with 3DES, E(K, SSC) with AES (§9.8.6.2).

        CBC over one block with a zero IV is that block encrypted.
        """
        return None if self is CipherSuite.TDES else self.encrypt(key, counter)

    def mac(self, key: bytes, padded: bytes) -> bytes:
        """Eight bytes over padded blocks: retail MAC with 3DES, CMAC with AES (§9.8.6)."""
        if self is CipherSuite.TDES:
            return keys.retail_mac(key, padded)
        return self._cmac(key, padded)

    def token_mac(self, key: bytes, message: bytes) -> bytes:
        """Eight bytes over a message outside secure messaging, where CMAC pads by itself (§4.4.3.4)."""
        if self is CipherSuite.TDES:
            return keys.retail_mac(key, keys.pad(message))
        return self._cmac(key, message)

    @staticmethod
    def _cmac(key: bytes, message: bytes) -> bytes:
        """NIST SP 800-38B, cut to eight bytes."""
        mac = CMAC(algorithms.AES(key))
        mac.update(message)
        return mac.finalize()[:MAC_LENGTH]
