"""The cheapest steps to a wanted p5 as a plan, approved, applied, verified and rolled back as any other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.reason import Reason
from cloudpolicy.selectors.plans import StoredPlan, kept_plan
from cloudpolicy.services.cheapest_steps import CheapestSteps, Step, find_steps, need_reachable
from cloudpolicy.services.inventory import read_company_groups
from cloudpolicy.services.kept_plans import keep_plan, plan_row, same_plan
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.pricing import try_to_price
from cloudpolicy.services.runway import bring_forecast_up_to_date
from cloudpolicy.services.standing_plans import implied_today
from ledger.selectors.companies import company_ref


def plan_cheapest(*, company_id: int, wanted_p5_days: int, now: datetime) -> StoredPlan:
    """Plan the least disruptive steps that reach a wanted p5. Dry run: the cloud is only read.

    It is read-only for the same reasons as a plan of the policy, keeps to the same limits, and a person has to
    approve it whatever it touches. Where all that may be taken away does not reach the wanted p5, the plan takes
    that and says so. Asking again while nothing has changed returns the same plan.

    Raises:
        CloudUnavailable: the groups cannot be read.
        CompanyNotFound: no such company.
        InvalidPolicy: the stored policy is broken.
        NoCurve: the forecast cannot be run again, so nothing says which steps reach what.
        UnreachableTarget: the wanted p5 lies outside the horizon.
    """
    need_reachable(wanted_p5_days)
    company = company_ref(company_id=company_id)
    bring_forecast_up_to_date(company=company, now=now)
    policy = policy_in_force(company_id=company_id, now=now)
    implied = implied_today(company=company, policy=policy.policy, now=now)
    groups = read_company_groups(company=company.slug, policy=policy.policy)
    found = find_steps(
        company=company,
        policy=policy.policy,
        band=implied.band,
        groups=groups,
        wanted_p5_days=wanted_p5_days,
        now=now,
    )
    plan = _plan(found, implied, most_groups=policy.policy.limits.groups_per_plan)
    with transaction.atomic():
        lock_planning(company_id)
        row = plan_row(company_id=company_id, policy=policy, plan=plan, wanted_p5_days=wanted_p5_days)
        kept = keep_plan(row, same=same_plan, now=now)
    try_to_price(company=company, plan_id=kept.pk, groups=groups, now=now)
    return kept_plan(kept)


def _plan(found: CheapestSteps, implied: ScalingPlan, *, most_groups: int | None) -> ScalingPlan:
    """What today's forecast says against any plan, with these steps instead of the ladder's."""
    steps = _first(found.steps, most_groups)
    warnings = [warning for warning in implied.warnings if warning.code != "no_groups"]
    warnings += [Reason("not_counted", text) for text in found.left_out]
    if not found.reaches:
        text = f"all that may be taken away leads to a p5 of {found.p5_days} days, not {found.wanted_p5_days}"
        warnings.append(Reason("out_of_reach", text))
    elif not found.steps:
        warnings.append(Reason("reached", f"p5 is {found.base_p5_days} days already: nothing need be taken away"))
    if len(steps) < len(found.steps):
        left = len(found.steps) - len(steps)
        text = f"{left} more groups wait for the next plan: one plan changes {most_groups}"
        warnings.append(Reason("groups_wait", text))
    return replace(
        implied,
        calls=() if implied.p5_days is None else tuple(step.call for step in steps),
        warnings=tuple(warnings),
        standing=None,
        back=(),
    )


def _first(steps: Sequence[Step], most: int | None) -> tuple[Step, ...]:
    """As many as one plan may change: those that save most, in the order in which they were found."""
    if most is None or len(steps) <= most:
        return tuple(steps)
    kept = sorted(range(len(steps)), key=lambda place: -(steps[place].worth.low or 0))[:most]
    return tuple(steps[place] for place in sorted(kept))
