"""The policy resumes, starts and asks again for nothing but what it has stopped itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.action import Action
from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.exclusion import Exclusion
from cloudpolicy.engine.history import History
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import PROCESSES, Policy
from cloudpolicy.engine.resource import Held, Resource, key_of, stops
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import LADDER, NOW, ON_DEMAND, group, runway

SOME = st.frozensets(st.sampled_from(PROCESSES))
KINDS = {
    "power_instance": ({"running": False}, {"running": True}),
    "power_database": ({"running": False}, {"running": True}),
    "spot_request": ({"bids": False, "request": "x"}, {"bids": True, "request": "x"}),
}


def plan_of(
    p5: float,
    *,
    policy: Policy = LADDER,
    history: History | None = None,
    groups: Sequence[object] = (),
    resources: Sequence[Resource] = (),
) -> ScalingPlan:
    return evaluate(
        policy=policy,
        groups=groups,  # type: ignore[arg-type]
        resources=resources,
        runway=runway(p5),
        history=history or History(),
        now=NOW,
        actions=all_actions(),
        filters=all_filters(),
    )


def resumed(plan: ScalingPlan) -> set[str]:
    return {
        name
        for call in plan.calls
        if call.permission.endswith("ResumeProcesses")
        for name, state in call.after.items()
        if state == "runs"
    }


@given(stands=SOME, ours=SOME, asked=SOME, below=st.booleans())
def test_a_process_is_resumed_if_and_only_if_we_suspended_it_and_no_rule_wants_it(
    stands: frozenset[str], ours: frozenset[str], asked: frozenset[str], below: bool
) -> None:
    row = replace(LADDER.rows[1], suspended=asked, may_stop_schedules=True)
    staging = replace(group("staging"), suspended=stands)
    plan = plan_of(
        50 if below else 300,
        policy=replace(LADDER, rows=(row,)),
        history=History(suspended={staging.key: ours}),
        groups=[staging],
    )
    assert resumed(plan) == (stands & ours) - (asked if below else frozenset())


@given(stands=SOME, asked=SOME)
def test_only_what_runs_is_suspended(stands: frozenset[str], asked: frozenset[str]) -> None:
    row = replace(LADDER.rows[1], suspended=asked, may_stop_schedules=True)
    staging = replace(group("staging", size=(1, 4, 2), market=ON_DEMAND), suspended=stands)
    plan = plan_of(50, policy=replace(LADDER, rows=(row,)), groups=[staging])
    assert {name for call in plan.calls for name in call.after} == asked - stands


def a_resource(kind: str, name: str) -> Resource:
    before = dict(KINDS[kind][0]) | ({"request": name} if kind == "spot_request" else {})
    return Resource(action=kind, name=name, environment="dev", region="us-east-1", settings=before, opted_in=True)


def stopped_by_us(resource: Resource) -> Held:
    after = dict(resource.settings)
    before = dict(KINDS[resource.action][1]) | ({"request": resource.name} if "request" in after else {})
    parameters = {"request": resource.name, "again": {"tags": {}}}
    call = ApiCall(
        resource.action, resource.name, "dev", "us-east-1", _stopping(resource.action), before, after, parameters
    )
    return Held(call, before)


def _stopping(kind: str) -> str:
    action: Action = next(each for each in all_actions() if each.name == kind)
    return action.permissions[0]


@given(things=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.booleans()), max_size=8))
def test_of_what_stands_still_only_what_we_hold_is_started(things: list[tuple[str, bool]]) -> None:
    resources = [a_resource(kind, f"thing-{number}") for number, (kind, _) in enumerate(things)]
    ours = [each for each, (_, held) in zip(resources, things, strict=True) if held]
    history = History(held=tuple(stopped_by_us(each) for each in ours))
    plan = plan_of(300, history=history, resources=resources)
    started = {key_of(call) for call in plan.calls if not stops(call)}
    assert started == {each.key for each in ours}


@given(p5=st.floats(0, 365), only_growth=st.booleans(), hours=st.integers(-48, 48), size=st.integers(0, 20))
def test_what_a_person_took_back_is_left_alone_until_the_end_and_no_longer(
    p5: float, only_growth: bool, hours: int, size: int
) -> None:
    groups = [group(each, size=(0, 20, size)) for each in ("dev", "staging", "production")]
    ends = NOW + timedelta(hours=hours)
    excluded = {
        each.key: Exclusion(*each.key, ends, "it was rolled back", only_growth)
        for each in groups
        if each.environment != "production"
    }
    plan = plan_of(p5, history=History(exclusions=excluded), groups=groups)
    free = plan_of(p5, groups=groups)
    if hours <= 0:
        assert plan.calls == free.calls
        return
    for call in plan.calls:
        if place_of(call) in excluded:
            assert only_growth
            floor = LADDER.floor_of(call.environment, call.group)
            assert call.after.get("desired", 0) <= max(call.before.get("desired", 0), floor)
    if (
        any(call.environment != "production" and "desired" in call.after for call in free.calls)
        and not only_growth
    ):
        assert "excluded" in {warning.code for warning in plan.warnings}
        assert plan.look_again_at == ends
    assert [call for call in plan.calls if call.environment == "production"] == [
        call for call in free.calls if call.environment == "production"
    ]


def under_a_choice(size: tuple[int, int, int], *, floor: int = 0) -> ScalingPlan:
    """A production group that the ladder would give 8 instances and spot, and that a person wants small."""
    small = group("production", size=size, market=ON_DEMAND)
    otherwise = replace(LADDER.otherwise[0], capacity=Capacity(3, 12, 8), spot=True)
    policy = replace(LADDER, rows=(), otherwise=(otherwise,), floors={"production": floor})
    chosen = Exclusion(*small.key, NOW + timedelta(days=3), "a person chose it", only_growth=True)
    return plan_of(300, policy=policy, history=History(exclusions={small.key: chosen}), groups=[small])


def test_what_a_person_made_smaller_is_neither_enlarged_nor_bid_for() -> None:
    assert under_a_choice((1, 12, 2)).calls == ()


def test_what_a_person_made_smaller_still_gets_its_floor_and_no_more_and_that_may_be_applied() -> None:
    (call,) = under_a_choice((0, 2, 1), floor=3).calls
    assert call.after == {"min": 3, "max": 3, "desired": 3}
    (of_min_alone,) = under_a_choice((0, 12, 4), floor=3).calls
    assert of_min_alone.after == {"min": 3, "max": 12, "desired": 4}
    kept = Exclusion(*place_of(call), NOW, "a person chose it", only_growth=True)
    assert not kept.forbids(call, floor=3)
    assert kept.forbids(call, floor=2)


def test_an_exclusion_forbids_every_call_on_its_place_and_none_elsewhere() -> None:
    (call,) = plan_of(80, groups=[group("production")]).calls
    taken_back = Exclusion(*place_of(call), NOW, "it was rolled back")
    assert taken_back.forbids(call, floor=0)
    assert not replace(taken_back, only_growth=True).forbids(call, floor=0), "it shrinks"
    assert not replace(taken_back, region="eu-west-1").forbids(call, floor=0)
