"""Has the operator's time stamp authority been revoked? Its issuer's list, fetched, judged, and kept in the contract.

A certificate says itself where its list is, and so a stranger's bytes say whom we call: the outbox's rules hold, no
private address but those the operator allows. A list that cannot be had stops nobody: the contract is signed without,
and whoever checks it is told "not checked". A list that says "revoked" stops the signing.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509

from counter_server.outbox.errors import UndeliveredError
from counter_server.outbox.fetching import fetch
from counter_server.outbox.subscribers import Network
from counter_server.records.cms import TimeStamp
from counter_server.records.errors import UNREADABLE
from counter_server.records.examination import BrokenError
from counter_server.records.verify_revocation import check_standing, list_places
from counter_server.signing.errors import TimeStampError

log = logging.getLogger(__name__)

LARGEST_LIST = 256 * 1024  # it goes into every contract: an issuer with a longer one is "not checked"
FRESH = timedelta(hours=1)  # of its life in days: an hour later is early enough to learn of a revocation
AGAIN = timedelta(minutes=10)  # who did not answer keeps nobody waiting at every signature
MOST_PLACES = 3


class ClockLists(Protocol):
    """Whoever knows what issuers of time stamp authorities have revoked."""

    def of(self, stamps: Sequence[TimeStamp], now: datetime) -> tuple[x509.CertificateRevocationList, ...]:
        """The lists that speak of these stamps' authorities, each once; none where none can be had.

        Raises:
            TimeStampError: One of them was revoked.
        """
        ...


class FetchedLists:
    """Lists from where the certificates say they are."""

    def __init__(
        self,
        roots: Sequence[x509.Certificate],
        networks: Sequence[Network] = (),
        get: Callable[[str, int, Sequence[Network]], bytes] = fetch,
    ) -> None:
        self._roots, self._networks, self._get = tuple(roots), tuple(networks), get
        self._kept: dict[str, tuple[datetime, x509.CertificateRevocationList | None]] = {}

    def of(self, stamps: Sequence[TimeStamp], now: datetime) -> tuple[x509.CertificateRevocationList, ...]:
        """As in `ClockLists`."""
        found: dict[str, x509.CertificateRevocationList] = {}
        for stamp in stamps:
            for place in list_places(stamp.signer)[:MOST_PLACES]:
                fetched = self._at(place, now)
                try:
                    speaks = fetched is not None and check_standing(stamp, self._roots, (fetched,)) is not None
                except BrokenError as error:
                    raise TimeStampError(str(error)) from error
                if fetched is not None and speaks:
                    found[place] = fetched
                    break
        return tuple(found.values())

    def _at(self, place: str, now: datetime) -> x509.CertificateRevocationList | None:
        asked_at, kept = self._kept.get(place, (None, None))
        if asked_at is not None and now - asked_at < (AGAIN if kept is None else FRESH):
            return kept
        try:
            kept = x509.load_der_x509_crl(self._get(place, LARGEST_LIST, self._networks))
        except UndeliveredError as error:
            kept = None
            log.warning("the time stamp authority's revocation list was not had: %s", error.trouble)
        except UNREADABLE:
            kept = None
            log.warning("the time stamp authority's revocation list cannot be read")
        self._kept[place] = now, kept
        return kept
