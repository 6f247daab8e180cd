"""Whoever keeps the keys: the same contract comes out, and a holder who fails is not believed."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from counter_server.config import KeyHolder, SigningSettings
from counter_server.records.cms import read_signed_message
from counter_server.records.durable import write_new
from counter_server.records.errors import KeyFileError
from counter_server.records.verify_contract import check_contract
from counter_server.signing.authority import AUTHORITY, CLOCK
from counter_server.signing.errors import SignerGoneError
from counter_server.signing.examine import examine
from counter_server.signing.key_rings import open_key_ring
from counter_server.signing.key_service import KeyService, QualifiedProvider
from counter_server.signing.signers import KeyFolder, Signer
from counter_server.signing.tokens import Token
from tests.counter_server.signing import softhsm
from tests.counter_server.signing.contracts import EXPECTED, RECORD, Contract, make_contract
from tests.counter_server.signing.services import SECRET, Provider, TransitService, served
from tests.counter_server.signing.test_contract import extracted
from tests.counter_server.signing.test_contract_script import asked


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> SigningSettings:
    library = softhsm.module()
    if library is None:
        pytest.skip("SoftHSM 2 is not installed: apt install softhsm2")
    configuration, settings = softhsm.make_token(tmp_path_factory.mktemp("token"), library)
    patch = pytest.MonkeyPatch()  # for as long as the process: the library reads it once, when it is loaded
    patch.setenv(softhsm.CONFIGURATION, str(configuration))
    return settings


def secret_file(folder: Path) -> Path:
    path = folder / "secret"
    path.touch(mode=0o600)
    path.write_text(SECRET + "\n")
    return path


def signs(signer: Signer) -> None:
    digest = hashlib.sha256(b"what is signed").digest()
    signer.public_key.verify(signer.sign_digest(digest), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def holds(contract: Contract) -> None:
    root = contract.desk.authority.root
    assert len(check_contract(contract.countersigned, contract.shown.sha256, root, EXPECTED, RECORD)) == 2
    assert examine(contract.countersigned, root).flaws == ()


def test_a_contract_by_keys_on_p_384(tmp_path: Path) -> None:
    """As an operator's policy may want them: authority, clerk and clock; pyHanko and openssl believe it too."""
    (tmp_path / "signers").mkdir(mode=0o700)
    for label in (AUTHORITY, CLOCK, f"staff-{EXPECTED[1][1]}"):
        key = ec.generate_private_key(ec.SECP384R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_new(tmp_path / "signers" / f"{label}.pem", pem)
    contract = make_contract(tmp_path)
    holds(contract)
    clerk = read_signed_message(extracted(contract.countersigned)[1][0])
    assert clerk.digest_name == "sha384"
    assert asked(contract, contract.countersigned, tmp_path)[1][-1] == "WHOLE contract.pdf"


def test_a_contract_by_keys_in_a_token(token: SigningSettings, tmp_path: Path) -> None:
    holds(make_contract(tmp_path, token))
    assert not [path.name for path in tmp_path.rglob("*.pem") if path.name != "contract-root.pem"]  # no key outside


def test_a_token_gives_the_same_key_to_the_same_name_and_never_lets_it_out(token: SigningSettings) -> None:
    ring = open_key_ring(Path(), token)
    assert isinstance(ring, Token)
    first = ring.signer("somebody")
    assert first is ring.signer("somebody")
    assert first.public_key != ring.signer("somebody else").public_key
    signs(first)
    with pytest.raises(pkcs11.PKCS11Error):
        first._private[pkcs11.Attribute.VALUE]


def test_a_wrong_pin_or_no_token_is_said_so(token: SigningSettings) -> None:
    assert token.pkcs11_module is not None
    with pytest.raises(SignerGoneError, match="nobody"):
        Token(token.pkcs11_module, "nobody", softhsm.PIN)
    code = f"from pathlib import Path\nfrom {Token.__module__} import Token\n"
    code += f"Token(Path({str(token.pkcs11_module)!r}), {softhsm.LABEL!r}, '000000')"
    # in a process of its own: where somebody is logged in already, a PIN is not looked at
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "PinIncorrect" in done.stderr


def test_a_contract_by_a_key_service(tmp_path: Path) -> None:
    service = TransitService()
    with served(service) as url:
        settings = SigningSettings(keys=KeyHolder.KMS, service_url=url, secret_file=secret_file(tmp_path))
        holds(make_contract(tmp_path / "keys", settings))
    assert set(service.keys) == {"contract-authority", "time-stamps", "staff-clerk-7"}


def test_a_key_service_that_lies_refuses_or_is_gone_signs_nothing(tmp_path: Path) -> None:
    service = TransitService()
    with served(service) as url:
        with pytest.raises(SignerGoneError, match="403"):
            KeyService(url, "wrong").signer("k")
        signer = KeyService(url, SECRET).signer("k")
        signs(signer)
        service.spoil = True
        with pytest.raises(SignerGoneError, match="does not hold"):
            signs(signer)
    with pytest.raises(SignerGoneError):
        signs(signer)


def test_a_clerk_signs_by_a_qualified_providers_key(tmp_path: Path) -> None:
    provider = Provider()
    with served(provider) as url:
        settings = SigningSettings(
            keys=KeyHolder.CSC,
            service_url=url,
            secret_file=secret_file(tmp_path),
            credentials={"staff-clerk-7": "GX0112348"},
        )
        contract = make_contract(tmp_path / "keys", settings)
    holds(contract)
    assert not (tmp_path / "keys" / "signers" / "staff-clerk-7.pem").exists()
    assert provider.allowed == {}  # every permission was spent on its own hash


def test_a_provider_is_asked_for_the_right_person_and_believed_only_with_a_token(tmp_path: Path) -> None:
    own = KeyFolder(tmp_path)
    with served(Provider()) as url:
        with pytest.raises(SignerGoneError, match="401"):
            QualifiedProvider(url, "wrong", {"k": "GX0112348"}, own).signer("k")
        with pytest.raises(SignerGoneError, match="400"):
            QualifiedProvider(url, SECRET, {"k": "another"}, own).signer("k")


def test_key_files_are_private_and_kept(tmp_path: Path) -> None:
    key = KeyFolder(tmp_path).signer("k")
    signs(key)
    assert KeyFolder(tmp_path).signer("k").public_key == key.public_key
    (tmp_path / "k.pem").chmod(0o644)
    with pytest.raises(KeyFileError):
        KeyFolder(tmp_path).signer("k")
