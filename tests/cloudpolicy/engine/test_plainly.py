"""The fast way to a plan is held against a slow and obvious one, and its shortcuts against what they cut short."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.action import Action
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.fleet import Fleet
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History, JournalledSize
from cloudpolicy.engine.market import LaunchTemplate
from cloudpolicy.engine.policy import Policy, Row
from tests.cloudpolicy.engine.plainly import plainly
from tests.cloudpolicy.engine.samples import LADDER, group
from tests.cloudpolicy.engine.test_fleet import POLICIES, PROCESSES, SIZES, fleets, memories, plan_for

GROUP_ACTIONS = [each for each in all_actions() if each.resources is None]
POSSIBLE = SIZES.filter(lambda size: size.min <= size.desired <= size.max)


@st.composite
def unlike_policies(draw: st.DrawFn) -> Policy:
    """One whose rows, thresholds, shares, shortest steps and limits differ from the next one's."""

    def own(row: Row) -> Row:
        below = row.below_days + draw(st.integers(-5, 5))
        return replace(
            row, below_days=below, until_days=below + 30, capacity=draw(POSSIBLE), spot=draw(st.booleans()),
            suspended=draw(PROCESSES), may_stop_schedules=draw(st.booleans()),
        )  # fmt: skip

    policy = draw(POLICIES)
    return replace(
        policy,
        rows=tuple(own(row) for row in policy.rows if draw(st.integers(0, 3))),
        otherwise=policy.otherwise if draw(st.booleans()) else (),
        on_demand_percent_with_spot=draw(st.sampled_from([0, 50])),
        limits=replace(
            policy.limits,
            step_percent=draw(st.sampled_from([None, 10, 50, 300])),
            groups_per_plan=draw(st.sampled_from([None, None, 1, 2])),
        ),
    )


@st.composite
def sharing_fleets(draw: st.DrawFn) -> tuple[Group, ...]:
    """Like `fleets`, and some groups follow one launch template."""
    shared = LaunchTemplate("lt-shared", "shared", draw(st.sampled_from(["$Latest", "3"])), 3, {})
    return tuple(
        replace(each, market=shared) if draw(st.sampled_from([False, False, True])) else each
        for each in draw(fleets())
    )


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    policies=st.lists(unlike_policies(), min_size=1, max_size=4),
    p5_days=st.sampled_from([30, 58, 80, 300]),
)
def test_a_fleet_gets_exactly_the_plans_that_its_groups_get_one_after_the_other(
    data: st.DataObject, policies: list[Policy], p5_days: int
) -> None:
    groups = data.draw(sharing_fleets())
    fleet = Fleet.of(groups)
    for policy in policies:
        history = data.draw(memories(groups))
        if data.draw(st.booleans()):
            sizes = {each.key: JournalledSize(data.draw(SIZES), True, data.draw(st.sampled_from([None, 25])))
                     for each in groups}  # fmt: skip
            history = replace(history, sizes=sizes)
        plan = plan_for(policy, fleet, history, p5_days)
        assert plan.band is not None
        calls, said = plainly(policy, plan.band, groups, history)
        assert plan.calls == calls
        assert plan.warnings[len(plan.warnings) - len(said) - (not fleet.has_opted_in) :][: len(said)] == said


TARGETS = st.builds(
    Target,
    capacity=POSSIBLE,
    spot=st.sampled_from([None, True, False]),
    on_demand_percent=st.sampled_from([0, 50]),
    because=st.sampled_from(["one", "another"]),
    suspend=PROCESSES,
    resume=PROCESSES,
    may_stop_schedules=st.booleans(),
)


@pytest.mark.parametrize("action", GROUP_ACTIONS, ids=lambda each: each.name)
@settings(max_examples=60, deadline=None)
@given(groups=sharing_fleets(), one=TARGETS, other=TARGETS)
def test_an_action_proposes_the_same_for_targets_that_agree_in_what_it_heeds(
    action: Action, groups: tuple[Group, ...], one: Target, other: Target
) -> None:
    if action.heeds is None:
        assert action.propose_sizes is not None  # Else its every proposal is made anew, and nothing is to be held.
        return
    followers = Followers.of(groups)
    for kind in Fleet.of(groups).kinds:
        if action.heeds(kind, one) != action.heeds(kind, other):
            other = replace(one, capacity=other.capacity, because=other.because)
    for each in groups:
        first, second = (action.propose(each, target, followers) for target in (one, other))
        assert [call._replace(because="") for call in first.calls] == [
            call._replace(because="") for call in second.calls
        ]
        assert first.warnings == second.warnings


def test_what_was_said_for_one_row_is_said_again_for_another_in_that_one_s_name() -> None:
    fleet = Fleet.of([replace(each, opted_in=True) for each in _two_of_dev()])
    later = replace(LADDER, rows=tuple(replace(row, below_days=row.below_days + 1) for row in LADDER.rows))
    for policy, reason in ((LADDER, "dev below 60"), (later, "dev below 61"), (LADDER, "dev below 60")):
        plan = plan_for(policy, fleet, History(), 50)
        assert {call.action for call in plan.calls} == {"resize_group", "spot_mode"}
        assert {call.because for call in plan.calls} == {reason}


def _two_of_dev() -> list[Group]:
    return [replace(group("dev"), name=name, capacity=Capacity(4, 16, 12)) for name in ("first", "second")]
