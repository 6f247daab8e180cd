"""Making a court's container out of a sealed record: list, sign with a time stamp, write, seal the whole, check."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from counter_server.records.authority import SealingIdentity
from counter_server.records.court.container import (
    BLOCK,
    KIND,
    MANIFEST,
    MIMETYPE,
    SIGNATURE,
    CourtFile,
    check_court,
    court_manifest,
    directory,
    local_header,
    measure_bytes,
    measure_file,
    seal_path,
    whole_digest,
)
from counter_server.records.durable import PUBLIC_FILE, sync_folder, write_new
from counter_server.records.errors import RecordFormatError, StoreError
from counter_server.signing.cms_writer import sign_message
from counter_server.signing.signers import hash_name
from counter_server.signing.time_authority import TimeStamper


@dataclass(frozen=True, slots=True)
class CourtExport:
    """What was written."""

    files: int
    size: int
    sha256: str
    stamped_at: str


def export_court(
    record: Path, proof: bytes | None, sealing: SealingIdentity, clock: TimeStamper, trust_pem: bytes, out: Path
) -> CourtExport:
    """Write a record and, where there is one, its proof from the log; checked before it is answered for.

    Raises:
        StoreError: The file exists, is too large, or the disk refused.
        RecordFormatError: What was written does not hold under `trust_pem`.
        TimeStampError: Nobody said what time it is.
    """
    if seal_path(out).exists():
        raise StoreError(f"{seal_path(out).name} exists")
    paths = sorted(path for path in record.rglob("*") if path.is_file())
    files = [measure_file(str(path.relative_to(record)), path) for path in paths]
    small: dict[str, bytes] = {MIMETYPE: KIND}
    if proof is not None:
        small["log.tlog-proof"] = proof
        files.append(measure_bytes("log.tlog-proof", proof))
    listed = court_manifest(files)
    key = sealing.signer
    small[MANIFEST] = listed
    small[SIGNATURE] = sign_message(
        hashlib.new(hash_name(key.public_key), listed).digest(),
        key,
        sealing.certificate,
        (),
        stamp_time=lambda signature: clock.stamp(hashlib.sha256(signature).digest()),
    )
    first, *last = (measure_bytes(name, small[name]) for name in (MIMETYPE, MANIFEST, SIGNATURE))
    whole = [first, *files, *last]
    end = directory(whole)
    _write(out, whole, small, record, end)
    write_new(seal_path(out), key.sign_digest(whole_digest(out)), PUBLIC_FILE)
    sync_folder(out.absolute().parent)
    found = check_court(out, trust_pem)
    if found.broken is not None or found.stamped_at is None:
        out.unlink()
        seal_path(out).unlink()
        raise RecordFormatError(f"not exported: {found.broken}")
    return CourtExport(len(files), out.stat().st_size, measure_file(out.name, out).sha256.hex(), found.stamped_at)


def _write(out: Path, whole: list[CourtFile], small: dict[str, bytes], record: Path, end: bytes) -> None:
    try:
        write_new(out, b"", PUBLIC_FILE)
        with out.open("wb") as container:
            for file in whole:
                container.write(local_header(file))
                if file.name in small:
                    container.write(small[file.name])
                    continue
                with (record / file.name).open("rb") as source:
                    while block := source.read(BLOCK):
                        container.write(block)
            container.write(end)
            container.flush()
            os.fsync(container.fileno())
    except OSError as error:
        raise StoreError(f"{out.name}: {error.strerror}") from error
