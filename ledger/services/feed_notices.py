"""Acting on what a provider says about its feeds: that there is news, or that one has fallen silent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger.domain.intake import FeedNotice, FeedState
from ledger.services.plaid_queue import note_repair, note_trouble, request_sync


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of notices.

    Attributes:
        items: numbers of Plaid items to be read now, for `ledger.jobs.wake_plaid_item` after the commit; the
            sweeper finds them too.
        strangers: feeds that are not connected to the company.
    """

    items: tuple[int, ...]
    strangers: tuple[str, ...]


def follow_notices(*, company_id: int, notices: Iterable[FeedNotice], now: datetime) -> Followed:
    """Do what notices ask, in the caller's transaction. Doing it twice does no harm."""
    items, strangers = [], []
    for notice in notices:
        known = True
        if notice.state in (FeedState.SILENT, FeedState.WARNING):
            silent = notice.state is FeedState.SILENT
            known = note_trouble(company_id=company_id, item_id=notice.feed, silent=silent, reason=notice.reason)
        else:
            number = (
                note_repair(company_id=company_id, item_id=notice.feed, now=now)
                if notice.state is FeedState.REPAIRED
                else request_sync(
                    company_id=company_id,
                    item_id=notice.feed,
                    complete=notice.state is FeedState.COMPLETE,
                    now=now,
                )
            )
            known = number is not None
            if number is not None:
                items.append(number)
        if not known:
            strangers.append(notice.feed)
    return Followed(tuple(items), tuple(strangers))
