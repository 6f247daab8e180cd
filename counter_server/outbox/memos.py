"""Memos to customers: by mail over SMTP, by short message through a provider's HTTP door."""

import json
import re
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate
from string import Template
from urllib.parse import quote_plus

from counter_server.outbox.calling import TIME_LIMIT_S, Caller
from counter_server.outbox.errors import RefusedError, UndeliveredError
from counter_server.outbox.pinning import Resolver, look_up, pin
from counter_server.outbox.service import Parcel
from counter_server.outbox.subscribers import MailSettings, Network, SmsSettings

ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]]{1,64}@[^\s@<>(),;:\\\"\[\]]{1,255}")  # RFC 5321 §4.5.3.1, no quoting


@dataclass(frozen=True, slots=True)
class _Memo:
    to: str
    subject: str
    text: str

    @classmethod
    def of(cls, parcel: Parcel) -> "_Memo":
        return cls(**json.loads(parcel.body))


class _PinnedMail(smtplib.SMTP):
    """SMTP to an address, whose certificate must bear the name."""

    def __init__(self, name: str, address: str, port: int, limit_s: float) -> None:
        super().__init__(timeout=limit_s)
        self.connect(address, port)
        self._host = name  # what `starttls` asks the certificate for


@dataclass(frozen=True, slots=True)
class MailCarrier:
    """Hands memos to one mail server, never without TLS."""

    settings: MailSettings
    context: ssl.SSLContext
    password: str = ""
    networks: Sequence[Network] = ()
    resolve: Resolver = look_up

    def carry(self, parcel: Parcel) -> None:
        """One memo; the same event has the same Message-ID, so that mailboxes can tell a repetition.

        Raises:
            UndeliveredError: the server was not reached, is not who it says, or would not take it now.
            RefusedError: the server will never take this one (5xx), or the address is none.
        """
        memo = _Memo.of(parcel)
        try:
            message = self._written(memo, parcel.event_id)
        except (MessageError, ValueError) as error:
            raise RefusedError("no_address") from error  # a line break in an address is somebody's second header
        address = pin(self.settings.host, self.settings.port, self.networks, self.resolve)
        try:
            with _PinnedMail(self.settings.host, address, self.settings.port, TIME_LIMIT_S) as line:
                line.starttls(context=self.context)
                if self.settings.username:
                    line.login(self.settings.username, self.password)
                line.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise (RefusedError if min(codes) >= 500 else UndeliveredError)("recipient_refused") from error
        except smtplib.SMTPResponseException as error:
            raise UndeliveredError(f"smtp_{error.smtp_code}") from error
        except ssl.SSLCertVerificationError as error:
            raise UndeliveredError("certificate") from error
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError("no_connection") from error

    def _written(self, memo: _Memo, event_id: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.settings.sender
        if not ADDRESS.fullmatch(memo.to):
            raise ValueError("not one address")
        message["To"] = memo.to
        message["Subject"] = memo.subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{event_id}@{self.settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers it
        message.set_content(memo.text)
        return message


@dataclass(frozen=True, slots=True)
class SmsCarrier:
    """Hands memos to one short message provider."""

    settings: SmsSettings
    caller: Caller
    bearer: str = ""

    def carry(self, parcel: Parcel) -> None:
        """One memo; `OutboxError` when it was not taken."""
        memo = _Memo.of(parcel)
        to = "".join(sign for sign in memo.to if sign.isdecimal() or sign == "+")
        if len(to.lstrip("+")) < 5:  # shorter than any subscriber's number, ITU-T E.164
            raise RefusedError("no_address")
        escape = _in_json if self.settings.content_type.startswith("application/json") else quote_plus
        filled = {"to": escape(to), "text": escape(memo.text), "id": escape(parcel.event_id)}
        headers = {"Content-Type": self.settings.content_type, "Idempotency-Key": parcel.event_id}
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer}"
        self.caller.post(headers, Template(self.settings.body).substitute(filled).encode())


def _in_json(text: str) -> str:
    """As it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
