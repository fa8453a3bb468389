"""Seven and thirty days after a plan was applied: what it was said to save, and what the bills say.

The groups' instance-hours before are compared with those after; what the rest of the company's instance-hours did
meanwhile is taken to have happened to the groups as well (docs/adr/0128 says what that cannot see).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from django.db import transaction

from cloudpolicy.engine.score import DAYS_PER_MONTH, ZERO, Spent, billed_saving, days_at, delivers
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.models.run import RunKind
from cloudpolicy.models.saving_score import SavingScore, Verdict
from cloudpolicy.selectors.billed_days import billed_days
from cloudpolicy.selectors.instance_costs import GroupLines, instance_costs, long_charges
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
MICRO = Decimal("0.000001")
BY_INSTANCE, BY_TYPE = "instances", "types"


@dataclass(frozen=True, slots=True)
class _Case:
    """A run so many days on, with all that is needed to judge it.

    Attributes:
        changes: all that runs of the company have changed, `change` among them.
        billed: days of which a bill speaks.
    """

    company: CompanyRef
    change: Change
    days: int
    changes: Sequence[Change]
    billed: frozenset[date]
    rates: Rates

    @property
    def days_after(self) -> list[date]:
        return _span(*self.change.window_after(self.days))

    @property
    def days_before(self) -> list[date]:
        """The days before that may be compared: none on or before which another run changed the groups."""
        start = self.change.first - timedelta(days=self.days)
        return _span(max(start, self.undisturbed_before[0]), self.change.first)

    @property
    def undisturbed_before(self) -> tuple[date, date]:
        """From the day after the groups were changed the last time until this change, half-open."""
        earlier = (each.last + timedelta(days=1) for each in self._same_groups if each.run.pk < self.change.run.pk)
        return max(earlier, default=date.min), self.change.first

    @property
    def undisturbed_after(self) -> tuple[date, date]:
        """From the day after this change until the groups were changed the next time, half-open."""
        later = (each.first for each in self._same_groups if each.run.pk > self.change.run.pk)
        return self.change.last + timedelta(days=1), min(later, default=date.max)

    @property
    def _same_groups(self) -> list[Change]:
        return [
            each
            for each in self.changes
            if each.run.pk != self.change.run.pk and each.touched & self.change.groups
        ]

    def is_due(self, today: date) -> bool:
        """Whether its window is over and its bills are there, or will not come any more."""
        _, stop = self.change.window_after(self.days)
        if today < stop:
            return False
        if today >= stop + GIVE_UP_AFTER:
            return True
        before = self.days_before
        if (before and self.billed.isdisjoint(before)) or not self.billed.issuperset(self.days_after):
            return False
        # A delivery may end in the middle of its last day.
        return max(self.billed) >= stop or today >= stop + SETTLED_AFTER


@dataclass(frozen=True, slots=True)
class _Compared:
    """What the bills say: `saved` over all of the days after.

    Attributes:
        is_spread: lines of several days were spread evenly over them.
        before_days, after_days: how many days could be compared.
    """

    saved: Decimal
    factor: Decimal
    method: str
    is_spread: bool
    before_days: int
    after_days: int


@dataclass(frozen=True, slots=True)
class _NotCompared:
    """Why the bills say nothing."""

    verdict: Verdict
    because: str


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
    cases = (
        _Case(company, change, days, changes, billed, rates)
        for change in changes
        for days in WINDOWS
        if change.run.kind == RunKind.APPLY and change.steps and (change.run.pk, days) not in scored
    )
    new = sum(_keep(_score(case), now) for case in cases if case.is_due(today))
    keep_cost_share(company=company, changes=changes, rates=rates, now=now)
    return new


def _span(start: date, stop: date) -> list[date]:
    return [start + timedelta(days=place) for place in range((stop - start).days)]


def _score(case: _Case) -> SavingScore:
    run, days = case.change.run, case.days
    score = SavingScore(
        company_id=case.company.id,
        run=run,
        after_days=days,
        band=run.plan.band,
        currency=case.company.base_currency,
        verdict=Verdict.UNBILLED,
    )
    price = _prediction(case.change)
    monthly = _predicted_per_month(case.change, price)
    curve = [(Decimal(saving), p5_days) for saving, p5_days in price.curve] if price else []
    if monthly is not None:
        score.predicted = (monthly / DAYS_PER_MONTH * days).quantize(CENT)
        score.predicted_days = days_at(curve=curve, saving_per_month=monthly)
    compared = _compared(case)
    if isinstance(compared, _NotCompared):
        score.verdict, score.text = compared.verdict, compared.because
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
        if compared.method == BY_INSTANCE
        else "lines of the groups' instance types, since bills name no instance of theirs"
    )
    spread = "; lines for several days, such as a month, are spread evenly by day" if compared.is_spread else ""
    # A factor of a few days' bills is not known more exactly than that.
    factor = round(compared.factor, 2).normalize()
    rest = (
        "the rest cost as much as before" if factor == 1 else f"the rest cost {factor:f} times as much as before"
    )
    counted = (("before", compared.before_days), ("after", compared.after_days))
    short = [f"{count} days {side}" for side, count in counted if count < days]
    only = f"; only {' and '.join(short)} could be compared" if short else ""
    return f"{how}{spread}; {rest}{only}"


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


def _compared(case: _Case) -> _Compared | _NotCompared:
    overtaken = overtaken_by(change=case.change, days=case.days, changes=case.changes)
    if overtaken is not None:
        because = f"run {overtaken.run.pk} changed the same groups before the window was over"
        return _NotCompared(Verdict.OVERTAKEN, because)
    after = case.days_after
    unbilled = len(after) - len(case.billed.intersection(after))
    if unbilled:
        because = f"no bill was imported of {unbilled} of these {case.days} days"
        return _NotCompared(Verdict.UNBILLED, because)
    possible = case.days_before
    if not possible:
        return _NotCompared(Verdict.UNBILLED, "the groups were changed on the days before as well")
    # Days of which no bill speaks cost something all the same: they are left out and do not count as free.
    before = [day for day in possible if day in case.billed]
    if not before:
        return _NotCompared(Verdict.UNBILLED, "no bill of the days before was imported")
    lines = _lines_of(case, possible[0])
    method = _method(case, [*before, *after], lines)
    long = long_charges(
        company_id=case.company.id, days=[*before, *after], lines=lines, names_instances=method == BY_INSTANCE
    )
    told_before = _told_apart(before, long, case.undisturbed_before)
    told_after = _told_apart(after, long, case.undisturbed_after)
    if not told_before or not told_after:
        return _NotCompared(Verdict.BLURRED, _in_one_line(case, long))
    return _by_the_day(case, method, told_before, told_after, lines)


def _method(case: _Case, days: list[date], lines: GroupLines) -> str:
    """By which lines the groups are known: those of their instances, or of their types where bills name none."""
    costs = instance_costs(company_id=case.company.id, days=days, lines=lines, rates=case.rates)
    return BY_INSTANCE if costs.of_instances else BY_TYPE


def _by_the_day(
    case: _Case, method: str, days_before: list[date], days_after: list[date], lines: GroupLines
) -> _Compared | _NotCompared:
    before, after = (
        instance_costs(company_id=case.company.id, days=days, lines=lines, rates=case.rates)
        for days in (days_before, days_after)
    )
    windows: list[Spent] = [
        each.by_instance() if method == BY_INSTANCE else each.by_type() for each in (before, after)
    ]
    if not windows[0].touched and not windows[1].touched:
        because = "no line of a bill speaks of the groups' instances or of their types"
        return _NotCompared(Verdict.UNBILLED, because)
    found = billed_saving(before=windows[0], after=windows[1])
    return _Compared(
        saved=(found.saved / after.days * case.days).quantize(MICRO, rounding=ROUND_HALF_EVEN),
        factor=found.factor,
        method=method,
        is_spread=before.is_spread or after.is_spread,
        before_days=before.days,
        after_days=after.days,
    )


def _lines_of(case: _Case, start: date) -> GroupLines:
    """Which lines of bills, from a day until the window is over, are of the groups."""
    groups = case.change.groups
    others = _changed_meanwhile(case.change, start, case.change.window_after(case.days)[1], case.changes)
    seen = GroupInstance.objects.filter(
        company_id=case.company.id, group__in={name for _, _, name in groups | others}
    ).values_list("account", "region", "group", "instance", "instance_type")
    mine = [each for each in seen if each[:3] in groups]
    return GroupLines(
        instances={instance for *_, instance, _ in mine},
        types={(region, kind) for _, region, _, _, kind in mine if kind},
        aside={instance for *place, instance, _ in seen if tuple(place) in others},
    )


def _told_apart(days: list[date], long: Sequence[tuple[date, date]], undisturbed: tuple[date, date]) -> list[date]:
    """Days without those that are charged in one line with days on the other side of a change."""
    start, stop = undisturbed
    blurred = [each for each in long if each[0] < start or each[1] > stop]
    return [day for day in days if not any(first <= day < until for first, until in blurred)]


def _in_one_line(case: _Case, long: Sequence[tuple[date, date]]) -> str:
    undisturbed = (case.undisturbed_before, case.undisturbed_after)
    first, until = next(
        each for each in long if not any(start <= each[0] and each[1] <= stop for start, stop in undisturbed)
    )
    return (
        f"bills charge {first} to {until - timedelta(days=1)} in one line, and the groups were changed within it:"
        " what of it was before and what after, nobody can tell"
    )


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
