"""What customers paid beforehand is owed once: in their balances until an invoice uses it, then as unearned."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.selectors.deferred_revenue import deferred_revenue
from ledger.selectors.invariants.invariant import Invariant, by_sql

_EARNS_MORE = """
    SELECT format('invoice %%s earns %%s of a balance of which it used %%s', document, earned, used)
    FROM (
        SELECT DISTINCT ON (source, document) source, document, used,
               (SELECT coalesce(sum((line ->> 1)::numeric), 0) FROM jsonb_array_elements(lines) line) AS earned
        FROM ledger_settledinvoice WHERE company_id = %(company)s
        ORDER BY source, document, revision DESC
    ) said
    WHERE earned > used
    ORDER BY document LIMIT 1
"""
_GAPS = """
    SELECT format('of invoice %%s there are %%s words, but the last is number %%s', document, count(*),
                  max(revision) + 1)
    FROM ledger_settledinvoice WHERE company_id = %(company)s
    GROUP BY source, document HAVING max(revision) + 1 <> count(*)
    ORDER BY document LIMIT 1
"""


def _difference(company: CompanyRef) -> str | None:
    return by_sql(_EARNS_MORE, _GAPS, company=company) or _curve(company)


def _curve(company: CompanyRef) -> str | None:
    """Hold the curve of what is owed to its parts, at the end of the last day of the journal."""
    newest = CapitalEvent.objects.filter(company_id=company.id).order_by("-occurred_at").first()
    if newest is None:
        return None
    last: datetime = newest.occurred_at.astimezone(ZoneInfo(company.timezone))
    found = deferred_revenue(
        company_id=company.id,
        timezone=company.timezone,
        start=last.date(),
        end=last.date() + timedelta(days=1),
    )
    parts = sum(payment.unearned for payment in found.payments)
    if found.unearned != (parts,):
        return f"on {last.date()} {found.unearned[0]} are unearned, of which payments account for {parts}"
    if found.in_credit[0] < 0:
        return f"on {last.date()} customers have {found.in_credit[0]} in credit"
    return None


INVARIANT = Invariant(
    "customer_balances", "what customers paid beforehand is owed once, until it is earned", _difference
)
