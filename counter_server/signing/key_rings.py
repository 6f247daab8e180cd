"""From the operator's settings to a key ring."""

from pathlib import Path

from counter_server.config import KeyHolder, SigningSettings
from counter_server.signing.errors import SignerGoneError
from counter_server.signing.key_service import KeyService, QualifiedProvider
from counter_server.signing.signers import KeyFolder, KeyRing
from counter_server.signing.tokens import Token, read_secret


def open_key_ring(folder: Path, settings: SigningSettings) -> KeyRing:
    """Whoever keeps the keys here.

    Raises:
        SignerGoneError: A setting is missing, or a token or service does not answer.
    """
    match settings.keys:
        case KeyHolder.FILE:
            return KeyFolder(folder / "signers")
        case KeyHolder.PKCS11:
            return Token(_named(settings.pkcs11_module), settings.token_label, read_secret(settings.secret_file))
        case KeyHolder.KMS:
            return KeyService(settings.service_url, read_secret(settings.secret_file))
        case KeyHolder.CSC:
            secret, own = read_secret(settings.secret_file), KeyFolder(folder / "signers")
            return QualifiedProvider(settings.service_url, secret, settings.credentials, own)


def _named(module: Path | None) -> Path:
    if module is None:
        raise SignerGoneError("counter.toml: [signing] pkcs11_module is missing")
    return module
