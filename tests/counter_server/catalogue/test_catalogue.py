from pathlib import Path

import pytest

from counter_server.catalogue.catalogue import check_form, load_catalogue
from counter_server.errors import CounterError, StoppedError
from counter_server.signing.document import DOCUMENT_TEMPLATES
from tests.counter_server.builders import FORMS
from webrtc.wire.catalogue import Assurance, Channel, Risk, Route
from webrtc.wire.message import ErrorCode


def test_five_services_are_offered_and_have_documents() -> None:
    catalogue = load_catalogue()
    assert list(catalogue) == ["change-address", "replace-card", "raise-limit", "enrol-finger", "reset-pin"]
    assert {service.document for service in catalogue.values()} <= set(DOCUMENT_TEMPLATES)


def test_high_risk_is_never_self_service() -> None:
    for service in load_catalogue().values():
        if service.risk is Risk.HIGH:
            assert all(service.route(assurance) is not Route.SELF_SERVICE for assurance in Assurance)


def test_a_phone_is_told_which_services_it_reaches() -> None:
    routes = {s.service_id: s.offer(Channel.PHONE).route for s in load_catalogue().values()}
    assert routes == {
        "change-address": Route.CLERK,
        "replace-card": Route.NOT_HERE,
        "raise-limit": Route.NOT_HERE,
        "enrol-finger": Route.NOT_HERE,
        "reset-pin": Route.NOT_HERE,
    }


@pytest.mark.parametrize(
    ("service_id", "change", "field"),
    [
        ("change-address", {"address": ""}, "address"),
        ("change-address", {"address": "x" * 121}, "address"),
        ("change-address", {"address": "line\nbreak"}, "address"),
        ("change-address", {"postcode": "abc"}, "postcode"),
        ("change-address", {"email": "somebody"}, "email"),
        ("change-address", {"email": "a@example.cn, b@example.cn"}, "email"),
        ("change-address", {"email": "a@example.cn\nBcc: b@example.cn"}, "email"),
        ("replace-card", {"how_lost": "eaten"}, "how_lost"),
        ("raise-limit", {"new_limit": "999"}, "new_limit"),
        ("raise-limit", {"new_limit": "5000001"}, "new_limit"),
        ("raise-limit", {"new_limit": "-5000"}, "new_limit"),
        ("raise-limit", {"new_limit": "５０００"}, "new_limit"),
    ],
)
def test_a_form_names_its_first_wrong_field(service_id: str, change: dict[str, str], field: str) -> None:
    service = load_catalogue()[service_id]
    assert check_form(service.form, FORMS[service_id])
    with pytest.raises(CounterError) as refused:
        check_form(service.form, FORMS[service_id] | change)
    assert (refused.value.code, refused.value.field) == (ErrorCode.FORM_INVALID, field)


def test_a_field_nobody_asked_for_is_refused() -> None:
    with pytest.raises(CounterError) as refused:
        check_form(load_catalogue()["change-address"].form, FORMS["change-address"] | {"iban": "x"})
    assert refused.value.code is ErrorCode.BAD_REQUEST


def test_a_misspelt_key_in_a_service_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text('title = { zh = "a", en = "b" }\nriks = "low"\n', "utf-8")
    with pytest.raises(StoppedError, match="riks"):
        load_catalogue(tmp_path)


def test_a_service_in_another_encoding_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_bytes('title = { zh = "开户", en = "b" }\n'.encode("gbk"))
    with pytest.raises(StoppedError, match=r"odd\.toml"):
        load_catalogue(tmp_path)
