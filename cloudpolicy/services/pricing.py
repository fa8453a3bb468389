"""What a plan's calls are worth, found when the plan is kept and stored beside it.

The digest of a plan, to which an approval binds, does not cover this: a bill that arrives changes what a step is
known to save, and nothing of what is done (docs/adr/0126).
"""

import logging
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from cloudpolicy.engine.call import parse_call
from cloudpolicy.engine.call_savings import call_savings
from cloudpolicy.engine.document import canonical_digest
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.price import ZERO, PriceBook
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.resource_saving import BILLED_AS, TYPE
from cloudpolicy.engine.worth import CallWorth
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.selectors.prices import price_book
from cloudpolicy.services.p5_by_saving import P5, NoCurve, P5BySaving, p5_by_saving
from cloudpolicy.services.prices import account_numbers_of
from ledger.domain.company import CompanyRef
from ledger.services.daily_flows import catch_up

logger = logging.getLogger(__name__)

# Twenty calls, each alone and each after the others, and the plan without any. Larger plans are read off points
# spread evenly over what they save.
MOST_SIMULATIONS = 41
PRICED_AGAIN_AFTER = timedelta(hours=24)
INSTANCES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class _Days:
    """The days of a plan's calls."""

    calls: tuple[CallWorth, ...]
    base: P5 | None = None
    all_made: P5 | None = None
    curve: tuple[tuple[Decimal, P5], ...] = ()
    because: str = ""


def note_instances(
    *, company_id: int, groups: Iterable[Group], now: datetime, resources: Iterable[Resource] = ()
) -> None:
    """Keep which instances were seen in opted-in groups: bills name instances and never groups.

    A single instance or database is one of its own name.
    """
    seen = {
        (*group.key, instance.id): instance.type
        for group in groups
        if group.opted_in
        for instance in group.instances
    }
    seen |= {
        (*resource.key[1:], str(resource.details[BILLED_AS])): str(resource.details.get(TYPE, ""))
        for resource in resources
        if resource.opted_in and resource.details.get(BILLED_AS)
    }
    known = set(
        GroupInstance.objects.filter(
            company_id=company_id, instance__in={instance for *_, instance in seen}
        ).values_list("account", "region", "group", "instance")
    )
    rows = [
        GroupInstance(
            company_id=company_id,
            account=account,
            region=region,
            group=group,
            instance=instance,
            instance_type=kind,
            first_seen=now,
        )
        for (account, region, group, instance), kind in seen.items()
        if (account, region, group, instance) not in known
    ]
    GroupInstance.objects.bulk_create(rows, batch_size=INSTANCES_AT_ONCE, ignore_conflicts=True)


def try_to_price(
    *,
    company: CompanyRef,
    plan_id: int,
    groups: Sequence[Group],
    now: datetime,
    resources: Sequence[Resource] = (),
) -> None:
    """Keep what a plan's calls are worth. The plan stands without: no price is a reason not to act."""
    try:
        note_instances(company_id=company.id, groups=groups, resources=resources, now=now)
        price_plan(company=company, plan_id=plan_id, groups=groups, resources=resources, now=now)
    except Exception:
        logger.exception("plan_not_priced: company %s, plan %s", company.id, plan_id)


def price_plan(
    *,
    company: CompanyRef,
    plan_id: int,
    groups: Sequence[Group],
    now: datetime,
    resources: Sequence[Resource] = (),
) -> None:
    """Find out what a plan's calls are worth and keep it; nothing is kept while the last pricing still holds.

    It holds for a day unless a price has changed since.

    Args:
        groups, resources: as they were read for the plan.
    """
    plan = ScalingPlan.objects.get(company_id=company.id, pk=plan_id)
    if not plan.calls:
        return
    calls = [parse_call(call) for call in plan.calls]
    touched = {(call.account, call.region, call.group) for call in calls}
    book = book_of(
        company=company,
        groups=[group for group in groups if group.key in touched],
        billed_as=[str(each.details.get(BILLED_AS, "")) for each in resources if each.key[1:] in touched],
        now=now,
    )
    worths = call_savings(calls=calls, groups=groups, resources=resources, book=book)
    digest = canonical_digest({"calls": [worth.as_dict() for worth in worths], "credit": str(book.credit_share)})
    last = PlanPrice.objects.filter(company_id=company.id, plan=plan).order_by("-id").first()
    if last is not None and last.prices == digest and now - last.priced_at < PRICED_AGAIN_AFTER:
        return
    found = _with_days(worths, company=company, now=now)
    PlanPrice.objects.create(
        company_id=company.id,
        plan=plan,
        priced_at=now,
        prices=digest,
        currency=company.base_currency,
        credit_share=book.credit_share,
        monthly_saving=total_saving(worths),
        base_p5_days=found.base.days if found.base else None,
        p5_days=found.all_made.days if found.all_made else None,
        calls=[worth.as_dict() for worth in found.calls],
        curve=[[f"{saving:f}", p5.days] for saving, p5 in found.curve],
        because=found.because[:500],
    )


