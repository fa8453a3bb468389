"""The sizes that groups return to: kept before a plan first shrinks them, cleared once they are back."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import models

from cloudpolicy.engine.call import ApiCall, parse_call, place_of
from cloudpolicy.engine.capacity import parse_capacity
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.limits import SIZE
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.target import RESTORED
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.run import RunKind, ScalingRun


def size_to_keep(*, run: ScalingRun, call: ApiCall, now: datetime) -> GroupSize | None:
    """What to keep with the first call on a group that a row of the ladder or a person's wish for runway asks for;
    None when it is kept already.

    All calls of the plan on the group are looked at, since spot is turned before the size is changed.
    """
    shrinks = call.because in run.plan.rows_in_force or run.plan.wanted_p5_days is not None
    if run.kind != RunKind.APPLY or not shrinks or _open_sizes(run, call).exists():
        return None
    before: dict[str, object] = {}
    for planned in run.calls or ():
        other = parse_call(planned)
        if place_of(other) == place_of(call):
            before = {**other.before, **before}
    if not set(before) >= SIZE:
        return None  # The size stays, so there is none to return to.
    size = parse_capacity(before)
    spot, share = before.get("spot"), before.get("on_demand_percent")
    return GroupSize(
        company_id=run.company_id,
        plan=run.plan,
        account=call.account,
        region=call.region,
        group=call.group,
        min=size.min,
        max=size.max,
        desired=size.desired,
        spot=spot if isinstance(spot, bool) else None,
        on_demand_percent=share if isinstance(share, int) else None,
        journalled_at=now,
    )


def clear_restored(
    *, run: ScalingRun, calls: Sequence[ApiCall], unfinished: Collection[int], now: datetime
) -> None:
    """Clear what is kept of groups that a run has brought back, so that the next shrinking keeps its own.

    Args:
        unfinished: places of the calls that are not done.
    """
    left = {place_of(calls[place]) for place in unfinished}
    for call in calls:
        if place_of(call) in left:
            continue
        if run.kind == RunKind.ROLLBACK:
            _after_rollback(run, call, now)
        elif call.because not in run.plan.rows_in_force and run.plan.wanted_p5_days is None:
            for size in _open_sizes(run, call):
                if call.because != RESTORED or not _is_short_of(size, calls):
                    _clear(size, now, run)


def clear_found_restored(*, company_id: int, groups: Iterable[Group], plan: ScalingPlan, now: datetime) -> None:
    """Clear what is kept of groups that no row holds and no call would change: they are back, whoever did it."""
    band = plan.band
    if not plan.trusted or band is None:
        return
    touched = {place_of(call) for call in plan.calls}
    by_key = {group.key: group for group in groups}
    for size in GroupSize.objects.filter(company_id=company_id, restored_at__isnull=True):
        group = by_key.get((size.account, size.region, size.group))
        if group is None or group.key in touched or band.row_of(group.environment) is not None:
            continue
        if group.opted_in and (size.min, size.max, size.desired) == (
            group.capacity.min, group.capacity.max, group.capacity.desired,
        ):  # fmt: skip
            _clear(size, now, None)


def _after_rollback(run: ScalingRun, call: ApiCall, now: datetime) -> None:
    undone = run.undoes
    assert undone is not None
    for size in _open_sizes(run, call).filter(plan=run.plan, journalled_at__gte=undone.started_at):
        _clear(size, now, run)
    if not _open_sizes(run, call).exists():
        # What the run had brought back is shrunk again: the size to return to is needed once more.
        again = GroupSize.objects.filter(company_id=run.company_id, restored_by=undone, **_place(call)).first()
        if again is not None:
            again.restored_at = again.restored_by = None
            again.save(update_fields=["restored_at", "restored_by"])


def _is_short_of(size: GroupSize, calls: Sequence[ApiCall]) -> bool:
    """Whether the run has gone only a step towards the size."""
    for call in calls:
        if place_of(call) == (size.account, size.region, size.group) and set(call.after) == SIZE:
            after = parse_capacity(call.after)
            # A floor may have lifted it above what is kept.
            return after.desired != max(size.desired, after.min)
    return False


def _clear(size: GroupSize, now: datetime, run: ScalingRun | None) -> None:
    size.restored_at = max(now, size.journalled_at)
    size.restored_by = run if run is not None and run.kind == RunKind.APPLY else None
    size.save(update_fields=["restored_at", "restored_by"])


def _open_sizes(run: ScalingRun, call: ApiCall) -> "models.QuerySet[GroupSize]":
    return GroupSize.objects.filter(company_id=run.company_id, restored_at__isnull=True, **_place(call))


def _place(call: ApiCall) -> dict[str, str]:
    return {"account": call.account, "region": call.region, "group": call.group}
