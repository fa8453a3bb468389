"""The share of the cloud's cost that was saved, as bills and scores of runs tell it (docs/adr/0129)."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from cloudpolicy.engine.score import ZERO
from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.models.saving_score import SavingScore, Verdict
from cloudpolicy.selectors.cost_days import charged_by_day
from cloudpolicy.selectors.prices import newest_billed_day
from cloudpolicy.selectors.rates import Rates
from cloudpolicy.services.changes import Change
from ledger.domain.company import CompanyRef

FIGURE_DAYS = 30
# What was saved a year ago is how the company runs now.
COUNTED_FOR = timedelta(days=365)


def keep_cost_share(*, company: CompanyRef, changes: Sequence[Change], rates: Rates, now: datetime) -> None:
    """Compute the share of the last FIGURE_DAYS days billed, and keep it as the company's.

    Args:
        changes: all that runs of the company have changed.
    """
    newest = newest_billed_day(company_id=company.id, before=now.astimezone(UTC).date() + timedelta(days=1))
    values: dict[str, object] = {
        "start": None,
        "stop": None,
        "cost": None,
        "saved": None,
        "currency": company.base_currency,
        "because": "no cloud bill was imported",
        "looked_at": now,
    }
    if newest is not None:
        start, stop = newest - timedelta(days=FIGURE_DAYS - 1), newest + timedelta(days=1)
        charged = charged_by_day(company_id=company.id, start=start, stop=stop, rates=rates)
        cost = sum(charged.values(), ZERO)
        saved = _saved_on(company.id, changes, charged.keys())
        values |= {
            "start": start,
            "stop": stop,
            "cost": cost.quantize(Decimal("0.000001")),
            "saved": saved.quantize(Decimal("0.000001")),
            "because": rates.doubt if rates.unknown else "",
        }
    CostFigure.objects.update_or_create(company_id=company.id, defaults=values)


def _saved_on(company_id: int, changes: Sequence[Change], days: Collection[date]) -> Decimal:
    """What scores say was saved on days: each change until it is rolled back.

    A later change of the same groups is scored against what the earlier one left, so the two add up.

    Args:
        days: those that were billed; what was saved on others has no cost to stand beside.
    """
    judged = SavingScore.objects.filter(
        company_id=company_id,
        verdict__in=[Verdict.DELIVERED, Verdict.SHORT, Verdict.UNPRICED],
        billed__isnull=False,
    )
    daily = {
        row.run_id: (row.billed or ZERO) / row.after_days
        for row in judged.order_by("run_id", "-after_days").distinct("run_id")
    }
    ends = {change.run.undoes_id: change.first for change in changes if change.run.undoes_id is not None}
    total = ZERO
    for change in changes:
        if change.run.pk not in daily:
            continue
        first = change.last + timedelta(days=1)
        stop = min(ends.get(change.run.pk, date.max), first + COUNTED_FOR)
        total += sum(first <= day < stop for day in days) * daily[change.run.pk]
    return total
