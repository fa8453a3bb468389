"""Seven and thirty days after a plan was applied: what it was said to save, and what the bills say.

The groups' instance-hours before are compared with those after; what the rest of the company's instance-hours did
meanwhile is taken to have happened to the groups as well (docs/adr/0128 says what that cannot see).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from cloudpolicy.engine.score import DAYS_PER_MONTH, ZERO, Spent, billed_saving, days_at, delivers
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.models.run import RunKind
from cloudpolicy.models.saving_score import SavingScore, Verdict
from cloudpolicy.selectors.billed_days import billed_days
from cloudpolicy.selectors.instance_costs import InstanceCosts, instance_costs
from cloudpolicy.selectors.rates import Rates
from cloudpolicy.services.changes import Change, GroupKey, changes_of, overtaken_by
from cloudpolicy.services.cost_share import keep_cost_share
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref

WINDOWS = (7, 30)
# Bills of a month are restated and delivered late; after this long nothing more is waited for.
GIVE_UP_AFTER = timedelta(days=75)
# So long after the last day of a window, what is billed of it is taken for all of it.
SETTLED_AFTER = timedelta(days=3)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Compared:
    saved: Decimal
    factor: Decimal
    method: str
    before_days: int


def look_at_savings(*, company_id: int, now: datetime) -> int:
    """Score every run whose time has come, and compute the share of the cloud's cost that was saved.

    Doing it again, or twice at once, adds nothing.

    Returns:
        How many scores are new.
    """
    company = company_ref(company_id=company_id)
    changes = changes_of(company_id=company_id)
    scored = set(SavingScore.objects.filter(company_id=company_id).values_list("run_id", "after_days"))
    today = now.astimezone(UTC).date()
    since = min((change.first for change in changes), default=today) - timedelta(days=max(WINDOWS))
    billed = billed_days(company_id=company_id, start=since, stop=today + timedelta(days=1))
    rates = Rates(company.base_currency, today)
    new = 0
    for change in changes:
        if change.run.kind != RunKind.APPLY or not change.steps:
            continue
        for days in WINDOWS:
            if (change.run.pk, days) in scored or not _is_due(change, days, today, changes, billed):
                continue
            score = _score(company, change, days, changes, billed, rates)
            new += _keep(score, now)
    keep_cost_share(company=company, changes=changes, rates=rates, now=now)
    return new


def _is_due(change: Change, days: int, today: date, changes: Sequence[Change], billed: frozenset[date]) -> bool:
    """Whether its window is over and its bills are there, or will not come any more."""
    start, stop = change.window_after(days)
    if today < stop:
        return False
    if today >= stop + GIVE_UP_AFTER:
        return True
    before = _days_before(change, days, changes)
    if (before and billed.isdisjoint(before)) or not billed.issuperset(_span(start, stop)):
        return False
    # A delivery may end in the middle of its last day.
    return max(billed) >= stop or today >= stop + SETTLED_AFTER


def _span(start: date, stop: date) -> list[date]:
    return [start + timedelta(days=place) for place in range((stop - start).days)]


def _days_before(change: Change, days: int, changes: Sequence[Change]) -> list[date]:
    """The days before a change that may be compared: none on or before which another run changed its groups."""
    start = change.first - timedelta(days=days)
    for other in changes:
        if other.run.pk < change.run.pk and other.touched & change.groups:
            start = max(start, other.last + timedelta(days=1))
    return _span(start, change.first)


def _score(
    company: CompanyRef,
    change: Change,
    days: int,
    changes: Sequence[Change],
    billed: frozenset[date],
    rates: Rates,
) -> SavingScore:
    run = change.run
    score = SavingScore(
        company_id=company.id,
        run=run,
        after_days=days,
        band=run.plan.band,
        currency=company.base_currency,
        verdict=Verdict.UNBILLED,
    )
    price = _prediction(change)
    monthly = _predicted_per_month(change, price)
    curve = [(Decimal(saving), p5_days) for saving, p5_days in price.curve] if price else []
    if monthly is not None:
        score.predicted = (monthly / DAYS_PER_MONTH * days).quantize(CENT)
        score.predicted_days = days_at(curve=curve, saving_per_month=monthly)
    overtaken = overtaken_by(change=change, days=days, changes=changes)
    if overtaken is not None:
        score.verdict = Verdict.OVERTAKEN
        score.text = f"run {overtaken.run.pk} changed the same groups before the window was over"
        return score
    unbilled = days - len(billed.intersection(_span(*change.window_after(days))))
    if unbilled:
        score.text = f"no bill was imported of {unbilled} of these {days} days"
        return score
    compared = _compared(company, change, days, changes, billed, rates)
    if isinstance(compared, str):
        score.text = compared
        return score
    score.billed, score.adjusted_by, score.method = compared.saved, compared.factor, compared.method
    score.billed_days = days_at(curve=curve, saving_per_month=compared.saved / days * DAYS_PER_MONTH)
    if score.predicted is None or score.predicted == 0:
        score.verdict = Verdict.UNPRICED
        score.text = "the plan had no price for every step" if score.predicted is None else "nothing was predicted"
        return score
    is_true = delivers(predicted=score.predicted, billed=compared.saved)
    score.verdict = Verdict.DELIVERED if is_true else Verdict.SHORT
    score.text = "; ".join(filter(None, (_said(compared, days), _credited(price))))
    return score


def _credited(price: PlanPrice | None) -> str:
    """Why money that is saved may be few days, or none."""
    percent = 0 if price is None else round(price.credit_share * 100)
    return (
        f"credits paid {percent} % of the bill, and what they pay adds no days before they end" if percent else ""
    )


def _said(compared: _Compared, days: int) -> str:
    how = (
        "lines of the groups' instances"
        if compared.method == "instances"
        else "lines of the groups' instance types, since bills name no instance of theirs"
    )
    factor = compared.factor.normalize()
    rest = (
        "the rest cost as much as before" if factor == 1 else f"the rest cost {factor:f} times as much as before"
    )
    short = f"; only {compared.before_days} days before could be compared" if compared.before_days < days else ""
    return f"{how}; {rest}{short}"


def _prediction(change: Change) -> PlanPrice | None:
    """What was said before the run began; where nobody had, what was said first."""
    prices = PlanPrice.objects.filter(company_id=change.run.company_id, plan_id=change.run.plan_id)
    return prices.filter(priced_at__lte=change.run.started_at).order_by("-id").first() or (
        prices.order_by("id").first()
    )


def _predicted_per_month(change: Change, price: PlanPrice | None) -> Decimal | None:
    if price is None:
        return None
    savings = [price.calls[step]["monthly_saving"] for step in change.steps if step < len(price.calls)]
    if any(saving is None for saving in savings):
        return None
    return sum((Decimal(saving) for saving in savings), ZERO)


def _compared(
    company: CompanyRef,
    change: Change,
    days: int,
    changes: Sequence[Change],
    billed: frozenset[date],
    rates: Rates,
) -> _Compared | str:
    possible = _days_before(change, days, changes)
    if not possible:
        return "the groups were changed on the days before as well"
    # Days of which no bill speaks cost something all the same: they are left out and do not count as free.
    before_days = [day for day in possible if day in billed]
    if not before_days:
        return "no bill of the days before was imported"
    stop = change.window_after(days)[1]
    others = _changed_meanwhile(change, possible[0], stop, changes)
    seen = GroupInstance.objects.filter(
        company_id=company.id, group__in={name for _, _, name in change.groups | others}
    ).values_list("account", "region", "group", "instance", "instance_type")
    mine = [each for each in seen if each[:3] in change.groups]
    aside = {instance for *place, instance, _ in seen if tuple(place) in others}
    instances = {instance for *_, instance, _ in mine}
    types = {(region, kind) for _, region, _, _, kind in mine if kind}

    def costs(first: date, stop: date) -> InstanceCosts:
        return instance_costs(
            company_id=company.id,
            start=first,
            stop=stop,
            instances=instances,
            types=types,
            aside=aside,
            rates=rates,
        )

    before = replace(costs(before_days[0], change.first), days=len(before_days))
    after = costs(*change.window_after(days))
    method = "instances" if before.of_instances or after.of_instances else "types"
    windows: list[Spent] = [
        each.by_instance() if method == "instances" else each.by_type() for each in (before, after)
    ]
    if not windows[0].touched and not windows[1].touched:
        return "no line of a bill speaks of the groups' instances or of their types"
    found = billed_saving(before=windows[0], after=windows[1])
    return _Compared(found.saved, found.factor, method, before.days)


def _changed_meanwhile(change: Change, start: date, stop: date, changes: Sequence[Change]) -> frozenset[GroupKey]:
    """Other groups that runs have changed in `[start, stop)`: they are no likeness of what nobody touched."""
    groups: set[GroupKey] = set()
    for other in changes:
        if other.run.pk != change.run.pk and start <= other.last and other.first < stop:
            groups |= other.touched
    return frozenset(groups - change.groups)


def _keep(score: SavingScore, now: datetime) -> int:
    """Add a score; nobody minds when another process was first."""
    score.scored_at = now
    score.text = score.text[:500]
    with transaction.atomic():
        before = SavingScore.objects.filter(run_id=score.run_id, after_days=score.after_days).exists()
        SavingScore.objects.bulk_create([score], ignore_conflicts=True)
    return 0 if before else 1
