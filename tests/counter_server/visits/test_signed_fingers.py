"""A finger that a scanner signed is believed for the picture, finger and moment it was signed for, and nothing else.

The device is the tests' own (SBI 0.9.5); statements are made by it and checked by the counter, past any desk.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.errors import CounterError, StoppedError
from counter_server.identification.fingers import FingerDesk
from counter_server.identification.signed_finger import load_scanner_makers
from counter_server.visits import fingers, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from hardware_drivers.fingerprint.sbi_statement import SUBTYPES
from hardware_drivers.fingerprint.scanner import FingerPosition, GreyImage
from hardware_drivers.fingerprint.synthetic_impression import empty_glass
from tests.counter_server.builders import office_in
from tests.counter_server.fingers import HOLDERS, STRANGERS, at_finger, enrolled, given, picture
from tests.hardware_drivers.fingerprint.rigs import known_maker
from tests.hardware_drivers.fingerprint.sbi_device import SERIAL, Maker, SbiDevice
from webrtc.wire.check import CheckOutcome, Verdict
from webrtc.wire.finger import FingerEvidenceMessage, PadVerdict
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import VisitState

DESK = FingerDesk()


@pytest.fixture(autouse=True, scope="module")
def the_desk() -> Iterator[None]:
    """One finger process for all of them."""
    yield
    asyncio.run(DESK.stop())


@contextlib.asynccontextmanager
async def signed_office(home: Path) -> AsyncIterator[Office]:
    """An office that knows who vouches for scanners, where the holder has registered a finger before it did."""
    async with office_in(home) as office:
        office.fingers = DESK
        await enrolled(office)
        (home / "scanners.pem").write_bytes(known_maker().root.public_bytes(Encoding.PEM))
        office.scanner_makers = load_scanner_makers(office.settings.scanner_trust)
        yield office


def signed(
    pixels: GreyImage,
    transaction: str,
    *,
    maker: Maker | None = None,
    position: FingerPosition = FingerPosition.RIGHT_INDEX,
    beside: GreyImage | None = None,
    said: PadVerdict = PadVerdict.NOT_JUDGED,
    device: SbiDevice | None = None,
) -> FingerEvidenceMessage:
    """As a desk hands on what its device signed; `beside` is the picture the desk itself puts next to it."""
    bio = {"bioSubType": [SUBTYPES[position]], "requestedScore": "40"}
    answer = (device or SbiDevice(maker or known_maker())).taken({"bio": [bio], "transactionId": transaction}, pixels)
    statement = answer["biometrics"][0]["data"]  # type: ignore[index]
    message = given(pixels if beside is None else beside, said=said)
    return message.model_copy(update={"device_statement": statement.encode()})


async def asked(office: Office, visit: Visit) -> str:
    """The transaction that the page is told."""
    view = (await office.db.run(store.load, visit.visit_id)).finger
    assert view is not None
    return view.transaction


async def refused(office: Office, visit: Visit, message: FingerEvidenceMessage) -> Visit:
    """The counter does not believe this one, says so, and counts no try."""
    with pytest.raises(CounterError) as raised:
        await fingers.take_impression(office, visit.visit_id, message)
    assert raised.value.code is ErrorCode.NO_SCANNER
    after = await office.db.run(store.load, visit.visit_id)
    assert after.finger is not None
    assert (after.state, after.finger.attempts_left) == (VisitState.FINGER, 3)
    check = next(one for one in after.checks if one.name == "finger_device")
    assert (check.outcome, check.clause) == (CheckOutcome.FAILED, "IEEE 3167; RFC 7515")
    return after


async def test_what_the_device_signed_is_judged_and_not_what_the_desk_puts_beside_it(tmp_path: Path) -> None:
    async with signed_office(tmp_path) as office:
        visit = await at_finger(office)
        message = signed(picture(HOLDERS, 9), await asked(office, visit), beside=picture(STRANGERS, 1))
        await fingers.take_impression(office, visit.visit_id, message)
        passed = await office.db.run(store.load, visit.visit_id)
        assert passed.finger is not None
        assert (passed.state, passed.finger.verdict) == (VisitState.FORM, Verdict.ACCEPT)
        device = next(one for one in passed.checks if one.name == "finger_device")
        assert (device.outcome, device.why) == (
            CheckOutcome.PASSED,
            f"signed for this capture by Test One {SERIAL}",
        )
        other = await at_finger(office)
        forged = signed(picture(STRANGERS, 2), await asked(office, other), beside=picture(HOLDERS, 9))
        await fingers.take_impression(office, other.visit_id, forged)
        tried = await office.db.run(store.load, other.visit_id)
        assert tried.finger is not None
        assert (tried.state, tried.finger.attempts_left) == (VisitState.FINGER, 2)


async def test_no_lie_of_a_desk_is_believed(tmp_path: Path) -> None:
    async with signed_office(tmp_path) as office:
        visit = await at_finger(office)
        transaction, holder = await asked(office, visit), picture(HOLDERS, 9)
        await refused(office, visit, given(holder))  # the signature left out
        await refused(office, visit, given(holder).model_copy(update={"device_statement": b"\xff.\xfe."}))
        await refused(office, visit, signed(holder, transaction, maker=Maker("stranger")))
        await refused(office, visit, signed(holder, "0" * 32))
        await refused(office, visit, signed(holder, ""))
        await refused(office, visit, signed(holder, transaction, position=FingerPosition.LEFT_THUMB))
        assert await office.db.run(store.count_journal, visit.visit_id, "finger_not_believed") == 6


async def test_a_signature_is_good_for_one_picture(tmp_path: Path) -> None:
    async with signed_office(tmp_path) as office:
        visit = await at_finger(office)
        first = await asked(office, visit)
        nothing = signed(empty_glass(), first)
        await fingers.take_impression(office, visit.visit_id, nothing)
        second = await asked(office, visit)
        assert len(first) == len(second) == 32
        assert first != second
        await refused(office, visit, nothing)
        elsewhere = await at_finger(office)
        await refused(office, elsewhere, signed(picture(HOLDERS, 9), second))


async def test_a_device_does_not_pass_for_another_by_its_signed_identity(tmp_path: Path) -> None:
    """Both are vouched for; the second once signed as itself, then puts the first one's identity beside its picture."""
    async with signed_office(tmp_path) as office:
        first, second = SbiDevice(known_maker()), SbiDevice(known_maker().another_device(), serial="210987654321")
        visit, holder = await at_finger(office), picture(HOLDERS, 9)
        await fingers.take_impression(
            office, visit.visit_id, signed(picture(STRANGERS, 2), await asked(office, visit), device=second)
        )
        seen = await office.db.run(store.load, visit.visit_id)
        assert seen.finger is not None
        assert seen.finger.attempts_left == 2  # believed and compared: the second device is as good as any
        visit = await at_finger(office)
        second.answered["digitalId"] = first.digital_id()
        after = await refused(office, visit, signed(holder, await asked(office, visit), device=second))
        assert "key of another device" in next(one for one in after.checks if one.name == "finger_device").why
        third = SbiDevice(known_maker().another_device())
        third.answered["digitalId"] = SbiDevice(second.maker, serial=second.serial).digital_id()
        await refused(office, visit, signed(holder, await asked(office, visit), device=third))  # its key is new here


