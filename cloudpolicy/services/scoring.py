"""Seven and thirty days after a plan was applied: what it was said to save, and what the bills say.

The groups' instance-hours before are compared with those after; what the rest of the company's instance-hours did
meanwhile is taken to have happened to the groups as well (docs/adr/0128 says what that cannot see).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from cloudpolicy.engine.score import DAYS_PER_MONTH, ZERO, Spent, billed_saving, days_at, delivers
from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.models.run import Phase, RunKind, RunState, ScalingRun, StepEntry
from cloudpolicy.models.saving_score import SavingScore, Verdict
from cloudpolicy.selectors.cost_days import charged_by_day
from cloudpolicy.selectors.instance_costs import InstanceCosts, instance_costs
from cloudpolicy.selectors.prices import newest_billed_day
from cloudpolicy.selectors.rates import Rates
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref

WINDOWS = (7, 30)
# Bills of a month are restated and delivered late; after this long nothing more is waited for.
GIVE_UP_AFTER = timedelta(days=75)
FIGURE_DAYS = 30
# What was saved a year ago is how the company runs now.
COUNTED_FOR = timedelta(days=365)
CENT = Decimal("0.01")
GroupKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Change:
    """What a run has changed.

    Attributes:
        steps: places of the calls that are there because of this run.
        first, last: UTC days on which it began and ended.
    """

    run: ScalingRun
    steps: tuple[int, ...]
    groups: frozenset[GroupKey]
    first: date
    last: date


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
    changes = _changes(company_id)
    scored = set(SavingScore.objects.filter(company_id=company_id).values_list("run_id", "after_days"))
    newest = newest_billed_day(company_id=company_id, before=now.astimezone(UTC).date() + timedelta(days=1))
    rates = Rates(company.base_currency, now.astimezone(UTC).date())
    new = 0
    for change in changes:
        if change.run.kind != RunKind.APPLY:
            continue
        for days in WINDOWS:
            if (change.run.pk, days) in scored or not _is_due(change, days, now, newest):
                continue
            score = _score(company, change, days, changes, newest, rates)
            new += _keep(score, now)
    _keep_figure(company, changes, newest, rates, now)
    return new


def _changes(company_id: int) -> tuple[_Change, ...]:
    """Every ended run that changed something, the oldest first. Two queries."""
    runs = ScalingRun.objects.filter(company_id=company_id).exclude(state=RunState.OPEN).order_by("id")
    runs = runs.select_related("plan")
    made: dict[int, dict[int, str]] = {}
    for run_id, step, phase in (
        StepEntry.objects.filter(run__in=runs).order_by("run_id", "line").values_list("run_id", "step", "phase")
    ):
        made.setdefault(run_id, {})[step] = phase
    found = []
    for run in runs:
        # A step that was there already is nobody's saving.
        steps = tuple(step for step, phase in sorted(made.get(run.pk, {}).items()) if phase == Phase.THERE)
        if not steps or run.ended_at is None or run.calls is None:
            continue
        groups = frozenset(
            (call.get("account", ""), call["region"], call["group"])
            for place, call in enumerate(run.calls)
            if place in steps
        )
        first, last = run.started_at.astimezone(UTC).date(), run.ended_at.astimezone(UTC).date()
        found.append(_Change(run, steps, groups, first, last))
    return tuple(found)


def _window_after(change: _Change, days: int) -> tuple[date, date]:
    """Half-open; the day on which it ended is neither before nor after."""
    start = change.last + timedelta(days=1)
    return start, start + timedelta(days=days)


def _is_due(change: _Change, days: int, now: datetime, newest: date | None) -> bool:
    _, stop = _window_after(change, days)
    today = now.astimezone(UTC).date()
    if today < stop:
        return False
    is_billed = newest is not None and newest >= stop - timedelta(days=1)
    return is_billed or today >= stop + GIVE_UP_AFTER


def _score(
    company: CompanyRef,
    change: _Change,
    days: int,
    changes: Sequence[_Change],
    newest: date | None,
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
    overtaken = _overtaken(change, days, changes)
    if overtaken is not None:
        score.verdict = Verdict.OVERTAKEN
        score.text = f"run {overtaken.run.pk} changed the same groups before the window was over"
        return score
    _, stop = _window_after(change, days)
    if newest is None or newest < stop - timedelta(days=1):
        score.text = "no bill of these days was imported"
        return score
    compared = _compared(company, change, days, changes, rates)
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
    score.text = _said(compared, days)
    return score


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


def _prediction(change: _Change) -> PlanPrice | None:
    """What was said before the run began; where nobody had, what was said first."""
    prices = PlanPrice.objects.filter(company_id=change.run.company_id, plan_id=change.run.plan_id)
    return prices.filter(priced_at__lte=change.run.started_at).order_by("-id").first() or (
        prices.order_by("id").first()
    )


def _predicted_per_month(change: _Change, price: PlanPrice | None) -> Decimal | None:
    if price is None:
        return None
    savings = [price.calls[step]["monthly_saving"] for step in change.steps if step < len(price.calls)]
    if any(saving is None for saving in savings):
        return None
    return sum((Decimal(saving) for saving in savings), ZERO)


def _overtaken(change: _Change, days: int, changes: Sequence[_Change]) -> _Change | None:
    _, stop = _window_after(change, days)
    return next(
        (
            other
            for other in changes
            if other.run.pk > change.run.pk and other.first < stop and other.groups & change.groups
        ),
        None,
    )


def _compared(
    company: CompanyRef, change: _Change, days: int, changes: Sequence[_Change], rates: Rates
) -> _Compared | str:
    start = change.first - timedelta(days=days)
    for other in changes:
        if other.run.pk < change.run.pk and other.groups & change.groups:
            start = max(start, other.last + timedelta(days=1))
    if start >= change.first:
        return "the groups were changed on the days before as well"
    seen = GroupInstance.objects.filter(
        company_id=company.id, group__in={name for _, _, name in change.groups}
    ).values_list("account", "region", "group", "instance", "instance_type")
    mine = [each for each in seen if each[:3] in change.groups]
    instances = {instance for *_, instance, _ in mine}
    types = {(region, kind) for _, region, _, _, kind in mine if kind}

    def costs(first: date, stop: date) -> InstanceCosts:
        return instance_costs(
            company_id=company.id, start=first, stop=stop, instances=instances, types=types, rates=rates
        )

    before, after = costs(start, change.first), costs(*_window_after(change, days))
    method = "instances" if before.of_instances or after.of_instances else "types"
    windows: list[Spent] = [
        each.by_instance() if method == "instances" else each.by_type() for each in (before, after)
    ]
    if not windows[0].touched and not windows[1].touched:
        return "no line of a bill speaks of the groups' instances or of their types"
    found = billed_saving(before=windows[0], after=windows[1])
    return _Compared(found.saved, found.factor, method, before.days)


def _keep(score: SavingScore, now: datetime) -> int:
    """Add a score; nobody minds when another process was first."""
    score.scored_at = now
    score.text = score.text[:500]
    with transaction.atomic():
        before = SavingScore.objects.filter(run_id=score.run_id, after_days=score.after_days).exists()
        SavingScore.objects.bulk_create([score], ignore_conflicts=True)
    return 0 if before else 1


def _keep_figure(
    company: CompanyRef, changes: Sequence[_Change], newest: date | None, rates: Rates, now: datetime
) -> None:
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
        saved = _saved_in(company.id, changes, start, stop)
        values |= {
            "start": start,
            "stop": stop,
            "cost": cost.quantize(Decimal("0.000001")),
            "saved": saved.quantize(Decimal("0.000001")),
            "because": rates.doubt if rates.unknown else "",
        }
    CostFigure.objects.update_or_create(company_id=company.id, defaults=values)


def _saved_in(company_id: int, changes: Sequence[_Change], start: date, stop: date) -> Decimal:
    """What scores say was saved on the days of `[start, stop)`: each change until it is rolled back.

    A later change of the same groups is scored against what the earlier one left, so the two add up.
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
        last = min(ends.get(change.run.pk, stop), first + COUNTED_FOR, stop)
        total += max((last - max(first, start)).days, 0) * daily[change.run.pk]
    return total
