"""Vendor credits over time: what is left on each day, and what lapses unused on which."""

from collections import defaultdict
from datetime import date

from ledger.domain.credit_grant import CreditGrantBalance, CreditGrantCurve, grant_curve
from ledger.models.statement import CreditGrantStatement
from ledger.selectors.credit_use import credits_used, uses_of


def credit_grant_curve(*, company_id: int, start: date, end: date) -> tuple[CreditGrantCurve, ...]:
    """Return, for each provider with grants, what is left at the end of every day of [start, end).

    A lump that expires is a dated event among `expiries`. Days to come are told as if nothing more were used: that
    is for a forecast to say.

    Reads the daily sums: call `catch_up` first.
    """
    stated = _statements(company_id, end)
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
