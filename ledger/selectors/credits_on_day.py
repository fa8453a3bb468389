"""Vendor credits as of a day: each grant with what is left, its draw-down, and the day on which it lapses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max, Min

from ledger.domain.credit_grant import CreditGrantCurve
from ledger.domain.month import months_after
from ledger.models.statement import CreditGrantStatement
from ledger.selectors.credit_use import CreditUse
from ledger.selectors.grant_curves import credit_grant_curve

ZERO = Decimal(0)
ONE_DAY = timedelta(days=1)
# The curve begins a year before the day, or with the month of the first statement, and ends where the last grant
# lapses, three years ahead at most.
MONTHS_BACK = 12
MOST_DAYS_AHEAD = 3 * 366


@dataclass(frozen=True, slots=True)
class Grant:
    """Attributes:
    stated: the most that was ever stated of it.
    remaining: at the end of the day, in base currency; nothing once it has expired.
    lapses: what goes unused on its last day, if nothing more is used from the day on.
    """

    provider: str
    expires_on: date
    stated: Decimal
    remaining: Decimal
    lapses: Decimal


@dataclass(frozen=True, slots=True)
class Credits:
    """Attributes:
    remaining: at the end of the day, of all grants.
    grants: soonest expiry first.
    curves: per provider, day by day: drawn down up to the day, then as if nothing more were used.
    """

    day: date
    remaining: Decimal
    grants: tuple[Grant, ...]
    curves: tuple[CreditGrantCurve, ...]


def credits_on(*, company_id: int, day: date, used: Sequence[CreditUse]) -> Credits:
    """Return a company's grants as of a day.

    Statements of later days and later use do not count: it is what the ledger says of the end of that day.

    Args:
        used: as `credits_used` tells.
    """
    stated = CreditGrantStatement.objects.filter(company_id=company_id, day__lte=day).aggregate(
        first=Min("day"), last=Max("expires_on")
    )
    if stated["first"] is None:
        return Credits(day, ZERO, (), ())
    last = min(stated["last"], day + timedelta(days=MOST_DAYS_AHEAD))
    start = max(months_after(day.replace(day=1), -MONTHS_BACK), stated["first"].replace(day=1))
    curves = credit_grant_curve(
        company_id=company_id,
        start=start,
        end=max(last, day) + 2 * ONE_DAY,
        used=[use for use in used if use.day <= day],
        stated_by=day,
    )
    at = (day - start).days
    grants = [
        Grant(
            provider=curve.provider,
            expires_on=line.expires_on,
            stated=line.stated,
            remaining=line.remaining[at],
            lapses=next((each.amount for each in curve.expiries if each.day == line.expires_on), ZERO),
        )
        for curve in curves
        for line in curve.grants
    ]
    return Credits(
        day=day,
        remaining=sum((grant.remaining for grant in grants), ZERO),
        grants=tuple(sorted(grants, key=lambda grant: (grant.expires_on, grant.provider))),
        curves=tuple(curves),
    )
