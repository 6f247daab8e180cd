"""How fast the safe is: sealing, seeking, verifying, the log, and what a contract costs. Figures, never assertions.

Ratios compare two things measured in turns in the same process, because absolute times wander on a shared machine.
"""

import hashlib
import math
import mmap
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.config import SigningSettings
from counter_server.records.agefile import AgeIdentity
from counter_server.records.agereader import AgeReader
from counter_server.records.durable import write_new
from counter_server.records.keys import RecordKeys
from counter_server.records.log.bench import measure_log
from counter_server.records.proving.sample import (
    NOW,
    SEGMENT_MS,
    SampleSafe,
    open_sample_safe,
    sample_draft,
    sample_keys,
    sample_visit_id,
    write_segments,
)
from counter_server.records.record import CONTRACT_ROOT, ObjectClass
from counter_server.records.seal import PlainObject, RecordDraft, SealedObject, seal_record
from counter_server.signing.authority import Act
from counter_server.signing.contract import ContractDesk, sign_by_hand, sign_by_staff
from counter_server.signing.document import DocumentValues, FormRow, RenderedDocument, render_document
from counter_server.signing.errors import SigningError
from counter_server.signing.fonts import load_fonts
from counter_server.signing.statement import SignerRole
from counter_server.signing.strokes import Strokes
from counter_server.signing.worker import open_desk
from webrtc.agewriter import CHUNK, TAG, AgeRecipient, SealingFile
from webrtc.sealed import SEALERS, SYNCERS, SegmentWriter
from webrtc.wire.visit import Point

SEGMENT_BYTES = 2 << 20  # the largest segment the media worker cuts
SEAL_ROUNDS, SEGMENTS = 20, 48  # 100 MB of recording a round, and fewer than the writer lets wait
BIG_FILE_BYTES = 1 << 30
READ_BYTES, READS = 4096, 400
VISIT_S, BITS_PER_S, SIDES = 20 * 60, 1_000_000, ("customer", "clerk")
COLD_RUNS = 5
CONTRACTS, CONTRACT_NUMBER = 300, "R-20261121-AAAAAAAA"


def bench_records(scratch: Path) -> dict[str, object]:
    """Every figure. Takes a minute or two, 1.4 GB of disk and 400 MB of memory."""
    safe = open_sample_safe(scratch / "home")
    return {
        **_contracts(scratch),
        **_sealing(scratch),
        **_random_reads(scratch),
        **measure_log(),
        **_verifying(safe, scratch),
    }


