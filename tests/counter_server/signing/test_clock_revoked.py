"""A provider's time stamps after its issuer took its certificate back: judged by the lists inside the contract."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from counter_server.outbox.errors import UndeliveredError
from counter_server.outbox.fetching import fetch
from counter_server.records.cms import TimeStamp
from counter_server.records.examination import BrokenError
from counter_server.records.verify_contract import clocks_standing
from counter_server.signing.clock_lists import FetchedLists
from counter_server.signing.contract import sign_by_staff
from counter_server.signing.errors import TimeStampError
from counter_server.signing.examine import examine
from counter_server.signing.time_authority import TimeAuthority
from tests.counter_server.signing.contracts import CLERK, Contract, document, hand
from tests.counter_server.signing.services import served
from tests.counter_server.signing.test_clock_roots import GOOD, NOW, Maker, maker, ours

Reason = x509.ReasonFlags
LATER, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
HERE = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Held:
    """Lists that somebody has already."""

    lists: tuple[x509.CertificateRevocationList, ...]

    def of(self, stamps: Sequence[TimeStamp], now: datetime) -> tuple[x509.CertificateRevocationList, ...]:
        assert all(stamp.at <= now for stamp in stamps)
        return self.lists


def revocation_list(
    issuer: Maker,
    revoked: x509.Certificate | None = None,
    *,
    until: datetime = LATER,
    reason: Reason | None = None,
    at: datetime = BEFORE,
    limits: Sequence[x509.ExtensionType] = (),
) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(NOW - timedelta(days=9)).next_update(until)
    for limit in limits:
        builder = builder.add_extension(limit, critical=True)
    if revoked is not None:
        entry = x509.RevokedCertificateBuilder().serial_number(revoked.serial_number).revocation_date(at)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256())


def certificate_of(clock: TimeAuthority) -> x509.Certificate:
    return clock._certificate


def stamped_with(contract: Contract, clock: TimeAuthority, *lists: x509.CertificateRevocationList) -> bytes:
    desk = replace(contract.desk, clock=clock, clock_chain=(), clock_lists=Held(lists))
    return sign_by_staff(desk, hand(desk, document().pdf), CLERK, datetime.now(UTC))


def test_a_contract_stamped_by_our_own_clock_says_so(contract: Contract) -> None:
    assert "not revoked by its issuer's list" in clocks_standing(
        contract.countersigned, (contract.desk.authority.root,)
    )


def test_without_a_list_of_its_issuer_the_verdict_is_not_checked(contract: Contract) -> None:
    root, other = maker(), maker()
    clock = root.clock(GOOD)
    stale = revocation_list(root, until=NOW - timedelta(days=1))
    for lists in ((), (revocation_list(other, certificate_of(clock)),), (stale,)):
        pdf = stamped_with(contract, clock, *lists)
        assert "NOT CHECKED" in clocks_standing(pdf, (root.certificate,))
        assert ours(contract, pdf, (root.certificate,)) == ""


def test_an_authority_that_its_list_leaves_out_stands(contract: Contract) -> None:
    root = maker()
    clock, another = root.clock(GOOD), root.clock(GOOD)
    pdf = stamped_with(contract, clock, revocation_list(root, certificate_of(another)))
    assert "not revoked by its issuer's list" in clocks_standing(pdf, (root.certificate,))
    assert examine(pdf, contract.desk.authority.root, (root.certificate,)).flaws == ()  # pyHanko reads it too


@pytest.mark.parametrize(
    ("reason", "at", "stands"),
    [
        (Reason.superseded, LATER, True),  # RFC 3161 §4 (1): stamps from before stay good
        (Reason.cessation_of_operation, LATER, True),
        (Reason.superseded, BEFORE, False),
        (Reason.key_compromise, LATER, False),  # §4 (2): none can be told from a forged one
        (None, LATER, False),
    ],
)
def test_a_revoked_authority_takes_its_stamps_with_it(
    contract: Contract, reason: Reason | None, at: datetime, *, stands: bool
) -> None:
    root = maker()
    clock = root.clock(GOOD)
    pdf = stamped_with(contract, clock, revocation_list(root, certificate_of(clock), reason=reason, at=at))
    if stands:
        assert "not revoked" in clocks_standing(pdf, (root.certificate,))
    else:
        with pytest.raises(BrokenError, match="revoked"):
            clocks_standing(pdf, (root.certificate,))


def test_a_list_from_before_the_stamp_acquits_nobody_but_still_convicts(contract: Contract) -> None:
    """What was revoked then is revoked for ever, also where the issuer is late with its next list."""
    root = maker()
    clock, yesterday = root.clock(GOOD), NOW - timedelta(days=1)
    revoked = revocation_list(root, certificate_of(clock), until=yesterday, at=NOW - timedelta(days=2))
    with pytest.raises(BrokenError, match="revoked"):
        clocks_standing(
            stamped_with(contract, clock, revoked, revocation_list(root, until=yesterday)), (root.certificate,)
        )


def test_a_list_is_read_to_its_last_byte(contract: Contract) -> None:
    """Where that is a carriage return, it looks like the end of a line before the stream's end."""
    root = maker()
    clock = root.clock(GOOD)
    endless = (revocation_list(root, certificate_of(clock)) for _ in itertools.count())
    revoked = next(one for one in endless if one.public_bytes(Encoding.DER).endswith(b"\r"))
    with pytest.raises(BrokenError, match="revoked"):
        clocks_standing(stamped_with(contract, clock, revoked), (root.certificate,))


