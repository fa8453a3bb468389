"""Groups prepared once: whatever is shared among them, each is planned for as if it were alone."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.capacity import Capacity, capacity_problems
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.exclusion import Exclusion
from cloudpolicy.engine.filter import Filter
from cloudpolicy.engine.fleet import Fleet
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.history import History, JournalledSize
from cloudpolicy.engine.market import LaunchTemplate, Market, MixedInstances, UnknownMarket
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import GroupRule, Policy
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import LADDER, MIXED, NOW, ON_DEMAND, group, runway

ENVIRONMENTS = st.sampled_from(["dev", "staging", "production", "warehouse"])
SIZES = st.one_of(
    st.sampled_from([Capacity(4, 16, 12), Capacity(1, 2, 1), Capacity(2, 8, 4), Capacity(9, 2, 5)]),
    st.tuples(*[st.integers(0, 14)] * 3).map(
        lambda drawn: Capacity(min(drawn), max(drawn), sorted(drawn)[1]),
    ),
)
PROCESSES = st.frozensets(st.sampled_from(["AZRebalance", "AlarmNotification", "Launch"]), max_size=2)
POLICIES = st.builds(
    lambda percent, suspended, floor, rule: replace(
        LADDER,
        rows=tuple(replace(row, suspended=suspended) for row in LADDER.rows),
        limits=replace(LADDER.limits, step_percent=percent),
        floors={"dev": floor},
        groups={rule.group: rule},
    ),
    st.sampled_from([None, None, 10, 50]),
    PROCESSES,
    st.integers(0, 3),
    st.builds(
        GroupRule,
        group=st.sampled_from(["group-0", "group-1"]),
        floor=st.sampled_from([None, 5]),
        exclude_until=st.sampled_from([None, date(2026, 3, 1), date(2026, 3, 9)]),
    ),
)


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Group, ...]:
    """A few groups, so much alike that most of them are of one kind."""
    environment, suspended = draw(ENVIRONMENTS), draw(PROCESSES)
    few = st.sampled_from([draw(SIZES), draw(SIZES)])
    seldom = st.sampled_from([False, False, False, True])

    def market(place: int) -> Market:
        # A template of its own: one that groups share is what a group cannot be planned for alone about.
        template = LaunchTemplate(f"lt-{place}", f"lt-{place}", "$Latest", 3, {"MarketType": "spot"})
        return draw(st.sampled_from([MIXED, ON_DEMAND, template, UnknownMarket("unread")]))

    return tuple(
        Group(
            name=f"group-{place}",
            environment=draw(ENVIRONMENTS) if draw(seldom) else environment,
            region=draw(st.sampled_from(["us-east-1", "eu-west-1"])),
            capacity=draw(few),
            market=market(place),
            opted_in=not draw(seldom),
            suspended=draw(PROCESSES) if draw(seldom) else suspended,
            is_scheduled=draw(st.booleans()),
            account=draw(st.sampled_from(["", "other"])),
        )
        for place in range(draw(st.integers(2, 6)))
    )


@st.composite
def memories(draw: st.DrawFn, groups: tuple[Group, ...]) -> History:
    some = st.lists(st.sampled_from(groups[:2]), max_size=1)
    return History(
        sizes={each.key: JournalledSize(draw(SIZES), draw(st.sampled_from([None, True]))) for each in draw(some)},
        suspended={each.key: draw(PROCESSES) for each in draw(some)},
        exclusions={
            each.key: Exclusion(*each.key, NOW + timedelta(hours=draw(st.sampled_from([-1, 5]))), "because",
                                only_growth=draw(st.booleans()))
            for each in draw(some)
        },
    )  # fmt: skip


def plan_for(policy: Policy, groups: Fleet | tuple[Group, ...], history: History, p5_days: int) -> ScalingPlan:
    return evaluate(
        policy=policy,
        groups=groups,
        runway=runway(p5_days),
        history=history,
        now=NOW,
        actions=all_actions(),
        filters=all_filters(),
    )


def about(plan: ScalingPlan, name: str) -> tuple[list[Any], list[str]]:
    calls = [call.as_dict() for call in plan.calls if call.group == name]
    return calls, [warning.text for warning in plan.warnings if name in warning.text.replace(":", " ").split()]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), policies=st.lists(POLICIES, min_size=1, max_size=3), p5_days=st.sampled_from([30, 80, 300]))
def test_each_group_is_planned_for_as_if_it_were_alone_and_under_one_policy(
    data: st.DataObject, policies: list[Policy], p5_days: int
) -> None:
    groups = data.draw(fleets())
    fleet = Fleet.of(groups)
    for policy in policies:
        history = data.draw(memories(groups))
        together = plan_for(policy, fleet, history, p5_days)
        for each in groups:
            alone = plan_for(policy, (each,), history, p5_days)
            assert about(together, each.name) == about(alone, each.name)


STANDS = frozenset({"Launch"})
ALIKE = tuple(replace(group("staging"), name=name, suspended=STANDS) for name in ("first", "second"))
KEY = ALIKE[1].key


@pytest.mark.parametrize(
    ("policy", "history", "p5_days"),
    [
        (LADDER, History(sizes={KEY: JournalledSize(Capacity(5, 17, 13), None)}), 300),
        (LADDER, History(suspended={KEY: STANDS}), 300),
        (LADDER, History(exclusions={KEY: Exclusion(*KEY, NOW + timedelta(days=1), "because")}), 30),
        (replace(LADDER, groups={"second": GroupRule("second", floor=9)}), History(), 30),
    ],
    ids=["a size", "a suspended process", "an exclusion", "a rule of its own"],
)
def test_what_holds_for_one_group_holds_for_no_other_of_its_kind_and_is_not_lost_among_them(
    policy: Policy, history: History, p5_days: int
) -> None:
    assert len(Fleet.of(ALIKE).kinds) == 1
    for groups in (ALIKE, ALIKE[::-1]):
        together = plan_for(policy, groups, history, p5_days)
        said = [about(together, each.name) for each in groups]
        assert said == [about(plan_for(policy, (each,), history, p5_days), each.name) for each in groups]
        assert [call["after"] for call in said[0][0]] != [call["after"] for call in said[1][0]]


def test_a_size_that_aws_could_not_have_is_not_taken_for_one_of_the_possible_ones() -> None:
    odd = replace(ALIKE[1], capacity=Capacity(9, 2, 5))
    plan = plan_for(LADDER, (ALIKE[0], odd), History(), 30)
    assert {call.group for call in plan.calls} == {"first"}
    assert "impossible_size" in {warning.code for warning in plan.warnings}


def test_policies_that_want_the_same_share_its_calls() -> None:
    fleet = Fleet.of([group("dev"), group("production")])
    one = plan_for(LADDER, fleet, History(), 50)
    other = plan_for(replace(LADDER, name="another"), fleet, History(), 50)
    assert one.calls
    assert all(ours is theirs for ours, theirs in zip(one.calls, other.calls, strict=True))


@pytest.mark.parametrize("each", all_filters(), ids=lambda each: each.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), policy=POLICIES)
def test_no_filter_tells_groups_of_a_kind_apart_that_the_policy_does_not_name(
    each: Filter, data: st.DataObject, policy: Policy
) -> None:
    one = data.draw(fleets())[0]
    is_impossible = bool(capacity_problems(one.capacity))
    twin = replace(
        one,
        name="twin",
        region="ap-south-1",
        account="third",
        market=MixedInstances({}) if isinstance(one.market, MixedInstances) else one.market,
        is_scheduled=not one.is_scheduled,
        capacity=data.draw(SIZES.filter(lambda size: bool(capacity_problems(size)) == is_impossible)),
    )  # fmt: skip
    fleet = Fleet.of([replace(one, name="single"), twin])
    assert len(fleet.kinds) == 1
    first, second = (each.judge(found, policy, NOW) for found in fleet.groups)
    assert (first is None) == (second is None)