def book_of(
    *, company: CompanyRef, groups: Sequence[Group], now: datetime, billed_as: Iterable[str] = ()
) -> PriceBook:
    """The prices that groups may need.

    Args:
        billed_as: how bills name other resources that may need one.

    Raises:
        CloudUnavailable: the setting of the cloud accounts is wrong.
    """
    catch_up(company_id=company.id)
    return price_book(
        company=company,
        today=now.astimezone(ZoneInfo(company.timezone)).date(),
        account_numbers=account_numbers_of(company),
        instances={*billed_as, *(instance.id for group in groups for instance in group.instances)} - {""},
    )


def total_saving(worths: Sequence[CallWorth]) -> Decimal | None:
    """Of all calls; None where one is not known."""
    savings = [worth.monthly_saving for worth in worths]
    known = [saving for saving in savings if saving is not None]
    return sum(known, ZERO) if len(known) == len(savings) else None


def _with_days(worths: Sequence[CallWorth], *, company: CompanyRef, now: datetime) -> _Days:
    """Run the forecast again with each saving alone, and with each after those before it."""
    is_known = [worth.monthly_saving is not None for worth in worths]
    if not all(is_known) and not any(worth.monthly_saving for worth in worths):
        return _Days(tuple(worths), because="no step has a price")
    sums: list[Decimal] = [ZERO]
    for worth in worths:
        sums.append(sums[-1] + (worth.monthly_saving or ZERO))
    alone = [worth.monthly_saving or ZERO for worth in worths]
    try:
        curve = p5_by_saving(company=company, now=now)
        told = _Told(curve, [*sums, *alone])
        base = told.at(ZERO)
        calls = tuple(
            worth
            if worth.monthly_saving is None
            else replace(
                worth,
                days_of_p5=told.at(alone[place]).days - base.days,
                days_together=told.at(sums[place + 1]).days - told.at(sums[place]).days,
                is_least=told.at(alone[place]).is_beyond and not base.is_beyond,
            )
            for place, worth in enumerate(worths)
        )
        all_made = told.at(sums[-1])
    except NoCurve as unknown:
        return _Days(tuple(worths), because=str(unknown))
    return _Days(calls, base, all_made if all(is_known) else None, curve.simulated)


class _Told:
    """p5 at the savings of a plan: each simulated, or, of a large plan, read off evenly spread ones."""

    def __init__(self, curve: P5BySaving, savings: Sequence[Decimal]) -> None:
        self._curve = curve
        wanted = sorted({ZERO, *savings})
        self._points: list[Decimal] | None = None
        if len(wanted) > MOST_SIMULATIONS:
            low, high = wanted[0], wanted[-1]
            step = (high - low) / (MOST_SIMULATIONS - 2)
            spread = [(low + step * place).quantize(Decimal("0.01")) for place in range(MOST_SIMULATIONS - 2)]
            self._points = sorted({ZERO, *spread, high})

    def at(self, saving: Decimal) -> P5:
        if self._points is None or saving in self._points:
            return self._curve.at(saving)
        place = bisect_left(self._points, saving)
        left, right = self._points[place - 1], self._points[place]
        before, after = self._curve.at(left), self._curve.at(right)
        share = float((saving - left) / (right - left))
        return P5(round(before.days + share * (after.days - before.days)), before.is_beyond)
