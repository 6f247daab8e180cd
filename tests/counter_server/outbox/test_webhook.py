"""Events: signed as others check them, to the address that was judged, and to nobody else."""

import hmac
import time
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from counter_server.errors import StoppedError
from counter_server.outbox.calling import Caller, trusting
from counter_server.outbox.errors import RefusedError, UndeliveredError
from counter_server.outbox.service import Parcel
from counter_server.outbox.webhook import WebhookCarrier, read_webhook_secret, sign_event
from tests.counter_server.outbox.receiver import HERE, HOST, SECRET, Certified, Receiver, certified, receiving, to_here


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("ca"))


def caller(receiver: Receiver, made: Certified, limit_s: float = 5.0) -> Caller:
    return Caller(receiver.url, trusting(made.ca_file), HERE, to_here, limit_s)


def test_the_signature_is_that_of_the_standard() -> None:
    # Standard Webhooks' own vector, as in svix-webhooks go/webhook_test.go
    signature = sign_event(
        read_webhook_secret(SECRET, "s"), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("spelling", ["whsec_", "whsec_%%%%", "whsec_" + b64encode(bytes(23)).decode(), "hunter2"])
def test_what_is_no_secret_stops_the_start(spelling: str) -> None:
    with pytest.raises(StoppedError):
        read_webhook_secret(spelling, "core.secret")


def test_an_event_arrives_and_its_receiver_can_check_it(made: Certified) -> None:
    with receiving(made) as receiver:
        carrier = WebhookCarrier(caller(receiver, made), read_webhook_secret(SECRET, "s"))
        carrier.carry(Parcel(7, "evt_1", '{"a": "京"}', 0))
        (told,) = receiver.told
    at_s = told.headers["webhook-timestamp"]
    assert abs(int(at_s) - time.time()) < 5
    signed = b"evt_1." + at_s.encode() + b"." + told.body
    mac = hmac.digest(b64decode(SECRET.removeprefix("whsec_")), signed, "sha256")
    assert told.headers["webhook-signature"] == "v1," + b64encode(mac).decode()
    assert (told.path, told.headers["host"], told.body.decode()) == (
        "/events",
        f"{HOST}:{receiver.port}",
        '{"a": "京"}',
    )
    assert told.headers["webhook-sequence"] == "7"


@pytest.mark.parametrize(("status", "trouble"), [(500, "status_500"), (302, "status_302"), (404, "status_404")])
def test_only_2xx_is_taken(made: Certified, status: int, trouble: str) -> None:
    with receiving(made) as receiver:
        receiver.answers = [status]
        receiver.answer_headers = {"Location": f"https://{HOST}:{receiver.port}/elsewhere"}
        with pytest.raises(UndeliveredError) as refused:
            caller(receiver, made).post({}, b"x")
        assert refused.value.trouble == trouble
        assert [told.path for told in receiver.told] == ["/events"]  # a redirection leads nowhere


def test_gone_is_final(made: Certified) -> None:
    with receiving(made) as receiver:
        receiver.answers = [410]
        with pytest.raises(RefusedError):
            caller(receiver, made).post({}, b"x")


def test_a_certificate_of_another_name_or_authority_is_told_nothing(made: Certified, tmp_path: Path) -> None:
    other_name, other_ca = certified(tmp_path / "name", "other.test"), certified(tmp_path / "ca")
    for server, trusted in ((other_name, other_name), (made, other_ca)):
        with receiving(server) as receiver:
            with pytest.raises(UndeliveredError) as refused:
                caller(receiver, trusted).post({}, b"secret")
            assert refused.value.trouble == "certificate"
            assert receiver.told == []


def test_a_receiver_that_drips_is_cut_off(made: Certified) -> None:
    with receiving(made) as receiver:
        receiver.drip_s = 0.02
        began = time.monotonic()
        with pytest.raises(UndeliveredError) as refused:
            caller(receiver, made, limit_s=0.5).post({}, b"x")
        assert refused.value.trouble == "too_slow"
        assert time.monotonic() - began < 3


def test_a_name_is_looked_up_once_and_the_judged_address_is_called(made: Certified) -> None:
    answers = [("127.0.0.1",), ("192.0.2.1",)]
    with receiving(made) as receiver:
        Caller(receiver.url, trusting(made.ca_file), HERE, lambda _h, _p: answers.pop(0)).post({}, b"x")
        assert len(receiver.told) == 1
    assert answers == [("192.0.2.1",)]


def test_no_proxy_of_the_environment_is_asked(made: Certified, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with receiving(made) as receiver:
        caller(receiver, made).post({}, b"x")
        assert len(receiver.told) == 1
