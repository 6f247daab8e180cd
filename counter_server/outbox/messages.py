"""What is said: to core systems the fields they are configured for, to customers nothing that others may not read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from counter_server.outbox.subscribers import WebhookSettings

EVENT_TYPE = "record.sealed"

SUBJECTS = {"zh": "您的业务已办理", "en": "Your request is done"}
MEMOS = {
    "zh": "{title}：已办理。记录编号 {record_id}，查验码 {check_code}。查验记录并下载证明：{check_url}",
    "en": "{title}: done. Record {record_id}, check code {check_code}. Check it and take the proof: {check_url}",
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """A record was sealed: what may be told of it."""

    record_id: str
    subject: str  # the same for everything of one customer; a name of ours
    service_id: str
    service_title: str  # in the customer's language
    language: str
    channel: str
    outcome: str
    sealed_at: datetime
    manifest_sha256: str
    values: Mapping[str, str]  # the form's, and `holder.…`
    check_code: str
    check_url: str

    @property
    def event_id(self) -> str:
        """The same for the same seal, however often it is told."""
        return (
            "evt_" + hashlib.sha256(f"{EVENT_TYPE}|{self.record_id}|{self.manifest_sha256}".encode()).hexdigest()[:32]
        )


def event_for(hook: WebhookSettings, occasion: Occasion) -> str | None:
    """The event's text for this core system; None when it did not ask for such events."""
    if occasion.outcome not in hook.outcomes or (hook.services and occasion.service_id not in hook.services):
        return None
    return json.dumps(
        {
            "type": EVENT_TYPE,
            "timestamp": occasion.sealed_at.isoformat(),
            "data": {
                "record_id": occasion.record_id,
                "service_id": occasion.service_id,
                "outcome": occasion.outcome,
                "channel": occasion.channel,
                "manifest_sha256": occasion.manifest_sha256,
                "subject": occasion.subject,
                "fields": {name: occasion.values[name] for name in hook.fields if occasion.values.get(name)},
            },
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def memo_for(to_field: str, occasion: Occasion) -> str | None:
    """A memo to the customer as {to, subject, text}; None where nothing was done or nobody said where to."""
    to = occasion.values.get(to_field, "").strip()
    if occasion.outcome != "done" or not to:
        return None
    text = MEMOS[occasion.language].format(
        title=occasion.service_title,
        record_id=occasion.record_id,
        check_code=occasion.check_code,
        check_url=occasion.check_url,
    )
    return json.dumps({"to": to, "subject": SUBJECTS[occasion.language], "text": text}, ensure_ascii=False)
