"""Who is told what: `<home>/outbox.toml`. Without the file nobody is told anything.

hosts = ["core.bank.example", "mail.bank.example"]  # nobody else is ever called
networks = ["10.20.0.0/16"]                         # private networks that may be called all the same

[webhook.core-banking]
url = "https://core.bank.example/events"
secret_file = "core-banking.secret"                 # whsec_…, in this home, readable by its owner alone
services = ["change-address"]
fields = ["address", "postcode", "holder.document_number"]
"""

import tomllib
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from counter_server.errors import StoppedError

OUTBOX_FILE = "outbox.toml"
MAIL, SMS = "mail", "sms"
HOLDER_FIELDS = ("holder.name", "holder.document_number", "holder.issuing_state")

Network = IPv4Network | IPv6Network


class WebhookSettings(BaseModel):
    """One core system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    secret_file: Path
    ca_file: Path | None = Field(default=None, description="who vouches for its certificate; the system's list if not")
    services: tuple[str, ...] = Field(default=(), description="empty: every service")
    outcomes: tuple[str, ...] = ("done",)
    fields: tuple[str, ...] = Field(default=(), description="of the form, or `holder.…`; nothing else is told")


class MailSettings(BaseModel):
    """The mail server that takes memos; always over STARTTLS with a certificate that holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = 587  # RFC 6409 submission
    sender: str
    ca_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    to_field: str = Field(default="email", description="the form's field that holds the customer's address")


class SmsSettings(BaseModel):
    """A short message service with an HTTP door, spoken to by a template."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    body: str = Field(description="with $to, $text and $id; each is escaped for the content type")
    content_type: str = "application/json"
    bearer_file: Path | None = Field(default=None, description="token for the Authorization header")
    ca_file: Path | None = None
    to_field: str = Field(default="phone", description="the form's field that holds the customer's number")


class OutboxSettings(BaseModel):
    """Everybody who is told something."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    most_attempts: int = Field(default=36, ge=1, description="with the pauses between them, about a day")
    first_pause_s: float = Field(default=5.0, gt=0)
    longest_pause_s: float = Field(default=3600.0, gt=0)
    webhook: dict[str, WebhookSettings] = {}
    mail: MailSettings | None = None
    sms: SmsSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every subscriber."""
        memos = [name for name, told in ((MAIL, self.mail), (SMS, self.sms)) if told is not None]
        return (*self.webhook, *memos)

    @model_validator(mode="after")
    def _calls_nobody_else(self) -> "OutboxSettings":
        if {MAIL, SMS} & set(self.webhook):
            raise ValueError("a webhook is not called mail or sms")
        addresses = [hook.url for hook in self.webhook.values()] + ([self.sms.url] if self.sms else [])
        called = [_https_host(address) for address in addresses] + ([self.mail.host] if self.mail else [])
        for host in called:
            if host not in self.hosts:
                raise ValueError(f"{host} is not among hosts")
        return self


def _https_host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError(f"{parts.hostname or 'a url'}: wants https://host/path, without a name and password")
    return parts.hostname


def read_outbox(home: Path) -> OutboxSettings:
    """Whom this home tells; files named in it are looked for in the home.

    Raises:
        StoppedError: the file says something nobody understands, or a host that it does not allow itself.
    """
    path = home / OUTBOX_FILE
    if not path.exists():
        return OutboxSettings()
    try:
        return OutboxSettings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise StoppedError(f"{path}: {error}. Correct the named key or delete the file.") from error


def refuse_unknown_words(settings: OutboxSettings, forms: Mapping[str, Collection[str]]) -> None:
    """Stop where a service or field is named that nobody has: a misspelt field would be told to nobody, for ever.

    Args:
        forms: The fields of each service's form.

    Raises:
        StoppedError: names the word.
    """
    fields = {name for form in forms.values() for name in form} | set(HOLDER_FIELDS)
    for name, hook in settings.webhook.items():
        for word in (*set(hook.services).difference(forms), *set(hook.fields) - fields):
            raise StoppedError(f"{OUTBOX_FILE}: [webhook.{name}] names {word!r}, which nothing here is called")
