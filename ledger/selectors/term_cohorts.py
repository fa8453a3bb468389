"""Payments that are earned over days and of which nothing else is told: nearly all, and summed by those days."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import starmap
from typing import Any

from django.db import connection

from ledger.domain.recognition import TermCohort
from ledger.selectors.earning_periods import INCOME, SAID_LAST, TOLD_OF_MORE, EarningPeriod, named

# In whole millionths, whose division is exact: what a period is worth is rounded half to even, as `share` does,
# and what it earns a day down. Who looks for periods that end later finds revisions of them: the last one decides.
_COHORTS = f"""
    WITH alive AS MATERIALIZED (
        SELECT DISTINCT source, external_ref FROM ledger_serviceperiod
        WHERE company_id = %(company)s AND "end" > %(ending_after)s
        EXCEPT ({TOLD_OF_MORE})
    ), said AS (
        SELECT *, sum(amount) OVER (PARTITION BY source, external_ref, currency) AS stated
        FROM ({SAID_LAST.format(wanted="(source, external_ref) IN (SELECT source, external_ref FROM alive)")}) s
        WHERE amount > 0
    ), shared AS (
        SELECT (e.occurred_at AT TIME ZONE %(timezone)s)::date AS since, said."start", said."end",
               greatest(e.amount, said.stated) AS claimed, e.base_amount * said.amount * 1000000 AS share
        FROM said {INCOME} AND said."end" > %(ending_after)s
    ), rounded AS (
        SELECT since, "start", "end", div(share, claimed) AS down,
               2 * (share - div(share, claimed) * claimed) - claimed AS beyond_half
        FROM shared
    ), exact AS (
        SELECT since, "start", "end",
               down + CASE WHEN beyond_half > 0 OR beyond_half = 0 AND down %% 2 = 1 THEN 1 ELSE 0 END AS worth
        FROM rounded
    )
    SELECT sum(worth) * 0.000001, sum(div(worth, "end" - "start")) * 0.000001, "start", "end", since
    FROM exact GROUP BY since, "start", "end" ORDER BY since, "start", "end"
"""  # noqa: S608 - made of constants


def term_cohorts(
    values: Mapping[str, Any], *, contracts: Iterable[EarningPeriod], ending_after: date
) -> list[TermCohort]:
    """Return the periods that end later, of payments that `periods_told_of_more` leaves out, as cohorts.

    They come by the day on which they were paid, and are what `stated_periods` returns, to the last digit.

    Args:
        values, contracts: as `periods_told_of_more` takes them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COHORTS, {**values, **named(contracts), "ending_after": ending_after})
        return list(starmap(TermCohort, cursor.fetchall()))
