"""Vendor credits over time: what is left on each day, and what lapses unused on which."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from ledger.domain.credit_grant import CreditGrantBalance, CreditGrantCurve, grant_curve
from ledger.models.statement import CreditGrantStatement
from ledger.selectors.credit_use import CreditUse, credits_used, uses_of


def credit_grant_curve(
    *,
    company_id: int,
    start: date,
    end: date,
    used: Sequence[CreditUse] | None = None,
    stated_by: date | None = None,
) -> tuple[CreditGrantCurve, ...]:
    """Return, for each provider with grants, what is left at the end of every day of [start, end).

    A lump that expires is a dated event among `expiries`. Days to come are told as if nothing more were used: that
    is for a forecast to say.

    Reads the daily sums: call `catch_up` first.

    Args:
        used: what counts as used, where the caller has read it (`credits_used`).
        stated_by: only statements up to this day count; None: up to the last day of the curve.
    """
    stated = _statements(company_id, min(end, stated_by + timedelta(days=1)) if stated_by else end)
    if used is None:
        used = credits_used(company_id=company_id, before=end)
    return tuple(
        grant_curve(
            provider,
            statements={day: tuple(grants.values()) for day, grants in by_day.items()},
            used=uses_of(provider, used=used, single=len(stated) == 1),
            start=start,
            end=end,
        )
        for provider, by_day in sorted(stated.items())
    )


def _statements(company_id: int, before: date) -> dict[str, dict[date, dict[date, CreditGrantBalance]]]:
    """Return {provider: {day: {expiry: grant}}}; of what was said again, the last counts."""
    rows = (
        CreditGrantStatement.objects.filter(company_id=company_id, day__lt=before)
        .order_by("recorded_at", "id")
        .values_list("provider", "day", "expires_on", "remaining")
    )
    found: dict[str, dict[date, dict[date, CreditGrantBalance]]] = defaultdict(lambda: defaultdict(dict))
    for provider, day, expires_on, remaining in rows:
        found[provider][day][expires_on] = CreditGrantBalance(provider, remaining, expires_on)
    return found
