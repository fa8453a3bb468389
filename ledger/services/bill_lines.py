"""The lines of cloud bills in their table: put there by the file, read by the bill."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from ledger.domain.cloud_bill import BillLine, ChargeSum
from ledger.models.cloud_bill import BillState, CloudBill

_COPY = """
    COPY ledger_cloudbillline (
        company_id, bill_id, ordinal, day, until, occurred_at, sub_account, service, region, resource, charge_type,
        usage_type, quantity, unit, billed, effective, listed, currency, digest
    ) FROM STDIN
"""
_SUMS = """
    SELECT day, service, charge_type, sum(billed), count(*) FROM ledger_cloudbillline
    WHERE company_id = %s AND bill_id = %s GROUP BY day, service, charge_type
"""
_TOTALS = """
    SELECT count(*), sum(billed), sum(effective), sum(listed) FROM ledger_cloudbillline
    WHERE company_id = %s AND bill_id = %s
"""
# Lines that the delivery before had too, equal ones counted. Without a join: on a table that was just filled, the
# planner took one of 100,000 by 100,000 lines for a small one and looped for minutes.
_KNOWN_LINES = """
    SELECT coalesce(sum(least(before, now)), 0)::bigint FROM (
        SELECT count(*) FILTER (WHERE bill_id = %(before)s) AS before,
               count(*) FILTER (WHERE bill_id = %(now)s) AS now
        FROM ledger_cloudbillline
        WHERE company_id = %(company)s AND bill_id IN (%(before)s, %(now)s) GROUP BY digest
    ) counted
"""
_DROP_LINES = "DELETE FROM ledger_cloudbillline WHERE company_id = %s AND bill_id = ANY (%s)"


@dataclass(frozen=True, slots=True)
class BillTotals:
    """Attributes:
    billed, effective, listed: sums, unrounded; the latter two None where no line states one.
    """

    lines: int
    billed: Decimal
    effective: Decimal | None
    listed: Decimal | None


type LineRow = tuple[Any, ...]
"""The columns of one line, as `line_row` orders them."""


def line_row(line: BillLine, *, company_id: int, bill_id: int, ordinal: int, digest: bytes) -> LineRow:
    """Return a line of a file as a row of the table.

    Args:
        ordinal: of the line within its bill, from 1.
        digest: of what the line says.
    """
    return (
        company_id,
        bill_id,
        ordinal,
        line.occurred_at.date(),
        line.until,
        line.occurred_at,
        line.sub_account,
        line.service,
        line.region,
        line.resource,
        line.charge_type,
        line.usage_type,
        line.quantity,
        line.unit,
        line.billed,
        line.effective,
        line.listed,
        line.currency,
        digest,
    )


def keep_lines(rows: Sequence[LineRow]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def charge_sums(*, company_id: int, bill_id: int) -> list[ChargeSum]:
    """Return what a bill charges per day, service and charge type."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [company_id, bill_id])
        return [ChargeSum(*row) for row in cursor.fetchall()]


def bill_totals(*, company_id: int, bill_id: int) -> BillTotals:
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, [company_id, bill_id])
        lines, billed, effective, listed = cursor.fetchone()
    return BillTotals(lines, billed or Decimal(0), effective, listed)


def known_lines(*, company_id: int, before: int, now: int) -> int:
    """Return how many lines of one delivery stood in another, equal ones counted."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_LINES, {"company": company_id, "before": before, "now": now})
        (known,) = cursor.fetchone()
    return int(known)


def drop_lines(*, company_id: int, bill_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_DROP_LINES, [company_id, list(bill_ids)])


def clear_staged(*, company_id: int, bill_ids: Iterable[int]) -> None:
    """Delete those of these bills that are staged still, with their lines."""
    staged = CloudBill.objects.filter(company_id=company_id, pk__in=list(bill_ids), state=BillState.STAGED)
    with transaction.atomic():
        # Locked, so that nobody puts one into force while its lines go.
        ids = list(staged.select_for_update().values_list("pk", flat=True))
        if ids:
            drop_lines(company_id=company_id, bill_ids=ids)
            staged.filter(pk__in=ids).delete()