def _contracts(scratch: Path) -> dict[str, object]:
    """What it costs to have a contract signed by two, B-LTA with three time stamps from our own authority.

    From the bytes both sides saw to the file that goes into the record; setting the document in type stands apart.
    """
    try:
        fonts = load_fonts()
    except SigningError as error:
        return {"contract_cpu_ms": None, "contract_p99_ratio": None, "contract_why_null": str(error)}
    desk = open_desk(scratch / "keys", SigningSettings())
    values = _contract_values(CONTRACT_NUMBER)
    document = render_document("change-address", "zh", values, fonts)  # fonts are read at the first glyph
    setting = [_cpu_ms(lambda: render_document("change-address", "zh", values, fonts)) for _ in range(CONTRACTS // 10)]

    def make() -> None:
        _sign_by_two(desk, document, CONTRACT_NUMBER)

    make()  # keys of the clerk and of the clock are made
    spent = sorted(_cpu_ms(make) for _ in range(CONTRACTS))
    median, p99 = statistics.median(spent), spent[len(spent) * 99 // 100]
    return {
        "contract_cpu_ms": round(median, 1),
        "contract_p99_ratio": round(p99 / median, 2),
        "contract_max_cpu_ms": round(spent[-1], 1),
        "contracts": CONTRACTS,
        "document_cpu_ms": round(statistics.median(setting), 1),
    }


def _contract_values(record_id: str) -> DocumentValues:
    rows = (FormRow("address", "新地址", "上海市静安区南京西路 1 号"),)
    roles = (SignerRole.CUSTOMER, SignerRole.CLERK)
    return DocumentValues(record_id, "安娜·李", "E12345678", date(2026, 11, 21), rows, roles)


def _sign_by_two(desk: ContractDesk, document: RenderedDocument, record_id: str) -> bytes:
    now = datetime.now(UTC)
    customer, clerk = (
        Act(record_id, role, actor, name, document.sha256)
        for role, actor, name in (("customer", "holder", "安娜·李"), ("clerk", "clerk-7", "王芳"))
    )
    signed = sign_by_hand(desk, document.pdf, _sample_strokes(), customer, (SignerRole.CLERK,), now)
    return sign_by_staff(desk, signed, clerk, now)


def _sample_strokes() -> Strokes:
    """Four hundred samples at 200 Hz, as a slow signature on a good pad has."""
    line = [
        Point(x=0.1 + 0.002 * i, y=0.5 + 0.3 * math.sin(i / 17), t_ms=i * 5, pressure=0.3 + 0.001 * (i % 200))
        for i in range(400)
    ]
    return Strokes.of([line], 2.5)


def _sealing(scratch: Path) -> dict[str, object]:
    """Sealing a recording with the media worker's own writer, until every segment is durable, against SHA-256 alone.

    Short bursts in turns, and of each round's ratio the median. `seal_ratio_sha256` is speed, by the clock on the wall,
    and so at the mercy of a busy machine; `seal_cpu_ratio_sha256` is cost, in CPU time of all threads. Cost cannot come
    above `seal_cpu_ceiling`, measured beside it: the bare cipher and the bare hash that the manifest names, over the
    same bytes, without any of our code. Speed can, because segments are sealed on several cores at once, but not
    above `disk_ratio_sha256`: as many bytes written and synced by as many threads, neither encrypted nor hashed.
    """
    recipient = AgeRecipient.parse(sample_keys(0).recipient)
    clear = random.Random(1).randbytes(SEGMENT_BYTES)  # noqa: S311 - test content
    writer, buffer = SegmentWriter(), memoryview(bytearray(SealingFile.begin(clear, recipient).size))
    cipher, view, bare = ChaCha20Poly1305(bytes(32)), memoryview(clear), memoryview(bytearray(SEGMENT_BYTES + TAG))

    def hash_all(_: int) -> None:
        for _ in range(SEGMENTS):
            hashlib.sha256(clear).digest()

    def bare_all(_: int) -> None:
        for _ in range(SEGMENTS):
            for at in range(0, SEGMENT_BYTES, CHUNK):
                cipher.encrypt_into(bytes(12), view[at : at + CHUNK], None, bare[at : at + CHUNK + TAG])
            hashlib.sha256(bare[:SEGMENT_BYTES]).digest()

    def encrypt_all(_: int) -> None:
        for _ in range(SEGMENTS):
            SealingFile.begin(clear, recipient).write_into(buffer)

    def write_all(number: int) -> None:
        folder = scratch / f"written-{number}"
        folder.mkdir()
        with ThreadPoolExecutor(SYNCERS) as threads:
            list(threads.map(lambda at: _write_bare(folder / str(at), bytes_ready), range(SEGMENTS)))

    def seal_all(number: int) -> None:
        folder = scratch / f"recording-{number}"
        folder.mkdir()
        for segment in [writer.submit(folder, f"s-{at:04d}.mkv.age", recipient, clear) for at in range(SEGMENTS)]:
            segment.result()

    bytes_ready = mmap.mmap(-1, SEGMENT_BYTES)  # past the page cache only whole blocks of memory go
    bytes_ready[:] = clear
    works = {"hash": hash_all, "bare": bare_all, "encrypt": encrypt_all, "disk": write_all, "seal": seal_all}
    wall: dict[str, list[float]] = {name: [] for name in works}
    cpu: dict[str, list[float]] = {name: [] for name in works}
    for number in range(SEAL_ROUNDS):
        for name, work in works.items():
            began = time.perf_counter(), time.process_time()
            work(number)
            wall[name].append(time.perf_counter() - began[0])
            cpu[name].append(time.process_time() - began[1])
        for written in ("written", "recording"):
            shutil.rmtree(scratch / f"{written}-{number}")
    writer.close()
    megabytes, cores = SEGMENTS * SEGMENT_BYTES / 1e6, len(os.sched_getaffinity(0))
    cost, ceiling = _median_ratio(cpu["hash"], cpu["seal"]), _median_ratio(cpu["hash"], cpu["bare"])
    return {
        "seal_ratio_sha256": _median_ratio(wall["hash"], wall["seal"]),
        "seal_cpu_ratio_sha256": cost,
        "seal_cpu_ceiling": ceiling,
        "seal_ratio_if_cores_free": round(cost * min(cores, SEALERS), 3),  # computed: cost spread over the cores
        "encrypt_ratio_sha256": _median_ratio(wall["hash"], wall["encrypt"]),
        "disk_ratio_sha256": _median_ratio(wall["hash"], wall["disk"]),
        **{f"{name}_mb_per_s": round(megabytes / statistics.median(wall[name])) for name in ("seal", "encrypt")},
        "sha256_mb_per_s": round(megabytes / statistics.median(wall["hash"])),
        "load": round(os.getloadavg()[0], 1),
        "seal_note": (
            f"one core can reach {ceiling} of SHA-256 at most: age v1's cipher and the hash over what it made, bare. "
            f"More needs {cores} free cores and a disk quick enough (`disk_ratio_sha256`); the load is `load`."
        ),
    }


def _write_bare(path: Path, content: mmap.mmap) -> None:
    """As the media worker writes a segment: past the page cache where the file system can, then synced."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        handle = os.open(path, flags | os.O_DIRECT, 0o600)
    except OSError:  # a file system in memory
        handle = os.open(path, flags, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def _median_ratio(numerators: list[float], denominators: list[float]) -> float:
    """Of what was measured in the same round, so that a wave of others' work strikes both sides."""
    return round(statistics.median(one / other for one, other in zip(numerators, denominators, strict=True)), 3)


def _random_reads(scratch: Path) -> dict[str, object]:
    """4 KiB from anywhere in a sealed gigabyte, its header read once."""
    identity, path = AgeIdentity.of(bytes(32)), scratch / "big.age"
    clear = _mapped(scratch / "big", BIG_FILE_BYTES)
    for index in range(BIG_FILE_BYTES // READ_BYTES):
        clear[index * READ_BYTES : (index + 1) * READ_BYTES] = index.to_bytes(8, "big") * (READ_BYTES // 8)
    sealing = SealingFile.begin(clear, AgeRecipient.parse(identity.recipient()))
    sealing.write_into(_mapped(path, sealing.size))
    del clear, sealing
    (scratch / "big").unlink()
    rng, spent = random.Random(2), []  # noqa: S311 - places to read at
    with path.open("rb") as file:
        began = time.perf_counter()
        reader = AgeReader(identity, file)
        opening_ms = (time.perf_counter() - began) * 1000
        for _ in range(READS):
            block = rng.randrange(BIG_FILE_BYTES // READ_BYTES)
            began = time.perf_counter()
            found = reader.read_at(block * READ_BYTES, READ_BYTES)
            spent.append((time.perf_counter() - began) * 1000)
            if found != block.to_bytes(8, "big") * (READ_BYTES // 8):
                raise AssertionError("read the wrong bytes")
    path.unlink()
    return {
        "random_read_ms": round(statistics.median(spent), 3),
        "random_read_p99_ms": round(sorted(spent)[len(spent) * 99 // 100], 3),
        "random_open_ms": round(opening_ms, 3),
    }


def _verifying(safe: SampleSafe, scratch: Path) -> dict[str, object]:
    """A 20-minute visit recorded from both sides at 1 Mbit/s each: seal it, then check it without and with its key.

    As a stranger would, by the command in a process of its own, from the start of Python to its end: by the clock on
    the wall and in CPU time. With the key the contract's signatures are judged too, by us and by pyHanko.
    """
    keys, store = sample_keys(1), safe.home.store()
    folder = store.recording_folder(keys.record_id)
    count, size = VISIT_S * 1000 // SEGMENT_MS, BITS_PER_S // 8 * SEGMENT_MS // 1000
    tracks = tuple(write_segments(folder, keys, count, size, side) for side in SIDES)
    draft = _with_contract(sample_draft(safe, keys, sample_visit_id(1), tracks), safe, keys, scratch, tracks)
    began = time.perf_counter()
    sealed = seal_record(draft, keys, safe.sealing, store, NOW)
    sealing_s = time.perf_counter() - began
    key = scratch / "record.key"
    write_new(key, keys.identity.encode() + b"\n")
    words = (str(sealed.folder), "--trust", str(safe.home.trust_root))
    outside = [_cold("record", "verify", *words) for _ in range(COLD_RUNS)]
    inside = [_cold("record", "verify", *words, "--key", str(key)) for _ in range(COLD_RUNS)]
    figures = {
        f"{name}{unit}": round(statistics.median(run[at] for run in runs), 2)
        for name, runs in (("verify", outside), ("verify_content", inside))
        for at, unit in enumerate(("_s", "_cpu_s"))
    }
    return {
        **figures,
        "verify_contract_signatures": len(draft.signatures) if _holds_its_root(draft) else 0,
        "seal_visit_s": round(sealing_s, 2),
        "visit_mb": round(sealed.size / 1e6),
    }


def _with_contract(
    draft: RecordDraft,
    safe: SampleSafe,
    keys: RecordKeys,
    scratch: Path,
    tracks: tuple[tuple[SealedObject, ...], ...],
) -> RecordDraft:
    """The visit with a contract that both signed within; without the fonts, the visit as it is."""
    try:
        fonts = load_fonts()
    except SigningError:
        return draft
    desk = open_desk(scratch / "contract-keys", SigningSettings())
    document = render_document("change-address", "zh", _contract_values(keys.record_id), fonts)
    signed = _sign_by_two(desk, document, keys.record_id)
    draft = sample_draft(safe, keys, draft.visit_id, tracks, contract=document.pdf)
    objects = tuple(replace(one, content=signed) if one.content == document.pdf else one for one in draft.objects)
    root = desk.authority.root.public_bytes(Encoding.PEM)
    return replace(
        draft, objects=(*objects, PlainObject(CONTRACT_ROOT, ObjectClass.STATEMENT, "application/x-pem-file", root))
    )


def _holds_its_root(draft: RecordDraft) -> bool:
    return any(one.name == CONTRACT_ROOT for one in draft.objects)


def _cold(*words: str) -> tuple[float, float]:
    """Wall and CPU seconds of one of our commands in a new process; it must end well."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([sys.executable, "-m", "counter_server", *words], capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode != 0:
        raise AssertionError("the sealed visit is refused")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _mapped(path: Path, size: int) -> memoryview:
    """A new file of this size as memory, so that a gigabyte need not fit into it."""
    with path.open("xb+") as file:
        file.truncate(size)
        return memoryview(mmap.mmap(file.fileno(), size))


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000
