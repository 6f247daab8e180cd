"""Who holds a signing key: one narrow door, behind it a file, a token, a key service or a qualified provider.

A signer is given a hash and gives a signature back; the key never comes out. `SignerKey` lets `cryptography` issue
certificates with any of them.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from counter_server.records.durable import make_folder, write_once
from counter_server.records.errors import KeyFileError
from counter_server.records.keys import read_private

# by the curve: FIPS 186-5 §6.1.1, a hash no shorter than the curve's order
HASH_OF_CURVE = {"secp256r1": "sha256", "secp384r1": "sha384"}
LONGEST_SIGNATURE = 104  # DER of two 384-bit numbers


class Signer(Protocol):
    """A key that signs hashes with ECDSA."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that checks what this one signs."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over this hash, DER.

        Raises:
            SignerGoneError: Whoever holds the key did not answer, or refused.
        """
        ...


class KeyRing(Protocol):
    """Signers by name; one that is not there yet is made, where whoever keeps keys allows it."""

    def signer(self, label: str) -> Signer:
        """The signer of this name.

        Raises:
            SignerGoneError: There is none and none can be made.
        """
        ...


def hash_name(key: ec.EllipticCurvePublicKey) -> str:
    """The hash that goes with a key, as hashlib spells it."""
    return HASH_OF_CURVE[key.curve.name]


class HeldKey:
    """A key in this process' memory."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self._algorithm = ec.ECDSA(utils.Prehashed(_algorithm(hash_name(key.public_key()))))

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that checks what this one signs."""
        return self._key.public_key()

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over this hash, DER."""
        return self._key.sign(digest, self._algorithm)


class KeyFolder:
    """Keys as files that only we may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, HeldKey] = {}

    def signer(self, label: str) -> HeldKey:
        """The key of this name, made at first use."""
        if label not in self._open:
            self._open[label] = HeldKey(self._load(label))
        return self._open[label]

    def _load(self, label: str) -> ec.EllipticCurvePrivateKey:
        make_folder(self._folder)
        path = self._folder / f"{label}.pem"
        with locked(self._folder):
            if not path.exists():
                made = ec.generate_private_key(ec.SECP256R1())
                write_once(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        try:
            key = load_pem_private_key(read_private(path), password=None)
        except ValueError as error:
            raise KeyFileError(f"{path.name} is damaged") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in HASH_OF_CURVE:
            raise KeyFileError(f"{path.name} holds no key on P-256 or P-384")
        return key


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time: two workers that miss the same key must not both make it."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class SignerKey(ec.EllipticCurvePrivateKey):
    """A signer in the shape `cryptography` takes to issue certificates and revocation lists."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def signer(self) -> Signer:
        """Who holds the key."""
        return self._signer

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve of the key."""
        return self._signer.public_key.curve

    @property
    def key_size(self) -> int:
        """Bits."""
        return self._signer.public_key.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that checks what this one signs."""
        return self._signer.public_key

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """ECDSA over the data, DER. The hash must be the one that goes with the curve."""
        named = signature_algorithm.algorithm
        wanted = hash_name(self._signer.public_key)
        if isinstance(named, utils.Prehashed) or named.name != wanted:
            raise ValueError(f"this signer signs with {wanted}")
        return self._signer.sign_digest(hashlib.new(wanted, data).digest())

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Never: a signing key signs."""
        raise ValueError("a signing key does nothing else")

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        """Never: the key does not come out."""
        raise ValueError("the key does not come out")

    def private_bytes(self, *_: object, **__: object) -> bytes:
        """Never: the key does not come out."""
        raise ValueError("the key does not come out")

    def __copy__(self) -> "SignerKey":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "SignerKey":
        return self


def _algorithm(name: str) -> hashes.HashAlgorithm:
    return hashes.SHA256() if name == "sha256" else hashes.SHA384()
