"""Signing beside the loop: within its time, or not at all."""

import asyncio
import time
from pathlib import Path

import pytest
from cryptography import x509

from counter_server.config import KeyHolder, SigningSettings
from counter_server.records.verify_contract import check_contract
from counter_server.signing.authority import ROOT_FILE
from counter_server.signing.errors import SignerGoneError, SigningLateError
from counter_server.signing.pool import SigningPool
from counter_server.signing.statement import SignerRole
from counter_server.signing.strokes import Strokes
from counter_server.signing.worker import ByHand, ByStaff
from tests.counter_server.signing.builders import wave
from tests.counter_server.signing.contracts import CLERK, EXPECTED, HOLDER, RECORD, document
from tests.counter_server.signing.services import served


def by_hand() -> ByHand:
    return ByHand(document().pdf, Strokes.of([wave()], 2.5), HOLDER, (SignerRole.CLERK,))


async def test_both_sign_in_other_processes_and_the_loop_runs_on(tmp_path: Path) -> None:
    pool = SigningPool(tmp_path, SigningSettings())
    longest_s, over = 0.0, asyncio.Event()

    async def tick() -> None:
        nonlocal longest_s
        while not over.is_set():
            began = time.monotonic()
            await asyncio.sleep(0.005)
            longest_s = max(longest_s, time.monotonic() - began)

    ticking = asyncio.create_task(tick())
    try:
        hands = await asyncio.gather(*(pool.sign(by_hand()) for _ in range(4)))
        closed = await pool.sign(ByStaff(hands[0], CLERK))
    finally:
        over.set()
        await ticking
        pool.close()
    root = x509.load_pem_x509_certificate((tmp_path / ROOT_FILE).read_bytes())
    assert len(check_contract(closed, document().sha256, root, EXPECTED, RECORD)) == 2
    assert longest_s < 1.0  # the first import alone takes longer


async def test_an_authority_that_never_answers_costs_its_time_and_no_more(tmp_path: Path) -> None:
    def hang(*_: object) -> tuple[int, bytes]:
        time.sleep(3)
        return 200, b""

    warm = SigningPool(tmp_path, SigningSettings())
    await warm.sign(by_hand())  # imports are done
    warm.close()
    with served(hang) as url:
        pool = SigningPool(tmp_path, SigningSettings(time_stamp_url=url), processes=1, limit_s=1.0)
        began = time.monotonic()
        with pytest.raises(SigningLateError):
            await pool.sign(by_hand())
        assert time.monotonic() - began < 2.5
        pool.close()


async def test_what_refuses_is_named_and_the_next_order_finds_a_fresh_process(tmp_path: Path) -> None:
    def refuse(*_: object) -> tuple[int, bytes]:
        return 503, b"closed"

    with served(refuse) as url:
        pool = SigningPool(tmp_path, SigningSettings(time_stamp_url=url), processes=1)
        for _ in range(2):
            with pytest.raises(SignerGoneError, match="time stamp authority"):
                await pool.sign(by_hand())
        pool.close()
    unset = SigningPool(tmp_path, SigningSettings(keys=KeyHolder.PKCS11))
    with pytest.raises(SignerGoneError, match="pkcs11_module is missing"):
        await unset.sign(by_hand())
    unset.close()
