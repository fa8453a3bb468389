"""What the cloud cost day by day, against the p5 of that day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from cloudpolicy.engine.score import ZERO
from cloudpolicy.selectors.rates import Rates
from forecasting.selectors.said_runways import runways_said
from ledger.selectors.companies import company_ref
from ledger.selectors.credit_use import credits_used

MAX_DAYS = 400

# A charge for several days is spread over them evenly, as far as they were over when the bill came.
_CHARGED = """
    SELECT day, currency, sum(billed) FROM (
        SELECT l.day, l.currency, l.billed FROM ledger_cloudbillline l
        JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
        WHERE l.company_id = %(company)s AND l.day >= %(start)s AND l.day < %(stop)s AND l.until IS NULL
          AND l.charge_type <> 'credit'
        UNION ALL
        SELECT l.day + place, l.currency, l.billed / (l.over - l.day)
        FROM (
            SELECT l.day, l.currency, l.billed,
                   least(l.until, greatest((b.imported_at AT TIME ZONE 'UTC')::date, l.day + 1)) AS over
            FROM ledger_cloudbillline l
            JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
            WHERE l.company_id = %(company)s AND l.until > %(start)s AND l.day < %(stop)s
              AND l.charge_type <> 'credit'
        ) l
        CROSS JOIN generate_series(greatest(l.day, %(start)s) - l.day, least(l.over, %(stop)s) - l.day - 1) place
    ) charged
    GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class CostDay:
    """One day of the company's cloud, in base currency.

    Attributes:
        gross: before credits; None on days of which no bill speaks.
        credited: paid by credits on that day.
        p5_days: as it was last said on that day; None where nothing was.
    """

    day: date
    gross: Decimal | None
    credited: Decimal
    p5_days: int | None

    @property
    def net(self) -> Decimal | None:
        """What is left to pay in cash."""
        return None if self.gross is None else self.gross - self.credited


def cost_against_runway(*, company_id: int, start: date, stop: date) -> tuple[CostDay, ...]:
    """One entry per day of `[start, stop)`, the last MAX_DAYS of them. Days of bills are UTC, p5's the company's.

    Reads the daily sums for credits: call `ledger.services.daily_flows.catch_up` first.

    Raises:
        CompanyNotFound: no such company.
    """
    company = company_ref(company_id=company_id)
    start = max(start, stop - timedelta(days=MAX_DAYS))
    charged = charged_by_day(
        company_id=company_id, start=start, stop=stop, rates=Rates(company.base_currency, stop - timedelta(days=1))
    )
    credited: dict[date, Decimal] = {}
    for use in credits_used(company_id=company_id, before=stop):
        credited[use.day] = credited.get(use.day, ZERO) + use.amount
    zone = ZoneInfo(company.timezone)
    said = {
        each.at.astimezone(zone).date(): each.p5_days
        for each in runways_said(company_id=company_id, since=datetime.combine(start, time(), UTC))
    }
    days = (start + timedelta(days=place) for place in range((stop - start).days))
    return tuple(CostDay(day, charged.get(day), credited.get(day, ZERO), said.get(day)) for day in days)


def charged_by_day(*, company_id: int, start: date, stop: date, rates: Rates) -> Mapping[date, Decimal]:
    """What bills in force ask for before credits, by UTC day of use, in base currency.

    Args:
        rates: days whose currency it does not know are left out.
    """
    charged: dict[date, Decimal] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CHARGED, {"company": company_id, "start": start, "stop": stop})
        for day, currency, billed in cursor.fetchall():
            worth = rates.of(currency)
            if worth is not None:
                charged[day] = charged.get(day, ZERO) + billed * worth
    return charged
