import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import (
    CardMuteError,
    CardRemovedError,
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    TamperedAnswerError,
)
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.smartcard import relay
from hardware_drivers.smartcard.channel import SHORT_LIMITS
from hardware_drivers.smartcard.relay import (
    BATCH_MAX,
    Answers,
    Bye,
    DuplexClosedError,
    Hello,
    RelayLink,
    Run,
    Wait,
    cut,
    parse_from_phone,
    receive_hello,
)
from tests.hardware_drivers.cards import CHALLENGE, link_to, make_card, make_chip, seeded

TOKEN = "A" * 22
HELLO = Hello(token=TOKEN, atr=b"\x3b\x80\x80\x01\x01", max_len=65_000)
ASK = b"\x00\x84\x00\x00\x08"
OK = b"\x90\x00"


class Pipe:
    """Both ends of a duplex in one process."""

    def __init__(self) -> None:
        self.to_phone: asyncio.Queue[str | None] = asyncio.Queue()
        self.to_counter: asyncio.Queue[str | None] = asyncio.Queue()

    async def send(self, text: str) -> None:
        await self.to_phone.put(text)

    async def receive(self) -> str:
        frame = await self.to_counter.get()
        if frame is None:
            raise DuplexClosedError
        return frame


@asynccontextmanager
async def phone(say: Callable[[Run], list[str | None]]) -> AsyncIterator[Pipe]:
    """A phone that answers each run by what `say` tells; None hangs up."""
    pipe = Pipe()

    async def live() -> None:
        while (text := await pipe.to_phone.get()) is not None:
            frame = json.loads(text)
            if frame["type"] == "run":
                for said in say(Run.model_validate_json(text)):
                    await pipe.to_counter.put(said)

    living = asyncio.create_task(live())
    yield pipe
    await pipe.to_phone.put(None)
    await living


def answering(*answers: bytes) -> Callable[[Run], list[str | None]]:
    return lambda run: [Answers(seq=run.seq, answers=list(answers)).model_dump_json()]


async def ask(say: Callable[[Run], list[str | None]], commands: list[bytes], **times: float) -> list[bytes]:
    async with phone(say) as pipe:
        link = RelayLink(pipe, HELLO, asyncio.get_running_loop(), **times)
        return await asyncio.to_thread(link.transmit_many, commands)


@pytest.mark.parametrize("max_len", [65_000, 261])
async def test_a_whole_card_is_read_over_a_phone(max_len: int) -> None:
    card = make_card()
    direct = link_to(make_chip(card))

    def run_on_card(run: Run) -> list[str | None]:
        return [Answers(seq=run.seq, answers=direct.transmit_many(run.apdus)).model_dump_json()]

    async with phone(run_on_card) as pipe:
        hello = HELLO.model_copy(update={"atr": direct.atr, "max_len": max_len})
        link = RelayLink(pipe, hello, asyncio.get_running_loop())
        assert (link.limits == SHORT_LIMITS) is (max_len == 261)
        evidence = await asyncio.to_thread(read_chip, link, card.key, CHALLENGE, seeded(), lambda _: None)
        await asyncio.to_thread(link.close)
    assert evidence.data_groups[2] == card.files[0x0102]


async def test_a_batch_is_one_journey_and_ends_at_the_first_error() -> None:
    runs: list[Run] = []

    def say(run: Run) -> list[str | None]:
        runs.append(run)
        return answering(OK, b"\x69\x82")(run)

    assert await ask(say, [ASK] * 5) == [OK, b"\x69\x82"]
    assert len(runs) == 1
    assert runs[0].apdus == [ASK] * 5


@pytest.mark.parametrize(
    "answers",
    [(OK,), (OK, OK, OK), (b"\x69\x82", OK), (b"\x69\x82", b"\x69\x82")],
    ids=["too few", "too many", "went on after an error", "both"],
)
async def test_answers_that_do_not_fit_the_batch_end_the_session(answers: tuple[bytes, ...]) -> None:
    async with phone(answering(*answers)) as pipe:
        link = RelayLink(pipe, HELLO, asyncio.get_running_loop())
        for _ in range(2):
            with pytest.raises(TamperedAnswerError):
                await asyncio.to_thread(link.transmit_many, [ASK, ASK])


