"""From today's p5 to a kept plan: forecast -> groups -> engine -> one row. Dry run: the cloud is only read.

Every decision is kept, "nothing to do" included. A forecast may come every second, though, and a decision that is
the same as the last one confirms it instead of adding a row: the row counts confirmations and notes the latest.
"""

from datetime import datetime, timedelta

from django.db import transaction

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine import plan as engine_plan
from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.runway import NoRunway, Runway
from cloudpolicy.filters.registry import all_filters
from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.groups_seen import GroupsSeen
from cloudpolicy.models.standing import LadderStanding
from cloudpolicy.selectors.groups_seen import SeenGroup
from cloudpolicy.selectors.memory import held_resources, read_history
from cloudpolicy.selectors.plans import StoredPlan, plans_of_the_policy, stored_plan
from cloudpolicy.selectors.savings import plan_worth
from cloudpolicy.selectors.unplanned import LOOK_AGAIN_AFTER
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.early_ends import rests_until
from cloudpolicy.services.held_resources import release_found_running
from cloudpolicy.services.inventory import Inventory, read_inventory, with_ours
from cloudpolicy.services.kept_plans import Same, keep_plan, plan_row, same_plan
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.policies import PolicyInForce, policy_in_force
from cloudpolicy.services.pricing import try_to_price
from cloudpolicy.services.runway import bring_forecast_up_to_date, runway_of
from cloudpolicy.services.sizes import clear_found_restored
from cloudpolicy.services.suspended_processes import release_processes_found_running
from cloudpolicy.services.unreadable_policy import keep_that_policy_is_unreadable
from ledger.domain.company import CompanyRef
from ledger.selectors.companies import company_ref


def plan_scaling(*, company_id: int, now: datetime) -> StoredPlan:
    """Plan on a person's or a script's demand: bring the forecast up to date, read the groups, keep the plan.

    Asking again while nothing has changed returns the same plan.

    Raises:
        CloudUnavailable: the groups cannot be read.
        CompanyNotFound: no such company.
        InvalidPolicy: the stored policy cannot be read. That is kept as a decision.
    """
    company = company_ref(company_id=company_id)
    bring_forecast_up_to_date(company=company, now=now)
    return _plan(company=company, now=now, same=same_plan)


def replan_scaling(*, company_id: int, now: datetime) -> StoredPlan | None:
    """Plan after a forecast was published. Keeps a plan when the decision differs from the last one.

    Returns:
        The plan in force, or None when the groups were looked at a moment ago and p5 has not left its band: then
        they are not even read.

    Raises:
        As `plan_scaling`.
    """
    company = company_ref(company_id=company_id)
    if _settled(company=company, now=now):
        return None
    return _plan(company=company, now=now, same=lambda new, last: new.decision == last.decision)


def _plan(*, company: CompanyRef, now: datetime, same: Same) -> StoredPlan:
    try:
        policy = policy_in_force(company_id=company.id, now=now)
    except InvalidPolicy as broken:
        keep_that_policy_is_unreadable(company=company, broken=broken, now=now)
        raise
    try:
        # Reading the cloud takes seconds when it is slow, so it happens before the lock is taken.
        held = {each.call.action for each in held_resources(company_id=company.id)}
        inventory = read_inventory(company=company.slug, policy=policy.policy, held=held)
        inventory = with_ours(company_id=company.id, inventory=inventory)
    except CloudUnavailable as unavailable:
        _move_cursor(company_id=company.id, tried_at=now, refusal=str(unavailable)[:400])
        raise
    with transaction.atomic():
        lock_planning(company.id)
        # Read under the lock, so that no plan on an older forecast follows one on a newer.
        runway = runway_of(company=company, now=now)
        plan = _evaluate(company_id=company.id, policy=policy, inventory=inventory, runway=runway, now=now)
        _remember(company_id=company.id, plan=plan)
        clear_found_restored(company_id=company.id, groups=inventory.groups, plan=plan, now=now)
        _note_groups(company_id=company.id, groups=inventory.groups, now=now)
        if plan.trusted:
            release_found_running(company_id=company.id, back=plan.back, now=now)
        release_processes_found_running(company_id=company.id, groups=inventory.groups, now=now)
        _move_cursor(
            company_id=company.id,
            considered_run=plan.forecast_run,
            looked_at=now,
            look_again_at=_next_look(company_id=company.id, plan=plan, policy=policy, now=now),
            tried_at=now,
            refusal="",
        )
        row = plan_row(company_id=company.id, policy=policy, plan=plan)
        kept = keep_plan(row, same=same_plan if policy.policy.approval.exact_run else same, now=now)
    # Simulations take a second or two, so nobody waits for them behind the lock.
    try_to_price(company=company, plan_id=kept.pk, groups=inventory.groups, resources=inventory.resources, now=now)
    return stored_plan(kept, worth=plan_worth(company_id=company.id, plan_id=kept.pk))


