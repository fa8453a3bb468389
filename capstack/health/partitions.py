"""How many months ahead the journal is partitioned, by PostgreSQL's own catalog."""

import re
from datetime import date, datetime

from django.db import connection

from ledger.domain.month import month_of, months_after

_LOWER_BOUND = re.compile(r"FROM \('(\d{4})-(\d{2})-01 00:00:00\+00'\)")


def months_ahead(*, now: datetime) -> int:
    """Return how many months after the current one have a partition, without a gap; -1 when this one has none."""
    months = _partitioned_months()
    ahead = -1
    while months_after(month_of(now), ahead + 1) in months:
        ahead += 1
    return ahead


def _partitioned_months() -> set[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_get_expr(leaf.relpartbound, leaf.oid) from pg_inherits"
            " join pg_class leaf on leaf.oid = inhrelid where inhparent = to_regclass('ledger_capitalevent')"
        )
        bounds = [_LOWER_BOUND.search(row[0]) for row in cursor.fetchall()]
    return {date(int(bound[1]), int(bound[2]), 1) for bound in bounds if bound is not None}
