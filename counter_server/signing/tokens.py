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
from counter_server.signing.errors import SignerGoneError, SignerUnableError

# how tokens spell Ed25519: RFC 8410 §3, as an object identifier; PKCS #11 v3.0 §2.3.10, by its name
EDWARDS_25519 = (b"\x06\x03\x2b\x65\x70", b"\x13\x0cedwards25519")
EDWARDS_PUBLIC_BYTES = 32


_turns: dict[Path, threading.RLock] = {}


def turn_at(module: Path) -> threading.RLock:
    """The lock of everybody in this process who uses a token's library.

    One per session is not enough: SoftHSM 2.6 answers CKR_GENERAL_ERROR when two sessions are used at once.
    """
    return _turns.setdefault(module, threading.RLock())


def open_session(module: Path, label: str, pin: str) -> pkcs11.Session:
    """A session with the token of this label, logged in; callers hold the turn and see to the binding's errors."""
    found = pkcs11.lib(str(module)).get_token(token_label=label)
    try:
        return found.open(rw=True, user_pin=pin)
    except pkcs11.UserAlreadyLoggedIn:  # logging in is the process', not the session's (PKCS #11 v2.40 §5.6)
        return found.open(rw=True)


def read_secret(path: Path | None) -> str:
    """A PIN or access token from a file that only we may read."""
    if path is None:
        raise SignerGoneError("counter.toml: [signing] secret_file is missing")
    try:
        return read_private(path).decode().strip()
    except (RecordError, OSError, ValueError) as error:
        raise SignerGoneError(f"{path.name} cannot be read, or others can read it too") from error


class TokenKey:
    """One private key in the token. Its library is not for several threads, hence the lock that all share."""

    def __init__(self, private: Any, public: ec.EllipticCurvePublicKey, turn: threading.RLock) -> None:
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


class TokenEdwardsKey:
    """One Ed25519 key in the token, for what is signed whole and not by its hash."""

    def __init__(self, private: Any, public: bytes, turn: threading.RLock) -> None:
        self._private, self._turn = private, turn
        self.public = public

    def sign(self, message: bytes) -> bytes:
        """Ed25519 (RFC 8032) over this message, 64 bytes."""
        try:
            with self._turn:
                return bytes(self._private.sign(message, mechanism=Mechanism.EDDSA))
        except pkcs11.PKCS11Error as error:
            raise SignerGoneError(f"the token: {type(error).__name__}") from error


class Token:
    """A token's keys by their labels; missing ones are made inside it, on the named curve, and never leave."""

    def __init__(self, module: Path, label: str, pin: str, *, curve: str = "secp256r1") -> None:
        self._turn = turn_at(module)
        try:
            with self._turn:
                self._session = open_session(module, label, pin)
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise SignerGoneError(f"the token {label!r}: {type(error).__name__}") from error
        self._open: dict[str, TokenKey] = {}
        self._curve = curve

    def signer(self, label: str) -> TokenKey:
        """The key of this label, made at first use."""
        if label not in self._open:
            try:
                with self._turn:
                    self._open[label] = self._find(label) or self._make(label)
            except pkcs11.PKCS11Error as error:
                raise SignerGoneError(f"the token: {type(error).__name__}") from error
        return self._open[label]

    def edwards_key(self, label: str, *, make: bool) -> TokenEdwardsKey:
        """The Ed25519 key of this label; where there is none it is made, if `make`.

        Raises:
            SignerUnableError: This token has no Ed25519.
            SignerGoneError: There is no such key, or the token does not answer.
        """
        try:
            with self._turn:
                pair = self._pair(label, KeyType.EC_EDWARDS) or (self._make_edwards(label) if make else None)
                point = None if pair is None else bytes(pair[1][Attribute.EC_POINT])
        except pkcs11.PKCS11Error as error:
            raise SignerGoneError(f"the token: {type(error).__name__}") from error
        if pair is None or point is None:
            raise SignerGoneError(f"the token holds no Ed25519 key named {label!r}")
        return TokenEdwardsKey(pair[0], _edwards_public(point), self._turn)

    def _find(self, label: str) -> TokenKey | None:
        pair = self._pair(label, KeyType.EC)
        return None if pair is None else TokenKey(pair[0], _public(pair[1]), self._turn)

    def _pair(self, label: str, kind: KeyType) -> tuple[Any, Any] | None:
        """Private and public key of this label and kind."""
        wanted = {Attribute.LABEL: label, Attribute.KEY_TYPE: kind}
        privates = list(self._session.get_objects({**wanted, Attribute.CLASS: ObjectClass.PRIVATE_KEY}))
        publics = list(self._session.get_objects({**wanted, Attribute.CLASS: ObjectClass.PUBLIC_KEY}))
        if not privates:
            return None
        if len(privates) != 1 or len(publics) != 1:
            raise SignerGoneError(f"the token holds several keys named {label!r}")
        return privates[0], publics[0]

    def _make_edwards(self, label: str) -> tuple[Any, Any]:
        offered = self._session.token.slot.get_mechanisms()
        if not {Mechanism.EDDSA, Mechanism.EC_EDWARDS_KEY_PAIR_GEN} <= set(offered):
            raise SignerUnableError("the token has no Ed25519 (CKM_EDDSA)")
        for curve in EDWARDS_25519:
            parameters = {Attribute.EC_PARAMS: curve}
            domain = self._session.create_domain_parameters(KeyType.EC_EDWARDS, parameters, local=True)
            try:
                public, private = domain.generate_keypair(
                    mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                    store=True,
                    label=label,
                    private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
                )
            except (pkcs11.AttributeValueInvalid, pkcs11.DomainParamsInvalid, pkcs11.TemplateInconsistent):
                continue  # the other spelling
            return private, public
        raise SignerUnableError("the token makes no keys on edwards25519, by either spelling of the curve")

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


def _edwards_public(point: bytes) -> bytes:
    """As RFC 8032 §5.1.5 encodes it; some tokens wrap it in an OCTET STRING, as points of other curves are."""
    raw = point if len(point) == EDWARDS_PUBLIC_BYTES else read_der(point).wanted(OCTETS).content
    if len(raw) != EDWARDS_PUBLIC_BYTES:
        raise SignerUnableError("the token's key is not on edwards25519")
    return raw
