"""Where the log lies under an installation's home, and its key.

<home>/log/checkpoint            the newest, with what cosignatures it has
<home>/log/tile/…                the tree (C2SP tlog-tiles), to be served as plain files
<home>/log/policy                the log's key and its witnesses (C2SP tlog-policy); operators add witnesses here
<home>/log/audited               the checkpoint of the last audit that found everything right
<home>/keys/log.key              the log's private key
<home>/keys/log.token            or, where the key lies in a token: which it is, as a public key
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from counter_server.records.codes import Randomness
from counter_server.records.durable import PUBLIC_FILE, make_folder, write_once
from counter_server.records.errors import KeyFileError
from counter_server.records.log.errors import LogFormatError
from counter_server.records.log.note import Algorithm, SignerKey, VerifierKey
from counter_server.records.log.policy import Policy
from counter_server.records.log.signers import read_signer, write_signer

# RFC 6761 §6.4: no host can have this name; whoever runs a log under a name of their own writes the key themselves
ORIGIN_PREFIX = "visual-counter.invalid/log-"
POLICY_HEAD = "# C2SP tlog-policy. Add witnesses, groups and a quorum; then start the counter again.\n"


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The log's files under a data home."""

    home: Path

    @property
    def folder(self) -> Path:
        """What a web server may show to everybody."""
        return self.home / "log"

    @property
    def key(self) -> Path:
        """The log's private key."""
        return self.home / "keys" / "log.key"

    @property
    def token_key(self) -> Path:
        """Says that the log's key lies in a token, and which it is."""
        return self.home / "keys" / "log.token"

    @property
    def checkpoint(self) -> Path:
        """The newest published checkpoint."""
        return self.folder / "checkpoint"

    @property
    def policy(self) -> Path:
        """Whom this installation believes about its own log; hand it to verifiers who have nothing better."""
        return self.folder / "policy"

    @property
    def audited(self) -> Path:
        """Where the next audit takes up."""
        return self.folder / "audited"

    def read_policy(self) -> Policy:
        """The policy file; `LogFormatError` names a wrong line."""
        try:
            return Policy.parse(self.policy.read_text("utf-8"))
        except FileNotFoundError as error:
            raise LogFormatError("there is no log yet; the counter makes it at its first start") from error
        except UnicodeDecodeError as error:
            raise LogFormatError("the policy is not UTF-8") from error


def load_or_create_log_key(files: LogFiles, rng: Randomness = secrets.token_bytes) -> SignerKey:
    """The log's key, made at first use together with its policy; `KeyFileError` when it is damaged or readable."""
    make_folder(files.key.parent)
    make_folder(files.folder)
    if not files.key.exists():
        origin = ORIGIN_PREFIX + rng(8).hex()
        write_signer(files.key, origin, Algorithm.ED25519, rng)
    key = read_signer(files.key)
    if key.algorithm is not Algorithm.ED25519:
        raise KeyFileError(f"{files.key.name} is a witness's key")
    begin_policy(files, key.verifier)
    return key


def begin_policy(files: LogFiles, key: VerifierKey) -> None:
    """A policy that believes this key and asks for no witness, unless there is one."""
    if not files.policy.exists():
        text = f"{POLICY_HEAD}log {key.spelling()}\nquorum none\n"
        write_once(files.policy, text.encode(), PUBLIC_FILE)
