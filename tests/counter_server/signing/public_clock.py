"""A time stamp authority that is not ours: openssl's, under a root of its own, as an operator's provider would be."""

import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tests.counter_server.signing.services import Answer

CONFIG = """
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa_config]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
NEW = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-config", "tsa.cnf"]


@dataclass
class PublicClock:
    """Its files, and the door's other side: `openssl ts -reply`, one at a time, for its serial file is not shared."""

    folder: Path
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def root_pem(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def __call__(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        with self.turn:
            (self.folder / "query").write_bytes(body)
            words = ["ts", "-reply", "-config", "tsa.cnf", "-section", "tsa_config", "-queryfile", "query"]
            openssl(self.folder, *words, "-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "reply")
            return 200, (self.folder / "reply").read_bytes()


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def public_clock(folder: Path) -> PublicClock:
    folder.mkdir()
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    openssl(
        folder,
        "req",
        "-x509",
        *NEW,
        "-subj",
        "/CN=Public root",
        "-extensions",
        "root",
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
    )
    issued = ["-subj", "/CN=Public clock", "-extensions", "tsa", "-CA", "root.pem", "-CAkey", "root.key"]
    openssl(folder, "req", "-x509", *NEW, *issued, "-keyout", "tsa.key", "-out", "tsa.pem")
    return PublicClock(folder)
