"""Keys in a token behind PKCS#11: an HSM, or SoftHSM 2 in tests and in the demo.

One session per process, opened once: sessions are not made for several threads, and logging in costs. The hash is
signed with the raw mechanism, because SoftHSM 2.6 has CKM_ECDSA alone and every other token has it too.
"""

import threading
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from counter_server.records.der import OCTETS, read_der
from counter_server.records.errors import RecordError
from counter_server.records.keys import read_private
from counter_server.signing.errors import SignerGoneError


def read_secret(path: Path | None) -> str:
    """A PIN or access token from a file that only we may read."""
    if path is None:
        raise SignerGoneError("counter.toml: [signing] secret_file is missing")
    try:
        return read_private(path).decode().strip()
    except (RecordError, OSError, ValueError) as error:
        raise SignerGoneError(f"{path.name} cannot be read, or others can read it too") from error


class TokenKey:
    """One private key in the token. Its session is not for several threads, hence the lock that all its keys share."""

    def __init__(self, private: Any, public: ec.EllipticCurvePublicKey, turn: threading.Lock) -> None:
        self._private, self._public = private, public  # the binding types its keys without their methods
        self._turn = turn

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that checks what this one signs."""
        return self._public

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over this hash, DER; the token gives the two numbers side by side."""
        try:
            with self._turn:
                pair = self._private.sign(digest, mechanism=Mechanism.ECDSA)
        except pkcs11.PKCS11Error as error:
            raise SignerGoneError(f"the token: {type(error).__name__}") from error
        half = len(pair) // 2
        return encode_dss_signature(int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big"))


class Token:
    """A token's keys by their labels; missing ones are made inside it, on the named curve, and never leave."""

    def __init__(self, module: Path, label: str, pin: str, *, curve: str = "secp256r1") -> None:
        try:
            found = pkcs11.lib(str(module)).get_token(token_label=label)
            try:
                self._session = found.open(rw=True, user_pin=pin)
            except pkcs11.UserAlreadyLoggedIn:  # logging in is the process', not the session's (PKCS #11 v2.40 §5.6)
                self._session = found.open(rw=True)
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise SignerGoneError(f"the token {label!r}: {type(error).__name__}") from error
        self._open: dict[str, TokenKey] = {}
        self._curve, self._turn = curve, threading.Lock()

    def signer(self, label: str) -> TokenKey:
        """The key of this label, made at first use."""
        if label not in self._open:
            try:
                self._open[label] = self._find(label) or self._make(label)
            except pkcs11.PKCS11Error as error:
                raise SignerGoneError(f"the token: {type(error).__name__}") from error
        return self._open[label]

    def _find(self, label: str) -> TokenKey | None:
        wanted = {Attribute.LABEL: label, Attribute.KEY_TYPE: KeyType.EC}
        privates = list(self._session.get_objects({**wanted, Attribute.CLASS: ObjectClass.PRIVATE_KEY}))
        publics = list(self._session.get_objects({**wanted, Attribute.CLASS: ObjectClass.PUBLIC_KEY}))
        if not privates:
            return None
        if len(privates) != 1 or len(publics) != 1:
            raise SignerGoneError(f"the token holds several keys named {label!r}")
        return TokenKey(privates[0], _public(publics[0]), self._turn)

    def _make(self, label: str) -> TokenKey:
        parameters = encode_named_curve_parameters(self._curve)
        domain = self._session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: parameters}, local=True)
        public, private = domain.generate_keypair(
            store=True,
            label=label,
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
        return TokenKey(private, _public(public), self._turn)


def _public(found: pkcs11.Object) -> ec.EllipticCurvePublicKey:
    curve = found[Attribute.EC_PARAMS]
    point = read_der(bytes(found[Attribute.EC_POINT])).wanted(OCTETS).content
    if len(point) == 65 and curve == encode_named_curve_parameters("secp256r1"):
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    if len(point) == 97 and curve == encode_named_curve_parameters("secp384r1"):
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), point)
    raise SignerGoneError("the token's key is on neither P-256 nor P-384")