@pytest.mark.parametrize(
    "said",
    [
        "",
        "null",
        "{}",
        '{"type":"result","seq":1,"answers":[]}',
        '{"type":"result","seq":2,"answers":["kAA="]}',
        '{"type":"result","seq":1,"answers":["kA=="]}',
        '{"type":"result","seq":1,"answers":["k A A="]}',
        '{"type":"result","seq":1,"answers":["kAA="],"more":1}',
        '{"type":"hello"}',
        HELLO.model_dump_json(),
        json.dumps({"type": "result", "seq": 1, "answers": [base64.b64encode(bytes(70_000)).decode()]}),
        '{"type":"result","seq":1,"answers":["' + "A" * relay.MESSAGE_MAX + '"]}',
        "[" * 100_000,
    ],
)
async def test_frames_out_of_protocol_end_the_session(said: str) -> None:
    with pytest.raises(TamperedAnswerError):
        await ask(lambda _: [said], [ASK])


@pytest.mark.parametrize(("why", "error"), [("removed", CardRemovedError), ("mute", CardMuteError)])
async def test_bye_says_what_happened(why: str, error: type[DeviceError]) -> None:
    with pytest.raises(error):
        await ask(lambda _: [json.dumps({"type": "bye", "why": why})], [ASK])


async def test_a_phone_that_hangs_up_is_gone() -> None:
    with pytest.raises(DeviceGoneError):
        await ask(lambda _: [None], [ASK])


async def test_a_silent_phone_ends_within_its_time() -> None:
    with pytest.raises(CardMuteError):
        await ask(lambda _: [], [ASK], command_timeout_s=0.2)


async def test_a_card_that_works_on_is_waited_for_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH_TIMEOUT_S", 1.0)
    async with phone(lambda _: []) as pipe:
        link = RelayLink(pipe, HELLO, asyncio.get_running_loop(), command_timeout_s=0.3)
        asking = asyncio.create_task(asyncio.to_thread(link.transmit_many, [ASK]))
        for _ in range(3):  # longer in all than the phone may be silent
            await asyncio.sleep(0.2)
            await pipe.to_counter.put(Wait(seq=1).model_dump_json())
        await pipe.to_counter.put(Answers(seq=1, answers=[OK]).model_dump_json())
        assert await asking == [OK]
        asking = asyncio.create_task(asyncio.to_thread(link.transmit_many, [ASK]))
        while not asking.done():
            await asyncio.sleep(0.1)
            await pipe.to_counter.put(Wait(seq=2).model_dump_json())
        with pytest.raises(CardMuteError):
            await asking


async def test_a_session_ends_after_its_time() -> None:
    with pytest.raises(DeviceTimeoutError):
        await ask(answering(OK), [ASK], card_timeout_s=0.0)


async def test_a_hello_must_come_first() -> None:
    pipe = Pipe()
    await pipe.to_counter.put(Wait(seq=1).model_dump_json())
    with pytest.raises(TamperedAnswerError):
        await receive_hello(pipe)
    await pipe.to_counter.put(HELLO.model_dump_json())
    assert await receive_hello(pipe) == HELLO


@pytest.mark.parametrize("token", ["", "A" * 21, "A" * 23, "A" * 21 + "=", "A" * 21 + "\n"])
def test_a_token_has_22_characters(token: str) -> None:
    with pytest.raises(TamperedAnswerError):
        parse_from_phone(json.dumps({"type": "hello", "version": 1, "token": token, "atr": "O4A=", "max_len": 261}))


def test_batches_keep_within_the_caps() -> None:
    read = bytes.fromhex("00B000000000 00".replace(" ", ""))  # extended: asks for 65 536 bytes
    assert [len(batch) for batch in cut([ASK] * (BATCH_MAX + 1))] == [BATCH_MAX, 1]
    assert [len(batch) for batch in cut([read] * 8)] == [7, 1]
    assert cut([]) == []


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_whatever_a_phone_sends_is_a_frame_or_refused(said: object) -> None:
    text = said if isinstance(said, str) else json.dumps(said)
    try:
        frame = parse_from_phone(text)
    except TamperedAnswerError:
        return
    assert isinstance(frame, Hello | Answers | Wait | Bye)


async def test_a_stopped_loop_does_not_hang_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH_TIMEOUT_S", -4.5)
    stuck = asyncio.new_event_loop()  # never run: what is asked of it is never done
    link = RelayLink(Pipe(), HELLO, stuck)
    outcome: list[str] = []

    def use() -> None:
        try:
            link.transmit_many([ASK])
        except DeviceGoneError as error:
            outcome.append(str(error))

    using = threading.Thread(target=use)
    using.start()
    await asyncio.to_thread(using.join, 5)
    stuck.close()
    assert outcome