async def test_a_stolen_identity_is_known_for_one_as_soon_as_its_device_was_here(tmp_path: Path) -> None:
    """Whoever comes before the device whose identity they stole is believed only until it comes."""
    async with signed_office(tmp_path) as office:
        robbed, thief = SbiDevice(known_maker()), SbiDevice(known_maker().another_device())
        thief.answered["digitalId"] = robbed.digital_id()
        for device in (thief, robbed):
            visit = await at_finger(office)
            message = signed(picture(STRANGERS, 2), await asked(office, visit), device=device)
            await fingers.take_impression(office, visit.visit_id, message)
        visit = await at_finger(office)
        await refused(office, visit, signed(picture(HOLDERS, 9), await asked(office, visit), device=thief))


async def test_a_device_whose_trust_module_says_who_it_is_may_change_its_own_key(tmp_path: Path) -> None:
    """SBI's level L1: identity and pictures are signed by two keys, and the second is renewed every month."""
    async with signed_office(tmp_path) as office:
        module = SbiDevice(known_maker().another_device(), serial="L1")
        for _ in range(2):
            device = SbiDevice(known_maker().another_device(), serial="L1")
            device.answered["digitalId"] = module.digital_id()
            visit = await at_finger(office)
            message = signed(picture(STRANGERS, 2), await asked(office, visit), device=device)
            await fingers.take_impression(office, visit.visit_id, message)
            seen = await office.db.run(store.load, visit.visit_id)
            assert seen.finger is not None
            assert seen.finger.attempts_left == 2


async def test_the_sensors_word_is_recorded_with_whose_word_it_is(tmp_path: Path) -> None:
    async with signed_office(tmp_path) as office:
        visit = await at_finger(office)
        message = signed(picture(HOLDERS, 9), await asked(office, visit), said=PadVerdict.LIVE)
        await fingers.take_impression(office, visit.visit_id, message)
        passed = await office.db.run(store.load, visit.visit_id)
        said = next(one for one in passed.checks if one.name == "finger_sensor")
        assert said.why == "the sensor says skin (a sensor of the test's), by the desk's word"


def test_a_file_of_makers_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    assert load_scanner_makers(tmp_path / "absent") == ()
    (tmp_path / "scanners.pem").write_text("nobody", encoding="ascii")
    with pytest.raises(StoppedError, match=r"scanners\.pem"):
        load_scanner_makers(tmp_path / "scanners.pem")
