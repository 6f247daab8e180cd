"""The log's key inside a token: checkpoints are signed where the key was made, and no file ever held it.

`<home>/keys/log.token` names the key by its public half, so that a token which was exchanged for another is noticed
before anything is signed with it.
"""

import secrets
from dataclasses import dataclass

from counter_server.records.codes import Randomness
from counter_server.records.durable import PUBLIC_FILE, make_folder, write_once
from counter_server.records.errors import KeyFileError, StoreError
from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.files import ORIGIN_PREFIX, LogFiles, begin_policy
from counter_server.records.log.note import Algorithm, Signature, VerifierKey
from counter_server.signing.errors import SignerGoneError
from counter_server.signing.tokens import Token, TokenEdwardsKey

LABEL = "counter-log"


@dataclass(frozen=True, slots=True)
class TokenLogKey:
    """A `LogKey` that stays in its token."""

    verifier: VerifierKey
    key: TokenEdwardsKey

    @property
    def name(self) -> str:
        """As in `LogKey`."""
        return self.verifier.name

    def sign(self, text: str) -> str:
        """As in `LogKey`. Checked before it is believed: a wrong checkpoint could never be taken back."""
        try:
            raw = self.key.sign(text.encode())
            self.verifier.check(text, raw)
        except SignerGoneError as error:
            raise StoreError(str(error)) from error
        except LogUnprovenError as error:
            raise StoreError("the token: its signature does not hold") from error
        return Signature(self.name, self.verifier.key_id, raw).line()


def make_token_key(files: LogFiles, token: Token, rng: Randomness = secrets.token_bytes) -> TokenLogKey:
    """The key of a log that begins, made inside the token; a crash before it is named leaves it to the next start."""
    make_folder(files.token_key.parent)
    make_folder(files.folder)
    held = token.edwards_key(LABEL, make=True)
    verifier = VerifierKey(ORIGIN_PREFIX + rng(8).hex(), Algorithm.ED25519, held.public)
    name_token_key(files, verifier)
    begin_policy(files, verifier)
    return TokenLogKey(verifier, held)


def name_token_key(files: LogFiles, verifier: VerifierKey) -> None:
    """From now on this is the log's key; `KeyFileError` when another is named already."""
    if not write_once(files.token_key, f"{verifier.spelling()}\n".encode(), PUBLIC_FILE):
        raise KeyFileError(f"{files.token_key.name} exists already")


def read_token_key(files: LogFiles, token: Token) -> TokenLogKey:
    """The key that `log.token` names; `KeyFileError` when the token holds another."""
    try:
        verifier = VerifierKey.parse(files.token_key.read_text("utf-8").removesuffix("\n"))
    except (LogFormatError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{files.token_key.name} is damaged") from error
    held = token.edwards_key(LABEL, make=False)
    if verifier.algorithm is not Algorithm.ED25519 or verifier.public != held.public:
        raise KeyFileError(f"the token's key {LABEL!r} is not the one that {files.token_key.name} names")
    begin_policy(files, verifier)
    return TokenLogKey(verifier, held)
