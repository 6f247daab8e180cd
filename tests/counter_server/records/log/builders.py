"""A safe with a log: sealed records, leaves, a publisher."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from counter_server.records.log import ledger
from counter_server.records.log.files import LogFiles, load_or_create_log_key
from counter_server.records.log.note import Algorithm, SignerKey
from counter_server.records.log.policy import Policy
from counter_server.records.log.publishing import Publisher
from counter_server.records.log.witness import Memory, Witness
from counter_server.records.seal import SealedRecord
from counter_server.records.service import insert_record
from tests.counter_server.records import builders
from tests.counter_server.records.builders import NOW, Safe


@dataclass(slots=True)
class Log:
    """One installation with its log."""

    safe: Safe
    files: LogFiles
    publisher: Publisher

    @property
    def policy(self) -> Policy:
        return self.files.read_policy()


def build_log(home: Path) -> Log:
    safe = builders.build_safe(home)
    files = LogFiles(home)
    return Log(safe, files, Publisher(files, load_or_create_log_key(files)))


def seal(log: Log) -> SealedRecord:
    """A sealed record with its row and leaf."""
    _, sealed = builders.seal_visit(log.safe, segments=0)
    with log.safe.engine.begin() as conn:
        insert_record(conn, sealed)
    return sealed


def add_events(log: Log, count: int) -> None:
    """Leaves of steps that visits took."""
    with log.safe.engine.begin() as conn:
        for number in range(count):
            ledger.append_event(conn, kind="visit_moved", subject=f"visit-{number}", at=NOW + timedelta(seconds=number))


def publish(log: Log) -> bool:
    """Sign, commit, put: what the counter does once a second. False when there was nothing new."""
    with log.safe.engine.begin() as conn:
        publication = log.publisher.prepare(conn)
    if publication is None:
        return False
    log.publisher.put(publication)
    return True


def build_witness(home: Path, log: Log, name: str, algorithm: Algorithm = Algorithm.COSIGNATURE_ED25519) -> Witness:
    Memory.create(home / f"{name}.state")
    return load_witness(home, log, name, algorithm)


def load_witness(home: Path, log: Log, name: str, algorithm: Algorithm = Algorithm.COSIGNATURE_ED25519) -> Witness:
    """The witness started again over what it remembers."""
    memory = Memory.load(home / f"{name}.state")
    return Witness(witness_key(name, algorithm), (log.publisher.key.verifier,), memory, lambda: NOW.timestamp())


def witness_key(name: str, algorithm: Algorithm = Algorithm.COSIGNATURE_ED25519) -> SignerKey:
    return SignerKey(f"witness.example/{name}", algorithm, name.encode().ljust(32, b"."))
