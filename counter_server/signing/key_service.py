"""Keys at a service over HTTP: a key management service, or a qualified provider for whoever must sign as a person.

Both are sent a hash and answer a signature. What comes back is checked under the key it should be by, before it goes
into a contract.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from counter_server.signing.errors import SignerGoneError
from counter_server.signing.signers import HASH_OF_CURVE, KeyRing, Signer, hash_name

ANSWER_S = 8.0
DIGEST_OIDS = {"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2"}
SIGNATURE_OIDS = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3"}
TRANSIT_HASHES = {"sha256": "sha2-256", "sha384": "sha2-384"}


class _Door:
    """One service, asked in JSON with a bearer token."""

    def __init__(self, url: str, secret: str, client: httpx.Client | None, header: str = "Authorization") -> None:
        self._url = url.rstrip("/")
        self._headers = {header: secret if header != "Authorization" else f"Bearer {secret}"}
        self._client = client or httpx.Client(timeout=ANSWER_S, follow_redirects=False)

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, Any]:
        """Status and answer."""
        try:
            answered = self._client.request(
                method, f"{self._url}{path}", json=None if body is None else dict(body), headers=self._headers
            )
            return answered.status_code, answered.json() if answered.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise SignerGoneError(f"the key service: {type(error).__name__}") from error


class RemoteKey:
    """A key at a service: its public half, and how to ask for a signature."""

    def __init__(self, public: object, ask: Any) -> None:
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name not in HASH_OF_CURVE:
            raise SignerGoneError("the key service's key is on neither P-256 nor P-384")
        self._public, self._ask = public, ask

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that checks what this one signs."""
        return self._public

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over this hash, DER; refused here when it does not hold."""
        name = hash_name(self._public)
        signature: bytes = self._ask(digest, name)
        algorithm = hashes.SHA256() if name == "sha256" else hashes.SHA384()
        try:
            self._public.verify(signature, digest, ec.ECDSA(utils.Prehashed(algorithm)))
        except InvalidSignature as error:
            raise SignerGoneError("the key service's signature does not hold") from error
        return signature


class KeyService:
    """A key management service that speaks Vault's and OpenBao's transit interface."""

    def __init__(self, url: str, secret: str, *, client: httpx.Client | None = None) -> None:
        self._door = _Door(url, secret, client, "X-Vault-Token")
        self._open: dict[str, RemoteKey] = {}

    def signer(self, label: str) -> RemoteKey:
        """The key of this name, made there at first use."""
        if label not in self._open:
            status, answer = self._door.ask("GET", f"/v1/transit/keys/{label}")
            if status == 404:
                made, _ = self._door.ask("POST", f"/v1/transit/keys/{label}", {"type": "ecdsa-p256"})
                if made not in (200, 204):
                    raise SignerGoneError(f"the key service would not make a key ({made})")
                status, answer = self._door.ask("GET", f"/v1/transit/keys/{label}")
            if status != 200:
                raise SignerGoneError(f"the key service refused ({status})")
            self._open[label] = RemoteKey(_newest(answer), lambda digest, name: self._sign(label, digest, name))
        return self._open[label]

    def _sign(self, label: str, digest: bytes, name: str) -> bytes:
        body = {"input": base64.b64encode(digest).decode(), "prehashed": True, "marshaling_algorithm": "asn1"}
        status, answer = self._door.ask("POST", f"/v1/transit/sign/{label}/{TRANSIT_HASHES[name]}", body)
        if status != 200:
            raise SignerGoneError(f"the key service refused to sign ({status})")
        try:
            return base64.b64decode(answer["data"]["signature"].rpartition(":")[2], validate=True)
        except (KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise SignerGoneError("the key service answered something else") from error


def _newest(answer: Any) -> object:
    try:
        versions = answer["data"]["keys"]
        newest = versions[max(versions, key=int)]
        return load_pem_public_key(newest["public_key"].encode())
    except (KeyError, TypeError, AttributeError, ValueError, UnsupportedAlgorithm) as error:
        raise SignerGoneError("the key service answered something else") from error


class QualifiedProvider:
    """A provider behind the CSC API v2 (Cloud Signature Consortium, §11): `signatures/signHash`.

    Credentials are made at the provider's, by identifying the person; `credentials` says which is whose, by label.
    What has no credential there (the counter's own authority) is kept by `others`.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        credentials: Mapping[str, str],
        others: KeyRing,
        *,
        client: httpx.Client | None = None,
    ) -> None:
        self._others = others
        self._door = _Door(url, secret, client)
        self._credentials = dict(credentials)
        self._open: dict[str, RemoteKey] = {}

    def signer(self, label: str) -> Signer:
        """The key behind the credential of this name."""
        if label not in self._credentials:
            return self._others.signer(label)
        if label not in self._open:
            credential = self._credentials[label]
            answer = self._post("/csc/v2/credentials/info", {"credentialID": credential, "certificates": "single"})
            key = _certificate_key(answer)
            self._open[label] = RemoteKey(key, lambda digest, name: self._sign(credential, digest, name))
        return self._open[label]

    def _sign(self, credential: str, digest: bytes, name: str) -> bytes:
        hashed = base64.b64encode(digest).decode()
        wanted = {"credentialID": credential, "hashes": [hashed], "hashAlgorithmOID": DIGEST_OIDS[name]}
        allowed = self._post("/csc/v2/credentials/authorize", {**wanted, "numSignatures": 1})
        try:
            order = {**wanted, "SAD": allowed["SAD"], "signAlgo": SIGNATURE_OIDS[name]}
            signatures = self._post("/csc/v2/signatures/signHash", order)["signatures"]
            (signature,) = signatures
            return base64.b64decode(signature, validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise SignerGoneError("the provider answered something else") from error

    def _post(self, path: str, body: Mapping[str, object]) -> Any:
        status, answer = self._door.ask("POST", path, body)
        if status != 200:
            raise SignerGoneError(f"the provider refused ({status})")
        return answer


def _certificate_key(answer: Any) -> object:
    try:
        encoded = base64.b64decode(answer["cert"]["certificates"][0], validate=True)
        return x509.load_der_x509_certificate(encoded).public_key()
    except (KeyError, IndexError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise SignerGoneError("the provider answered something else") from error
