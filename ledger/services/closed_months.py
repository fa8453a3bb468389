"""Closing months, opening them again, and letting single events in all the same."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection, transaction

from ledger.domain.closed_month import local_month
from ledger.domain.problems import FieldProblem
from ledger.models.closed_month import ClosedMonthEntry, MonthClosing
from ledger.selectors.companies import company_ref
from ledger.services.transient import try_again

MAX_REASON = 255


class NotClosable(ValueError):
    """A month that cannot be closed or opened.

    Attributes:
        problem: the field and what is wrong with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.problem = FieldProblem(field, message)


def close_month(*, company_id: int, month: date, reason: str, actor: str, now: datetime) -> None:
    """Close a month of a company's calendar. Whoever is recording into it at this moment comes first.

    Raises:
        NotClosable: no first day of a month, a month that is not over or closed already, no reason.
        CompanyNotFound: no such company.
    """
    company = company_ref(company_id=company_id)
    if month >= local_month(now, timezone=company.timezone):
        raise NotClosable("month", "is not over yet")
    _append(company_id, month, reason, actor, now, closed=True)


def reopen_month(*, company_id: int, month: date, reason: str, actor: str, now: datetime) -> None:
    """Open a closed month again; that it was closed stays on record.

    Raises:
        NotClosable: the month is not closed, or there is no reason.
        CompanyNotFound: no such company.
    """
    company_ref(company_id=company_id)
    _append(company_id, month, reason, actor, now, closed=False)


def _append(company_id: int, month: date, reason: str, actor: str, now: datetime, *, closed: bool) -> None:
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON or "\0" in reason:
        raise NotClosable("reason", f"must have 1 to {MAX_REASON} characters")
    if month.day != 1:
        raise NotClosable("month", "must be the first day of a month")

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # First the lock that recorders take, then a look: two who close the same month do it one by one.
            cursor.execute("SELECT FROM ledger_journalhead WHERE company_id = %s FOR UPDATE", [company_id])
            cursor.execute("SELECT %s IN (SELECT ledger_closed_months(%s))", [month, company_id])
            (is_closed,) = cursor.fetchone()
            if is_closed == closed:
                raise NotClosable("month", "is closed already" if closed else "is not closed")
            MonthClosing.objects.create(
                company_id=company_id, month=month, closed=closed, reason=reason, actor=actor, recorded_at=now
            )

    try_again(write)


def permit_entries(
    entries: Iterable[tuple[bytes, date]], *, company_id: int, reason: str, actor: str, now: datetime
) -> None:
    """Let events stand in closed months, in the transaction that records them.

    Args:
        entries: event id and month of each.
        reason: of the admin who lets them in.
    """
    ClosedMonthEntry.objects.bulk_create(
        [
            ClosedMonthEntry(
                company_id=company_id,
                event_id=event_id,
                month=month,
                reason=reason[:MAX_REASON],
                actor=actor,
                recorded_at=now,
            )
            for event_id, month in entries
        ],
        ignore_conflicts=True,
    )
