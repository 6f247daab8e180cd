"""Memos by mail (a real SMTP server with STARTTLS) and by short message (a real HTTPS server)."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from counter_server.outbox.calling import Caller, trusting
from counter_server.outbox.errors import OutboxError, RefusedError, UndeliveredError
from counter_server.outbox.memos import MailCarrier, SmsCarrier
from counter_server.outbox.messages import memo_for
from counter_server.outbox.service import Parcel
from counter_server.outbox.subscribers import MailSettings, SmsSettings
from tests.counter_server.outbox.builders import occasion
from tests.counter_server.outbox.receiver import HERE, HOST, Certified, certified, receiving, to_here
from tests.journeys.programs import free_port


class Mailbox:
    """What the mail server was given, and how it answers."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.answer = "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert session.ssl is not None  # nothing is said before TLS
        self.taken.append(envelope)
        return self.answer


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail_port(made: Certified, mailbox: Mailbox) -> Iterator[int]:
    server = Controller(
        mailbox, hostname="127.0.0.1", port=free_port(), tls_context=made.context(), require_starttls=True
    )
    server.start()
    yield server.port
    server.stop()


def parcel(to_field: str = "email", language: str = "zh", **values: str) -> Parcel:
    told = occasion(**values)
    if language == "en":
        told = replace(told, language="en", service_title="Change my contact address")
    body = memo_for(to_field, told)
    assert body is not None
    return Parcel(1, told.event_id, body, 0)


def mail(port: int, made: Certified) -> MailCarrier:
    settings = MailSettings(host=HOST, port=port, sender="counter@bank.test")
    return MailCarrier(settings, trusting(made.ca_file), "", HERE, to_here)


@pytest.mark.parametrize(("language", "subject"), [("zh", "您的业务已办理"), ("en", "Your request is done")])
def test_a_memo_says_how_to_check_and_nothing_personal(
    mail_port: int, made: Certified, mailbox: Mailbox, language: str, subject: str
) -> None:
    mail(mail_port, made).carry(parcel(language=language, email="wei@customer.test"))
    (envelope,) = mailbox.taken
    assert envelope.rcpt_tos == ["wei@customer.test"]
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.default)
    text = message.get_content()
    assert message["Subject"] == subject
    assert message["Message-ID"] == f"<{occasion().event_id}@bank.test>"
    for needed in ("R-20261121-00000001", "7K3M9Q2X", "https://counter.test/check?record="):
        assert needed in text
    for personal in ("ZHANG", "金融大街", "100033"):
        assert personal not in text


def test_a_server_with_another_name_gets_nothing(mail_port: int, tmp_path: Path, mailbox: Mailbox) -> None:
    with pytest.raises(UndeliveredError) as refused:
        mail(mail_port, certified(tmp_path)).carry(parcel(email="wei@customer.test"))
    assert refused.value.trouble == "certificate"
    assert mailbox.taken == []


def test_a_server_without_tls_gets_nothing(made: Certified, mailbox: Mailbox) -> None:
    plain = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    plain.start()
    try:
        with pytest.raises(UndeliveredError):
            mail(plain.port, made).carry(parcel(email="wei@customer.test"))
    finally:
        plain.stop()
    assert mailbox.taken == []


@pytest.mark.parametrize("address", ["a@b.test\r\nBcc: all@bank.test", "a@b.test, c@d.test", "nobody", "<>", "@"])
def test_what_is_not_one_address_is_refused(mail_port: int, made: Certified, mailbox: Mailbox, address: str) -> None:
    with pytest.raises(RefusedError) as refused:
        mail(mail_port, made).carry(parcel(email=address))
    assert refused.value.trouble == "no_address"
    assert mailbox.taken == []


@pytest.mark.parametrize("answer", ["451 later", "552 full"])
def test_a_mail_that_is_not_taken_is_tried_again(
    mail_port: int, made: Certified, mailbox: Mailbox, answer: str
) -> None:
    mailbox.answer = answer
    with pytest.raises(UndeliveredError) as refused:
        mail(mail_port, made).carry(parcel(email="wei@customer.test"))
    assert refused.value.trouble == f"smtp_{answer[:3]}"


def sms(url: str, made: Certified, **changed: str) -> SmsCarrier:
    settings = SmsSettings(url=url, body='{"to": "$to", "text": "$text", "id": "$id"}').model_copy(update=changed)
    return SmsCarrier(settings, Caller(url, trusting(made.ca_file), HERE, to_here), "token-1")


def test_a_short_message_is_filled_into_the_providers_form(made: Certified) -> None:
    with receiving(made) as provider:
        sms(provider.url, made).carry(parcel("phone", phone='+86 138-0013"8000'))
        (told,) = provider.told
    said = json.loads(told.body)
    assert said["to"] == "+8613800138000"
    assert "7K3M9Q2X" in said["text"]
    assert said["id"] == told.headers["idempotency-key"] == occasion().event_id
    assert told.headers["authorization"] == "Bearer token-1"


def test_a_form_is_escaped_as_a_form(made: Certified) -> None:
    with receiving(made) as provider:
        form = {"content_type": "application/x-www-form-urlencoded", "body": "to=$to&msg=$text"}
        sms(provider.url, made, **form).carry(parcel("phone", phone="+8613800138000"))
        (told,) = provider.told
    assert told.body.startswith(b"to=%2B8613800138000&msg=")
    assert told.body.count(b"&") == 1  # the link's own & is not the form's


@pytest.mark.parametrize("number", ["", "abc", "12"])
def test_nobody_is_called_without_a_number(made: Certified, number: str) -> None:
    body = json.dumps({"to": number, "subject": "", "text": "x"})
    with pytest.raises(OutboxError):
        sms("https://core.test:9/", made).carry(Parcel(1, "evt", body, 0))


def test_no_memo_where_nothing_was_done_or_nobody_said_where_to() -> None:
    assert memo_for("email", occasion()) is None
    assert memo_for("email", occasion(email="  ")) is None


def test_contexts_verify() -> None:
    context = trusting(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