def _next_look(
    *, company_id: int, plan: engine_plan.ScalingPlan, policy: PolicyInForce, now: datetime
) -> datetime | None:
    """When time alone may lead on: as the plan says, or because a rest of what the policy does by itself ends."""
    rest = rests_until(company_id=company_id, now=now) if policy.policy.approval.automatic else None
    return min(filter(None, (plan.look_again_at, rest)), default=None)


def _note_groups(*, company_id: int, groups: tuple[Group, ...], now: datetime) -> None:
    seen = [SeenGroup.of(group).as_dict() for group in groups]
    GroupsSeen.objects.update_or_create(company_id=company_id, defaults={"groups": seen, "seen_at": now})


def _evaluate(
    *, company_id: int, policy: PolicyInForce, inventory: Inventory, runway: Runway | NoRunway, now: datetime
) -> engine_plan.ScalingPlan:
    return evaluate(
        policy=policy.policy,
        groups=inventory.groups,
        resources=inventory.resources,
        runway=runway,
        history=read_history(company_id=company_id, now=now),
        now=now,
        actions=all_actions(),
        filters=all_filters(),
    )


def _settled(*, company: CompanyRef, now: datetime) -> bool:
    """Whether the groups were looked at a moment ago and this forecast leads to the same rows and reasons.

    If so, the ladder has heard of the forecast, and the cursor has moved past it.
    """
    with transaction.atomic():
        lock_planning(company.id)
        last = plans_of_the_policy(company_id=company.id).order_by("-id").first()
        cursor = PlanningCursor.objects.filter(company_id=company.id).first()
        if last is None or cursor is None or cursor.looked_at is None:
            return False
        if not timedelta(0) <= now - cursor.looked_at < LOOK_AGAIN_AFTER:
            return False
        if cursor.look_again_at is not None and cursor.look_again_at <= now:
            return False
        try:
            policy = policy_in_force(company_id=company.id, now=now)
        except InvalidPolicy:
            return False
        if last.policy_id != policy.version_id or policy.policy.approval.exact_run:
            return False
        runway = runway_of(company=company, now=now)
        implied = _evaluate(company_id=company.id, policy=policy, inventory=Inventory(), runway=runway, now=now)
        rows = list(implied.band.row_names) if implied.band else []
        codes = {reason.code for reason in implied.read_only_because}
        if rows != last.rows_in_force or codes != {reason["code"] for reason in last.read_only_because}:
            return False
        _remember(company_id=company.id, plan=implied)
        # Without groups no exclusion is seen: an earlier look that was planned stays planned.
        ends = [end for end in (cursor.look_again_at, implied.look_again_at) if end is not None]
        _move_cursor(
            company_id=company.id, considered_run=implied.forecast_run, look_again_at=min(ends, default=None)
        )
        return True


def _remember(*, company_id: int, plan: engine_plan.ScalingPlan) -> None:
    """Keep where a decision on a trusted forecast left the ladder."""
    if not plan.trusted or plan.standing is None:
        return
    standing = plan.standing
    LadderStanding.objects.update_or_create(
        company_id=company_id,
        defaults={
            "rows_in_force": sorted(standing.rows_in_force),
            "waiting": dict(standing.waiting),
            "turns": {
                environment: {"at": turn.at.isoformat(), "direction": turn.direction}
                for environment, turn in standing.turns.items()
            },
            "counted_run": standing.counted_run,
        },
    )


def _move_cursor(*, company_id: int, **values: object) -> None:
    PlanningCursor.objects.update_or_create(company_id=company_id, defaults=values)
