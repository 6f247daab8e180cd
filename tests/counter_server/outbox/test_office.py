"""From a customer's confirmation to a core system's ear, through the real rooms."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection

from counter_server.app import build_app
from counter_server.errors import CounterError, StoppedError
from counter_server.outbox import service
from counter_server.outbox.courier import Courier, make_carriers
from counter_server.outbox.subscribers import OUTBOX_FILE, read_outbox
from counter_server.records import service as records
from counter_server.visits import customer, store
from tests.counter_server.builders import ADDRESS, office_in, with_card_and_face
from tests.counter_server.outbox.builders import write_secret
from tests.counter_server.outbox.receiver import HOST, certified, receiving, to_here
from webrtc.wire.visit import SubmitForm, VisitState

SETTINGS = """
hosts = ["core.test"]
networks = ["127.0.0.0/8"]
[webhook.core-banking]
url = "{core}"
secret_file = "core.secret"
ca_file = "{ca}"
services = ["change-address"]
fields = ["address", "postcode", "holder.document_number"]
[webhook.statistics]
url = "{statistics}"
secret_file = "core.secret"
ca_file = "{ca}"
[webhook.card-factory]
url = "{statistics}"
secret_file = "core.secret"
services = ["replace-card"]
[sms]
url = "{sms}"
ca_file = "{ca}"
body = '{{"to": "$to", "text": "$text"}}'
"""


async def test_one_change_of_address_fans_out_and_everybody_hears_only_their_part(tmp_path: Path) -> None:
    made, home = certified(tmp_path / "ca"), tmp_path / "home"
    write_secret(home)
    with receiving(made) as core, receiving(made) as statistics, receiving(made) as phone:
        told = {"core": core.url, "statistics": statistics.url, "sms": phone.url}
        (home / OUTBOX_FILE).write_text(SETTINGS.format(ca=made.ca_file, **told))
        async with office_in(home) as office:
            build_app(office)  # refuses words that nobody knows
            visit = await with_card_and_face(office, "change-address")
            await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
            await customer.confirm(office, visit.visit_id)
            done = await office.db.run(store.load, visit.visit_id)
            assert done.receipt is not None
            courier = Courier(office.db, office.outbox, make_carriers(office.outbox, home, to_here), home)
            for name in office.outbox.names:
                await courier.round(name)
            rows = await office.db.run(service.list_deliveries, record_id=done.record_id)
        (event,), (figure,), (memo,) = core.told, statistics.told, phone.told
    assert sorted(row.subscriber for row in rows) == ["core-banking", "sms", "statistics"]
    assert {row.state.value for row in rows} == {"delivered"}
    data = json.loads(event.body)["data"]
    assert data["fields"]["address"] == ADDRESS["address"]
    assert set(data["fields"]) == {"address", "postcode", "holder.document_number"}
    assert data["record_id"] == done.record_id
    assert json.loads(figure.body)["data"]["fields"] == {}
    for personal in (ADDRESS["address"], ADDRESS["phone"], data["fields"]["holder.document_number"]):
        assert personal.encode() not in figure.body
    text = json.loads(memo.body)["text"]
    assert done.receipt.check_code in text
    assert done.receipt.check_url in text
    assert ADDRESS["address"] not in text


async def test_no_delivery_without_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, home = certified(tmp_path / "ca"), tmp_path / "home"
    write_secret(home)
    url = f"https://{HOST}:9/"
    (home / OUTBOX_FILE).write_text(SETTINGS.format(ca=made.ca_file, core=url, statistics=url, sms=url))

    def refuses(_connection: Connection, _settings: object, _occasion: object) -> int:
        raise OSError("the disk is full")

    async with office_in(home) as office:
        visit = await with_card_and_face(office, "change-address")
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        real = service.post
        monkeypatch.setattr(service, "post", refuses)
        with pytest.raises(CounterError):
            await customer.confirm(office, visit.visit_id)
        monkeypatch.setattr(service, "post", real)
        ended = await office.db.run(store.load, visit.visit_id)
        assert ended.state is VisitState.INTERRUPTED
        assert await office.db.run(records.find_record, visit.record_id) is None
        assert await office.db.run(service.list_deliveries) == []


@pytest.mark.parametrize(
    "changed",
    [
        ("https://core.test", "http://core.test"),
        ("https://core.test", "https://user:word@core.test"),
        ("https://core.test", "https://other.test"),
        ('hosts = ["core.test"]', "hosts = []"),
        ("fields =", "felds ="),
        ("[webhook.statistics]", "[webhook.mail]"),
        ('networks = ["127.0.0.0/8"]', 'networks = ["127.0.0.1/8"]'),
    ],
)
def test_a_setting_that_is_not_safe_stops_the_start(tmp_path: Path, changed: tuple[str, str]) -> None:
    url = "https://core.test/e"
    good = SETTINGS.format(ca="ca.pem", core=url, statistics=url, sms=url)
    (tmp_path / OUTBOX_FILE).write_text(good)
    assert read_outbox(tmp_path).names == ("core-banking", "statistics", "card-factory", "sms")
    (tmp_path / OUTBOX_FILE).write_text(good.replace(*changed))
    with pytest.raises(StoppedError):
        read_outbox(tmp_path)


def test_settings_in_another_encoding_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / OUTBOX_FILE).write_bytes("# 核心系统\n".encode("gbk"))
    with pytest.raises(StoppedError, match=str(OUTBOX_FILE)):
        read_outbox(tmp_path)


@pytest.mark.parametrize("word", ["adress", "holder.date_of_birth"])
async def test_a_field_nobody_has_stops_the_start(tmp_path: Path, word: str) -> None:
    made = certified(tmp_path / "ca")
    url = "https://core.test/e"
    text = SETTINGS.format(ca=made.ca_file, core=url, statistics=url, sms=url).replace('"postcode"', f'"{word}"')
    (tmp_path / OUTBOX_FILE).write_text(text)
    write_secret(tmp_path)
    async with office_in(tmp_path) as office:
        with pytest.raises(StoppedError, match=word):
            build_app(office)


async def test_a_secret_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    made = certified(tmp_path / "ca")
    url = "https://core.test/e"
    (tmp_path / OUTBOX_FILE).write_text(SETTINGS.format(ca=made.ca_file, core=url, statistics=url, sms=url))
    write_secret(tmp_path)
    (tmp_path / "core.secret").chmod(0o644)
    with pytest.raises(StoppedError):
        make_carriers(read_outbox(tmp_path), tmp_path)