def point(url: str) -> tuple[x509.ExtensionType, bool]:
    name = x509.UniformResourceIdentifier(url)
    return x509.CRLDistributionPoints([x509.DistributionPoint([name], None, None, None)]), False


def part_of(url: str = "", **limits: bool | frozenset[Reason]) -> x509.IssuingDistributionPoint:
    """RFC 5280 §5.2.5: what a list leaves out."""
    told: dict[str, Any] = dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    name = [x509.UniformResourceIdentifier(url)] if url else None
    return x509.IssuingDistributionPoint(
        full_name=name, relative_name=None, **{**told, "only_some_reasons": None, **limits}
    )


@pytest.mark.parametrize(
    "limit",
    [
        x509.DeltaCRLIndicator(7),
        part_of(only_contains_ca_certs=True),
        part_of(only_contains_attribute_certs=True),
        part_of(indirect_crl=True),
        part_of(only_some_reasons=frozenset({Reason.superseded})),
        part_of("http://lists.test/other.crl"),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55738.999"), b"\x05\x00"),
    ],
)
def test_a_list_that_leaves_something_out_acquits_nobody_but_still_convicts(
    contract: Contract, limit: x509.ExtensionType
) -> None:
    root = maker()
    clock = root.clock(GOOD, point("http://lists.test/clock.crl"))
    silent = revocation_list(root, limits=(limit,))
    assert "NOT CHECKED" in clocks_standing(stamped_with(contract, clock, silent), (root.certificate,))
    telling = revocation_list(root, certificate_of(clock), limits=(limit,))
    with pytest.raises(BrokenError, match="revoked"):
        clocks_standing(stamped_with(contract, clock, silent, telling), (root.certificate,))


def test_a_list_for_the_certificates_own_place_speaks_of_it(contract: Contract) -> None:
    root, place = maker(), "http://lists.test/clock.crl"
    clock = root.clock(GOOD, point(place))
    part = revocation_list(root, limits=(part_of(place, only_contains_user_certs=True),))
    assert "not revoked" in clocks_standing(stamped_with(contract, clock, part), (root.certificate,))


def test_the_list_is_fetched_from_where_the_certificate_says_and_stops_a_revoked_clock(contract: Contract) -> None:
    root, answers = maker(), {"list": b""}
    with served(lambda *_: (200, answers["list"])) as url:
        clock = root.clock(GOOD, point(f"{url}/clock.crl"))
        good, bad = revocation_list(root), revocation_list(root, certificate_of(clock))
        late = revocation_list(root, certificate_of(clock), until=NOW - timedelta(days=1))

        def signed(lists: FetchedLists) -> bytes:
            desk = replace(contract.desk, clock=clock, clock_chain=(), clock_lists=lists)
            return sign_by_staff(desk, hand(desk, document().pdf), CLERK, datetime.now(UTC))

        answers["list"] = good.public_bytes(Encoding.DER)
        listed = (root.certificate,)
        assert "not revoked" in clocks_standing(signed(FetchedLists(listed, HERE)), listed)
        assert "NOT CHECKED" in clocks_standing(
            signed(FetchedLists(listed)), listed
        )  # 127.0.0.1, and nobody allowed it
        answers["list"] = bad.public_bytes(Encoding.DER)
        with pytest.raises(TimeStampError, match="revoked"):
            signed(FetchedLists(listed, HERE))
        answers["list"] = late.public_bytes(Encoding.DER)
        with pytest.raises(TimeStampError, match="revoked"):
            signed(FetchedLists(listed, HERE))
        answers["list"] = b"<html>sign in to the network</html>"
        assert "NOT CHECKED" in clocks_standing(signed(FetchedLists(listed, HERE)), listed)


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("ldap://127.0.0.1/list", "address_malformed"),
        ("file:///etc/passwd", "address_malformed"),
        ("http://somebody@127.0.0.1/list", "address_malformed"),
        ("http://127.0.0.1:99999/list", "address_malformed"),
        ("http://10.1.2.3/list", "forbidden_address"),
        ("http://169.254.169.254/latest/meta-data", "forbidden_address"),
        ("http://[::1]/list", "forbidden_address"),
    ],
)
def test_a_certificate_cannot_send_us_anywhere(url: str, trouble: str) -> None:
    with pytest.raises(UndeliveredError) as refused:
        fetch(url, 100, HERE)
    assert refused.value.trouble == trouble


def test_nothing_is_followed_and_nothing_long_is_taken() -> None:
    answers = iter([(302, b""), (200, b"x" * 101), (200, b"x" * 100)])
    with served(lambda *_: next(answers)) as url:
        for trouble in ("status_302", "too_long"):
            with pytest.raises(UndeliveredError) as refused:
                fetch(f"{url}/list", 100, HERE)
            assert refused.value.trouble == trouble
        assert fetch(f"{url}/list", 100, HERE) == b"x" * 100


def test_a_byte_now_and_then_is_no_answer() -> None:
    """Each read is quick enough; all of them together are not."""
    stop = threading.Event()

    def drip(door: socket.socket) -> None:
        line, _ = door.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not stop.wait(0.02):
                line.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=drip, args=(door,))
        thread.start()
        try:
            with pytest.raises(UndeliveredError) as refused:
                fetch(f"http://127.0.0.1:{door.getsockname()[1]}/list", 1 << 20, HERE, time_limit_s=0.3)
        finally:
            stop.set()
            thread.join()
    assert refused.value.trouble == "too_slow"
