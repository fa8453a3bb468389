"""Single resources: what no plan ever does to them, whatever p5 says and whatever is found."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.actions import power_database, power_instance, set_budget, spot_request
from cloudpolicy.actions.registry import action_named, all_actions
from cloudpolicy.engine.call import ApiCall, place_of, resolved
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.exclusion import Exclusion
from cloudpolicy.engine.history import History
from cloudpolicy.engine.limits import limit_problems
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import STOPPABLE, Budget, Policy
from cloudpolicy.engine.resource import Held, Resource, stops
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import LADDER, NOW, runway

STOPPED = frozenset(STOPPABLE)
# Production too: the parser refuses that, and the engine does not rely on it.
STOPPING = replace(
    LADDER, rows=tuple(replace(row, stopped=STOPPED, budget=Budget(500, 80, "a@b.io")) for row in LADDER.rows)
)
SETTINGS: dict[str, dict[str, Any]] = {
    power_instance.ACTION.name: {"running": True},
    power_database.ACTION.name: {"running": True},
    spot_request.ACTION.name: {"bids": True, "request": "sir-1"},
    set_budget.ACTION.name: {"usd_per_month": 900, "alert_percent": 90},
}
DETAILS = {"AccountId": "1", "tags": {}}


def resource(action: str, environment: str = "dev", *, opted_in: bool = True, **changes: Any) -> Resource:
    made = Resource(
        action, f"{action}-{environment}", environment, "us-east-1", SETTINGS[action], opted_in, details=DETAILS
    )
    return replace(made, **changes)


def plan_for(
    p5_days: object,
    *resources: Resource,
    policy: Policy = STOPPING,
    held: tuple[Held, ...] = (),
    exclusions: tuple[Exclusion, ...] = (),
) -> ScalingPlan:
    return evaluate(
        policy=policy,
        groups=(),
        runway=runway(p5_days),
        history=History(held=held, exclusions={each.place: each for each in exclusions}),
        now=NOW,
        actions=all_actions(),
        filters=all_filters(),
        resources=resources,
    )


RESOURCES = st.builds(
    resource,
    st.sampled_from(sorted(SETTINGS)),
    st.sampled_from(["dev", "staging", "production", "", "somewhere"]),
    opted_in=st.booleans(),
    left=st.sampled_from(["", "it is special"]),
)
P5 = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(-5, 400), st.none(), st.text(max_size=2)
)


@settings(max_examples=60, deadline=None)
@given(p5_days=P5, found=st.lists(RESOURCES, max_size=8, unique_by=lambda each: each.key), most=st.integers(1, 3))
def test_no_plan_touches_an_untagged_resource_or_stops_production(
    p5_days: object, found: list[Resource], most: int
) -> None:
    policy = replace(STOPPING, limits=replace(STOPPING.limits, groups_per_plan=most))
    plan = plan_for(p5_days, *found, policy=policy)
    touchable = {each.name for each in found if each.opted_in and not each.left}
    assert {call.group for call in plan.calls} <= touchable
    assert not any(stops(call) and call.environment == "production" for call in plan.calls)
    assert len({place_of(call) for call in plan.calls}) <= most


def test_a_plan_from_elsewhere_that_stops_production_is_beyond_the_limits() -> None:
    (call,) = plan_for(50, resource("power_instance")).calls
    stolen = call._replace(environment="production")
    assert limit_problems(calls=(call,), policy=STOPPING) == ()
    assert limit_problems(calls=(stolen,), policy=STOPPING) == (
        f"{call.group}: nothing of production is ever stopped",
    )


def made(call: ApiCall) -> ApiCall:
    return resolved(call, {spot_request.NEW_REQUEST: "sir-2"})


def test_taking_a_call_back_twice_is_the_call_itself() -> None:
    calls = plan_for(50, *(resource(action) for action in SETTINGS)).calls
    assert {call.action for call in calls} == set(SETTINGS)
    for call in calls:
        action = action_named(call.action)
        assert action is not None
        back = action.inverse(call, call.before)
        assert back is not None
        assert back.permission in action.permissions
        again = action.inverse(made(back), made(back).before)
        assert again is not None
        if call.action != "spot_request":  # What was cancelled comes back under another number.
            assert again == call
        assert action.describe(call) != action.describe(made(back))


def test_what_is_held_runs_again_once_no_row_stops_it() -> None:
    (call,) = plan_for(50, resource("power_instance")).calls
    held, stopped = Held(call, call.before), resource("power_instance", settings={"running": False})
    assert plan_for(50, stopped, held=(held,)).calls == ()
    (back,) = plan_for(300, stopped, held=(held,)).calls
    assert (back.after, back.permission) == ({"running": True}, "ec2:StartInstances")
    gone = plan_for(300, held=(held,))
    assert (gone.calls, gone.back) == ((), (held,))


def test_what_is_held_and_was_changed_by_somebody_is_left_alone() -> None:
    (call,) = plan_for(50, resource("power_instance")).calls
    odd = resource("power_instance", settings={"running": None})
    plan = plan_for(300, odd, held=(Held(call, call.before),))
    assert plan.calls == ()
    assert "resource_changed" in {warning.code for warning in plan.warnings}


def held_instance() -> Held:
    (call,) = plan_for(50, resource("power_instance")).calls
    return Held(call, call.before)


def test_what_is_held_and_runs_again_already_is_let_go_without_a_call() -> None:
    held = held_instance()
    plan = plan_for(300, resource("power_instance"), held=(held,))
    assert (plan.calls, plan.back) == ((), (held,))
    assert "resource_changed" not in {warning.code for warning in plan.warnings}


def test_what_is_held_and_lost_its_tag_is_let_go_without_a_call() -> None:
    held = held_instance()
    stopped = replace(resource("power_instance", settings={"running": False}), opted_in=False)
    plan = plan_for(300, stopped, held=(held,))
    assert (plan.calls, plan.back) == ((), (held,))


def test_a_resource_whose_tags_cannot_be_read_is_not_touched_and_that_is_said() -> None:
    unread = resource("power_instance", opted_in=False, tags_unread=True)
    plan = plan_for(50, unread)
    assert plan.calls == ()
    assert "tags_unread" in {warning.code for warning in plan.warnings}
    assert plan_for(50, replace(unread, opted_in=True)).calls, "our own journal says that we have made it"


@pytest.mark.parametrize("p5_days", [50, 300], ids=["stopping", "starting"])
def test_a_resource_that_a_person_took_back_is_left_alone_until_the_end(p5_days: int) -> None:
    held = () if p5_days == 50 else (held_instance(),)
    found = resource("power_instance", settings={"running": p5_days == 50})
    ends = NOW + timedelta(days=2)
    excluded = Exclusion(found.account, found.region, found.name, ends, "it was rolled back")
    plan = plan_for(p5_days, found, held=held, exclusions=(excluded,))
    assert plan.calls == ()
    assert excluded.reason in plan.warnings
    assert plan.look_again_at == ends
    (call,) = plan_for(p5_days, found, held=held, exclusions=(replace(excluded, until=NOW),)).calls
    assert call.group == found.name
