"""Steps, floors, exclusions and quiet hours: what a plan never does, whatever p5 says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.band import Band
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.capacity import Capacity, capacity_problems, parse_capacity
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.history import History, JournalledSize
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import GroupRule, Pace, Policy, Quiet, QuietHours
from cloudpolicy.engine.standing import SHRINKS, Standing, Turn
from cloudpolicy.engine.target import target_of
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import GROUPS, LADDER, NOW, ON_DEMAND, group, runway


def limited(policy: Policy = LADDER, **limits: int) -> Policy:
    return replace(policy, limits=replace(policy.limits, **limits))


def plan_for(
    p5_days: object,
    *,
    policy: Policy,
    groups: tuple[Group, ...] = GROUPS,
    history: History | None = None,
    now: datetime = NOW,
    **changes: object,
) -> ScalingPlan:
    forecast = runway(p5_days, **{"published_at": now, "today": now.date(), "as_of": now.date(), **changes})
    return evaluate(
        policy=policy,
        groups=groups,
        runway=forecast,
        history=history or History(),
        now=now,
        actions=all_actions(),
        filters=all_filters(),
    )


def resizes(plan: ScalingPlan) -> dict[str, ApiCall]:
    return {call.group: call for call in plan.calls if call.action == "resize_group"}


def codes(plan: ScalingPlan) -> set[str]:
    return {reason.code for reason in (*plan.warnings, *plan.read_only_because)}


def test_a_step_takes_a_share_of_the_instances_and_the_rest_later() -> None:
    sizes = [12]
    at = group("production", size=(4, 16, 12))
    for _ in range(6):
        calls = resizes(plan_for(80, policy=limited(step_percent=25), groups=(at,)))
        if not calls:
            break
        at = replace(at, capacity=parse_capacity(calls[at.name].after))
        sizes.append(at.capacity.desired)
    assert sizes == [12, 9, 7, 6, 5, 4]
    assert at.capacity == Capacity(2, 8, 4)


def test_a_step_of_a_small_group_is_one_instance() -> None:
    calls = resizes(plan_for(365, policy=limited(step_percent=1), groups=(group("production", size=(2, 8, 4)),)))
    assert calls["capstack-production-asg"].after == {"min": 3, "max": 12, "desired": 5}


def test_what_is_below_its_floor_is_lifted_to_it_at_once() -> None:
    policy = limited(replace(LADDER, floors={"production": 3}), step_percent=1)
    row = replace(LADDER.rows[2], capacity=Capacity(3, 8, 4))
    policy = replace(policy, rows=(row,))
    calls = resizes(plan_for(80, policy=policy, groups=(group("production", size=(0, 8, 0)),)))
    assert calls["capstack-production-asg"].after == {"min": 3, "max": 8, "desired": 3}


def test_a_group_has_a_floor_of_its_own() -> None:
    policy = replace(LADDER, groups={"capstack-dev-asg": GroupRule("capstack-dev-asg", floor=3)})
    calls = resizes(plan_for(30, policy=policy, groups=(group("dev"),)))
    assert calls["capstack-dev-asg"].after == {"min": 3, "max": 3, "desired": 3}


def test_a_plan_changes_no_more_groups_than_its_limit_and_says_who_waits() -> None:
    plan = plan_for(30, policy=limited(groups_per_plan=2))
    assert len({call.group for call in plan.calls}) == 2
    (waiting,) = [warning for warning in plan.warnings if warning.code == "groups_wait"]
    assert waiting.text == "1 more groups wait for the next plan, capstack-staging-asg first: one plan changes 2"


def test_an_excluded_group_is_left_alone_until_its_day_begins_in_the_companys_zone() -> None:
    rule = GroupRule("capstack-dev-asg", exclude_until=date(2026, 3, 3), because="load test")
    policy = replace(LADDER, groups={rule.group: rule})
    plan = plan_for(30, policy=policy, timezone="Europe/Berlin")
    assert "capstack-dev-asg" not in resizes(plan)
    assert "capstack-dev-asg is left alone until 2026-03-03: load test" in [w.text for w in plan.warnings]
    ends = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert plan.look_again_at == ends
    assert "capstack-dev-asg" in resizes(plan_for(30, policy=policy, now=ends, timezone="Europe/Berlin"))


def test_in_quiet_hours_the_plan_shows_its_calls_and_nothing_moves() -> None:
    policy = replace(LADDER, quiet=Quiet((QuietHours(frozenset(range(7)), time(14), time(16)),)))
    plan = plan_for(50, policy=policy)
    assert [reason.code for reason in plan.read_only_because] == ["quiet_hours"]
    assert plan.calls
    assert plan.standing == Standing()
    assert plan.look_again_at == NOW.replace(hour=16, minute=0)
    assert plan_for(50, policy=policy, now=NOW.replace(hour=16, minute=0)).trusted


def test_a_row_asks_for_processes_to_stand_still_and_lets_them_run_when_it_is_left() -> None:
    row = replace(LADDER.rows[1], suspended=frozenset({"AZRebalance", "AlarmNotification"}))
    policy = replace(LADDER, rows=(row,))
    staging = replace(group("staging", market=ON_DEMAND), suspended=frozenset({"Launch", "AZRebalance"}))
    ours = History(suspended={staging.key: row.suspended})
    in_force = target_of(group=staging, policy=policy, band=Band((row,)), history=ours)
    left = target_of(group=staging, policy=policy, band=Band(()), history=ours)
    assert not isinstance(in_force, (type(None), str))
    assert in_force.suspend == row.suspended  # type: ignore[union-attr]
    assert left.resume == row.suspended  # type: ignore[union-attr]
    assert left.capacity == staging.capacity  # type: ignore[union-attr]


@pytest.mark.parametrize("asked", [False, True])
def test_what_scheduled_actions_need_is_suspended_only_where_a_row_asks_for_that(asked: bool) -> None:
    row = replace(LADDER.rows[1], suspended=frozenset({"AZRebalance", "Launch"}), may_stop_schedules=asked)
    staging = replace(group("staging", size=(1, 4, 2), market=ON_DEMAND), is_scheduled=True)
    plan = plan_for(50, policy=replace(LADDER, rows=(row,)), groups=(staging,))
    (call,) = plan.calls
    assert set(call.after) == ({"AZRebalance", "Launch"} if asked else {"AZRebalance"})
    assert ("schedule_kept" in codes(plan)) is not asked


def test_the_end_of_a_cooldown_is_when_to_look_again() -> None:
    policy = replace(LADDER, pace=Pace(1, timedelta(hours=5)))
    turned = NOW - timedelta(hours=2)
    history = History(Standing(frozenset({"production below 90"}), {}, {"production": Turn(turned, SHRINKS)}))
    plan = plan_for(300, policy=policy, history=history)
    assert plan.look_again_at == NOW + timedelta(hours=3)


def test_a_group_that_is_not_opted_in_is_safe_even_without_filters() -> None:
    plan = evaluate(
        policy=LADDER,
        groups=tuple(replace(each, opted_in=False) for each in GROUPS),
        runway=runway(30),
        history=History(),
        now=NOW,
        actions=all_actions(),
        filters=(),
    )
    assert plan.calls == ()


@pytest.mark.parametrize("each", all_filters(), ids=lambda each: each.name)
def test_every_filter_declares_what_reading_needs(each: Any) -> None:
    assert all(permission.partition(":")[2].startswith("Describe") for permission in each.permissions)
    assert each.order


ANY_P5 = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(0, 400),
    st.integers(-(10**30), 10**30),
    st.none(),
    st.text(max_size=3),
    st.sampled_from([44, 45, 60, 90, 120, 121, 59.999, 119.5]),
)
# Figures that move rows to and fro: of any figures alone, few series in a row do.
MOVING_P5 = st.sampled_from([30.0, 50, 70, 100, 130, 200])
SIZE = st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 30)).map(
    lambda size: (min(size), max(size), sorted(size)[1])
)


@settings(max_examples=60, deadline=None)
@given(
    series=st.lists(st.one_of(MOVING_P5, ANY_P5), min_size=1, max_size=12),
    sizes=st.tuples(SIZE, SIZE, SIZE),
    # Mostly with the tag, so that most of what is drawn is planned for.
    tagged=st.tuples(*[st.sampled_from([True, True, True, False])] * 3),
    percent=st.integers(1, 100),
    most=st.integers(1, 3),
    dwell=st.integers(1, 3),
    cooldown=st.integers(0, 48),
    floor=st.integers(0, 6),
)
def test_no_series_makes_a_plan_leave_a_floor_exceed_a_step_or_touch_an_untagged_group(
    series: list[object],
    sizes: tuple[tuple[int, int, int], ...],
    tagged: tuple[bool, ...],
    percent: int,
    most: int,
    dwell: int,
    cooldown: int,
    floor: int,
) -> None:
    policy = replace(
        limited(step_percent=percent, groups_per_plan=most),
        pace=Pace(dwell, timedelta(hours=cooldown)),
        groups={"capstack-staging-asg": GroupRule("capstack-staging-asg", floor=floor)},
    )
    groups = {
        f"capstack-{environment}-asg": group(environment, size=size, opted_in=opted_in)
        for environment, size, opted_in in zip(("dev", "production", "staging"), sizes, tagged, strict=True)
    }
    history = History()
    for place, p5_days in enumerate(series):
        now = NOW + timedelta(hours=7 * place)
        plan = plan_for(p5_days, policy=policy, groups=tuple(groups.values()), history=history, now=now,
                        forecast_run=place)  # fmt: skip
        calls = resizes(plan)
        assert len({call.group for call in plan.calls}) <= most
        for name, call in calls.items():
            assert groups[name].opted_in
            _check(call, groups[name], policy)
        if plan.trusted and plan.standing is not None:
            history = _applied(plan.standing, history, groups, calls)


def _check(call: ApiCall, before: Group, policy: Policy) -> None:
    lowest = policy.floor_of(before.environment, before.name)
    after = parse_capacity(call.after)
    assert not capacity_problems(after, floor=lowest)
    assert after.desired >= lowest
    percent = policy.limits.step_percent
    assert percent is not None
    step = max(1, before.capacity.desired * percent // 100)
    lifted = after.desired == lowest > before.capacity.desired
    assert lifted or abs(after.desired - before.capacity.desired) <= step


def _applied(
    standing: Standing, history: History, groups: dict[str, Group], calls: Mapping[str, ApiCall]
) -> History:
    """As if every call had been made: what a group was before is journalled once."""
    sizes = dict(history.sizes)
    for name, call in calls.items():
        before = groups[name]
        sizes.setdefault(before.key, JournalledSize(before.capacity, before.market.spot))
        groups[name] = replace(before, capacity=parse_capacity(call.after))
    return History(standing, sizes)
