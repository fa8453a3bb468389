"""What it would take to reach a wanted p5: the least disruptive set of sizes, on paper. Nothing of it is kept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cloudpolicy.actions import resize_group
from cloudpolicy.engine.band import Band, band_at
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cheapest import Choice, Disruption, Option, Shrinkable, cheapest_choice
from cloudpolicy.engine.exclusion import Exclusion, Place
from cloudpolicy.engine.followers import NOBODY
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.least import least_instances, made_smaller
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.price import ZERO, PriceBook
from cloudpolicy.engine.question import left_alone
from cloudpolicy.engine.saving import footing_of, saving_of
from cloudpolicy.engine.worth import CallWorth
from cloudpolicy.filters.registry import all_filters
from cloudpolicy.selectors.exclusions import exclusions_now
from cloudpolicy.services.inventory import read_company_groups
from cloudpolicy.services.p5_by_saving import P5BySaving, p5_by_saving
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.pricing import book_of
from cloudpolicy.services.standing_plans import implied_today
from forecasting.engine import HORIZON_DAYS
from ledger.domain.company import CompanyRef

# Halvings of what is saved: finer than a unit of currency for a bill of tens of thousands a month.
MOST_HALVINGS = 16
CLOSE_ENOUGH = Decimal(1)
MOST_SIZES = 50
CENT = Decimal("0.01")
BECAUSE = "the cheapest steps to a wanted cautious runway"


@dataclass(frozen=True, slots=True)
class Step:
    """One group made smaller. `worth` is of this step alone; the choice counted on its `low` end."""

    call: ApiCall
    worth: CallWorth


@dataclass(frozen=True, slots=True)
class CheapestSteps:
    """The answer.

    Attributes:
        reaches: whether the wanted p5 is reached; if not, `steps` take away all that may be.
        p5_days: with the steps; `base_p5_days` without.
        is_exact: no other set of sizes that saves enough takes less away, to a unit of currency a month.
        credit_share: of the cloud bill, paid by credits lately: that part saves no cash before they end.
        left_out: groups that cannot be counted on, each with why.
        lacks_prices: some of them because nobody knows what they cost.
    """

    wanted_p5_days: int
    base_p5_days: int
    p5_days: int
    reaches: bool
    is_exact: bool
    currency: str
    monthly_saving: Decimal
    steps: tuple[Step, ...]
    left_out: tuple[str, ...]
    credit_share: Decimal = ZERO
    lacks_prices: bool = False

    @property
    def monthly_cash_saving(self) -> Decimal:
        """What leaves the bank less while credits pay their share."""
        return self.monthly_saving * (1 - self.credit_share)

    def to_json(self) -> dict[str, Any]:
        return {
            "wanted_p5_days": self.wanted_p5_days,
            "base_p5_days": self.base_p5_days,
            "p5_days": self.p5_days,
            "reaches": self.reaches,
            "is_exact": self.is_exact,
            "currency": self.currency,
            "monthly_saving": f"{self.monthly_saving:.2f}",
            "monthly_cash_saving": f"{self.monthly_cash_saving:.2f}",
            "credit_share": f"{self.credit_share:f}",
            "steps": [
                {
                    "action": step.call.action,
                    "group": step.call.group,
                    "environment": step.call.environment,
                    "account": step.call.account,
                    "region": step.call.region,
                    "before": dict(step.call.before),
                    "after": dict(step.call.after),
                    "monthly_saving": None if step.worth.low is None else f"{step.worth.low:.2f}",
                    "price": step.worth.price,
                }
                for step in self.steps
            ],
            "left_out": list(self.left_out),
        }


class UnreachableTarget(ValueError):
    """A wanted p5 that is no number of days within the horizon."""


def cheapest_steps(*, company: CompanyRef, wanted_p5_days: int, now: datetime) -> CheapestSteps:
    """Find the sizes that reach a wanted p5 with the least capacity taken away, production last.

    Sizes stay within what `engine.least` allows, so that they can be planned (`services.cheapest_plan`); groups
    that a filter leaves alone are not touched. Savings are counted at the low end of their range.

    Raises:
        CloudUnavailable: the groups cannot be read.
        InvalidPolicy: the stored policy is broken.
        NoCurve: the forecast cannot be run again.
        UnreachableTarget: the wanted p5 lies outside the horizon.
    """
    need_reachable(wanted_p5_days)
    policy = policy_in_force(company_id=company.id, now=now).policy
    band = implied_today(company=company, policy=policy, now=now).band
    groups = read_company_groups(company=company.slug, policy=policy)
    return find_steps(
        company=company, policy=policy, band=band, groups=groups, wanted_p5_days=wanted_p5_days, now=now
    )


def need_reachable(wanted_p5_days: int) -> None:
    """Raises UnreachableTarget: it lies outside the horizon."""
    if not 0 < wanted_p5_days < HORIZON_DAYS:
        raise UnreachableTarget(f"must be from 1 to {HORIZON_DAYS - 1} days")


def find_steps(
    *,
    company: CompanyRef,
    policy: Policy,
    band: Band | None,
    groups: tuple[Group, ...],
    wanted_p5_days: int,
    now: datetime,
) -> CheapestSteps:
    """As `cheapest_steps`, of what was read already.

    Args:
        band: where the runway stands on the ladder; None where no published forecast says it.

    Raises:
        CloudUnavailable: the setting of the cloud accounts is wrong.
        NoCurve: the forecast cannot be run again.
    """
    exclusions = {each.place: each for each in exclusions_now(company_id=company.id, now=now)}
    mine, left_out = _touchable(groups, policy, now.astimezone(ZoneInfo(company.timezone)), exclusions)
    book = book_of(company=company, groups=mine, now=now)
    curve = p5_by_saving(company=company, now=now)
    base = curve.at(ZERO)
    band = band or band_at(policy=policy, p5_days=base.days, rows_in_force=())
    touched_by_nobody = len(left_out)
    shrinkable = [_shrinkable(group, policy, band, book, left_out) for group in mine]
    choice = _choice(shrinkable, curve, wanted_p5_days)
    reaches = choice is not None
    if choice is None:
        choice = _everything(shrinkable)
    steps = tuple(_step(mine[place], option, policy, book) for place, option in choice.picked)
    reached = curve.at(_capped(choice.monthly_saving, curve))
    return CheapestSteps(
        wanted_p5_days=wanted_p5_days,
        base_p5_days=base.days,
        p5_days=reached.days,
        reaches=reaches,
        is_exact=choice.is_exact,
        currency=company.base_currency,
        monthly_saving=choice.monthly_saving,
        steps=steps,
        left_out=tuple(left_out),
        credit_share=book.credit_share,
        lacks_prices=len(left_out) > touched_by_nobody,
    )


def _touchable(
    groups: tuple[Group, ...], policy: Policy, local_now: datetime, exclusions: Mapping[Place, Exclusion]
) -> tuple[list[Group], list[str]]:
    mine, left_out = [], []
    for group in groups:
        if not group.opted_in:
            continue
        left = left_alone(group, policy, local_now, all_filters())
        excluded = exclusions.get(group.key)
        if left is not None:
            left_out.append(left.reason.text)
        elif excluded is not None and not excluded.only_growth:
            left_out.append(excluded.reason.text)
        else:
            mine.append(group)
    return mine, left_out


def _shrinkable(group: Group, policy: Policy, band: Band, book: PriceBook, left_out: list[str]) -> Shrinkable:
    """What may be taken from a group; nothing where it has no price."""
    before = footing_of(group)
    options: list[Option] = []
    most = group.capacity.desired - least_instances(group=group, policy=policy, band=band)
    # Of a large group not every size is tried; the smallest steps and the last one are.
    stride = max(1, math.ceil(most / MOST_SIZES))
    for removed in sorted(size for size in {*range(1, most + 1, stride), most} if size > 0):
        after = replace(before, desired=before.desired - removed)
        worth = saving_of(group=group, before=before, after=after, book=book)
        if worth.low is None:
            left_out.append(f"{group.name}: {worth.because}")
            break
        if worth.low > 0:
            options.append(Option(removed, worth.low))
    is_production = group.environment in policy.approval.production
    return Shrinkable(group.name, is_production, tuple(options), is_whole=stride == 1)


def _choice(groups: list[Shrinkable], curve: P5BySaving, wanted_p5_days: int) -> Choice | None:
    """The least that has to be saved is looked for by halving, then covered with the least disruption."""
    if curve.at(ZERO).days >= wanted_p5_days:
        return cheapest_choice(groups=groups, wanted=ZERO)
    most = _capped(_everything(groups).monthly_saving, curve)
    if curve.at(most).days < wanted_p5_days:
        return None
    misses, reaches = ZERO, most
    for _ in range(MOST_HALVINGS):
        if reaches - misses <= CLOSE_ENOUGH:
            break
        middle = ((misses + reaches) / 2).quantize(CENT)
        if curve.at(middle).days >= wanted_p5_days:
            reaches = middle
        else:
            misses = middle
    return cheapest_choice(groups=groups, wanted=reaches)


def _everything(groups: list[Shrinkable]) -> Choice:
    """Of every group the option that saves most."""
    picked = [
        (place, max(group.options, key=lambda option: option.monthly_saving))
        for place, group in enumerate(groups)
        if group.options
    ]
    disruption, saving = Disruption(), ZERO
    for place, option in picked:
        disruption, saving = disruption.plus(groups[place], option), saving + option.monthly_saving
    return Choice(tuple(picked), saving, disruption)


def _capped(saving: Decimal, curve: P5BySaving) -> Decimal:
    return min(saving, curve.most)


def _step(group: Group, option: Option, policy: Policy, book: PriceBook) -> Step:
    desired = group.capacity.desired - option.removed
    before = footing_of(group)
    target = Target(
        made_smaller(group=group, policy=policy, desired=desired),
        spot=None,
        on_demand_percent=policy.on_demand_percent_with_spot,
        because=BECAUSE,
    )
    (call,) = resize_group.propose(group, target, NOBODY).calls
    worth = saving_of(group=group, before=before, after=replace(before, desired=desired), book=book)
    return Step(call, worth)
