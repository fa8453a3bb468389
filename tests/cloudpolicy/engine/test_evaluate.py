"""From a runway and groups to a plan."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.capacity import Capacity, capacity_problems, parse_capacity
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.history import History, JournalledSize
from cloudpolicy.engine.plan import ScalingPlan, decision_digest, plan_digest
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.runway import NoRunway, Runway
from cloudpolicy.engine.standing import Standing
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import GROUPS, LADDER, MIXED, NOW, ON_DEMAND, group, runway


def plan_for(
    forecast: Runway | NoRunway,
    *,
    policy: Policy = LADDER,
    groups: tuple[Group, ...] = GROUPS,
    history: History | None = None,
) -> ScalingPlan:
    return evaluate(
        policy=policy,
        groups=groups,
        runway=forecast,
        history=history or History(),
        now=NOW,
        actions=all_actions(),
        filters=all_filters(),
    )


def sizes_after(plan: ScalingPlan) -> dict[str, tuple[int, int, int]]:
    after = {}
    for call in plan.calls:
        if call.action == "resize_group":
            size = parse_capacity(call.after)
            after[call.environment] = (size.min, size.max, size.desired)
    return after


def spot_after(plan: ScalingPlan) -> dict[str, bool]:
    return {call.environment: call.after["spot"] for call in plan.calls if call.action == "spot_mode"}


def test_below_45_days_every_row_of_the_ladder_applies() -> None:
    plan = plan_for(runway(44))
    assert sizes_after(plan) == {"dev": (1, 2, 1), "staging": (1, 4, 2), "production": (2, 8, 4)}
    assert spot_after(plan) == {"dev": False, "staging": False}
    assert plan.band is not None
    assert plan.band.name == "below 45"


@pytest.mark.parametrize("p5_days", [45, 59])
def test_below_60_days_both_dev_and_staging_shrink(p5_days: int) -> None:
    plan = plan_for(runway(p5_days))
    assert sizes_after(plan) == {"dev": (1, 2, 1), "staging": (1, 4, 2), "production": (2, 8, 4)}
    assert spot_after(plan) == {"dev": False, "staging": False}


def test_below_90_days_only_production_shrinks() -> None:
    plan = plan_for(runway(89))
    assert sizes_after(plan) == {"production": (2, 8, 4)}
    assert spot_after(plan) == {}


def test_above_the_ladder_production_takes_the_otherwise_row() -> None:
    assert sizes_after(plan_for(runway(365), groups=(group("production"),))) == {"production": (3, 12, 8)}


def test_a_call_carries_before_after_permission_and_reason() -> None:
    (call,) = (c for c in plan_for(runway(80)).calls if c.action == "resize_group")
    assert call.as_dict() == {
        "action": "resize_group",
        "group": "capstack-production-asg",
        "environment": "production",
        "region": "us-east-1",
        "account": "",
        "before": {"min": 4, "max": 16, "desired": 12},
        "after": {"min": 2, "max": 8, "desired": 4},
        "permission": "autoscaling:UpdateAutoScalingGroup",
        "parameters": {
            "AutoScalingGroupName": "capstack-production-asg",
            "MinSize": 2,
            "MaxSize": 8,
            "DesiredCapacity": 4,
        },
        "because": "production below 90",
    }


def test_a_group_that_already_is_what_it_should_be_gets_no_call() -> None:
    groups = (group("production", size=(2, 8, 4)), group("staging", size=(1, 4, 2), market=ON_DEMAND))
    assert plan_for(runway(50), groups=groups).calls == ()


def test_above_its_threshold_a_shrunk_environment_returns_to_its_journalled_size() -> None:
    history = History(
        standing=Standing(frozenset({"staging below 60", "production below 90"})),
        sizes={("", "us-east-1", "capstack-staging-asg"): JournalledSize(Capacity(3, 6, 5), spot=True)},
    )
    groups = (group("staging", size=(1, 4, 2), market=ON_DEMAND),)
    assert sizes_after(plan_for(runway(120), groups=groups, history=history)) == {}
    plan = plan_for(runway(121), groups=groups, history=history)
    assert sizes_after(plan) == {"staging": (3, 6, 5)}
    assert spot_after(plan) == {"staging": True}


def test_spot_comes_back_at_the_share_that_the_group_had_and_not_at_the_policy_s() -> None:
    def share_after(kept: int | None) -> object:
        sizes = {("", "us-east-1", "capstack-staging-asg"): JournalledSize(Capacity(3, 6, 5), True, kept)}
        plan = plan_for(
            runway(300),
            groups=(group("staging", size=(1, 4, 2), market=ON_DEMAND),),
            history=History(sizes=sizes),
        )
        (share,) = (call.after["on_demand_percent"] for call in plan.calls if "on_demand_percent" in call.after)
        return share

    assert share_after(25) == 25
    assert share_after(None) == 50  # it was not kept: what the policy has while spot is on


def test_a_journalled_size_that_is_impossible_is_left_to_a_person() -> None:
    history = History(sizes={("", "us-east-1", "capstack-dev-asg"): JournalledSize(Capacity(3, 2, 9), spot=None)})
    plan = plan_for(runway(300), groups=(group("dev"),), history=history)
    assert plan.calls == ()
    assert "bad_journal" in {warning.code for warning in plan.warnings}


def test_a_journalled_size_below_its_floor_is_left_to_a_person() -> None:
    history = History(sizes={("", "us-east-1", "capstack-dev-asg"): JournalledSize(Capacity(0, 2, 0), spot=None)})
    policy = replace(LADDER, floors={"dev": 1})
    plan = plan_for(runway(300), policy=policy, groups=(group("dev"),), history=history)
    assert plan.calls == ()
    assert "bad_journal" in {warning.code for warning in plan.warnings}


def test_what_grows_is_planned_before_what_shrinks() -> None:
    groups = (group("dev"), group("production", size=(1, 2, 1)))
    resized = [
        call.environment for call in plan_for(runway(30), groups=groups).calls if call.action == "resize_group"
    ]
    assert resized == ["production", "dev"]


def test_a_group_without_the_tag_is_named_and_left_alone() -> None:
    plan = plan_for(runway(30), groups=(group("dev", opted_in=False), group("production")))
    assert {call.environment for call in plan.calls} == {"production"}
    assert [w.text for w in plan.warnings if w.code == "not_opted_in"] == [
        "capstack-dev-asg is left alone: it does not carry the tag capstack:managed=true"
    ]


def test_a_strangers_group_is_not_even_mentioned() -> None:
    plan = plan_for(runway(30), groups=(group("dev"), group("warehouse", opted_in=False)))
    assert not [w for w in plan.warnings if "warehouse" in w.text]


def test_a_size_that_aws_could_not_have_is_left_to_a_person() -> None:
    plan = plan_for(runway(30), groups=(group("dev", size=(1, 2, 9)),))
    assert plan.calls == ()
    assert "impossible_size" in {warning.code for warning in plan.warnings}


def test_no_group_at_all_is_said() -> None:
    assert "no_groups" in {warning.code for warning in plan_for(runway(30), groups=()).warnings}


@pytest.mark.parametrize(
    ("forecast", "code"),
    [
        (NoRunway(), "no_forecast"),
        (runway(None), "p5_missing"),
        (runway(float("nan")), "p5_not_a_number"),
        (runway(float("inf")), "p5_not_a_number"),
        (runway("62"), "p5_not_a_number"),
        (runway(True), "p5_not_a_number"),
        (runway(-1), "p5_negative"),
        (runway(366), "p5_beyond"),
        (runway(1e300), "p5_beyond"),
    ],
)
def test_without_a_sensible_p5_nothing_is_planned_and_the_plan_says_why(
    forecast: Runway | NoRunway, code: str
) -> None:
    plan = plan_for(forecast)
    assert plan.calls == ()
    assert plan.p5_days is None
    assert code in {reason.code for reason in plan.read_only_because}


@pytest.mark.parametrize(
    ("forecast", "code"),
    [
        (runway(50, published_at=NOW - timedelta(hours=27)), "forecast_stale"),
        (runway(50, published_at=NOW + timedelta(hours=1)), "forecast_stale"),
        (runway(50, published_at=NOW - timedelta(minutes=16), unseen_events=3), "forecast_behind"),
        (runway(50, as_of=NOW.date() - timedelta(days=8)), "feed_silent"),
        (runway(50, share_below_p5=None), "uncalibrated"),
        (runway(50, share_below_p5=0.2), "uncalibrated"),
        (runway(50, share_below_p5=float("nan")), "uncalibrated"),
    ],
)
def test_a_doubtful_forecast_shows_what_it_would_imply_but_is_read_only(forecast: Runway, code: str) -> None:
    plan = plan_for(forecast)
    assert not plan.trusted
    assert [reason.code for reason in plan.read_only_because] == [code]
    assert sizes_after(plan) == {"dev": (1, 2, 1), "staging": (1, 4, 2), "production": (2, 8, 4)}


def test_unmeasured_coverage_is_only_a_warning_where_the_policy_says_so_and_bad_coverage_never_is() -> None:
    bold = replace(LADDER, limits=replace(LADDER.limits, act_uncalibrated=True))
    unmeasured = plan_for(runway(50, share_below_p5=None), policy=bold)
    assert unmeasured.trusted
    assert [warning.code for warning in unmeasured.warnings] == ["coverage_unknown"]
    assert not plan_for(runway(50, share_below_p5=0.2), policy=bold).trusted
    assert plan_for(runway(50, share_below_p5=0.06)).warnings == ()


def test_the_newest_events_may_be_missing_for_a_few_minutes() -> None:
    assert plan_for(runway(50, unseen_events=3)).trusted


def test_the_digest_binds_to_the_figure_and_the_decision_does_not() -> None:
    one, other = plan_for(runway(50)), plan_for(runway(51))
    assert plan_digest(plan=one, policy_digest="a") != plan_digest(plan=other, policy_digest="a")
    assert decision_digest(plan=one, policy_digest="a") == decision_digest(plan=other, policy_digest="a")
    assert decision_digest(plan=one, policy_digest="a") != decision_digest(plan=one, policy_digest="b")


def test_an_approval_binds_to_all_of_the_plan_that_was_read() -> None:
    plan = plan_for(runway(50))
    (first, *rest) = plan.calls
    others = [
        replace(plan, calls=(*rest, first)),
        replace(plan, calls=tuple(rest)),
        replace(plan, calls=(first._replace(after={**first.after, "desired": 0}), *rest)),
        replace(plan, calls=(first._replace(before={**first.before, "desired": 0}), *rest)),
        replace(plan, calls=(first._replace(parameters={**first.parameters, "MinSize": 0}), *rest)),
        replace(plan, calls=(first._replace(group="another"), *rest)),
        replace(plan, calls=(first._replace(account="another"), *rest)),
        replace(plan, p5_days=51),
        replace(plan, forecast_run=8),
        replace(plan, read_only_because=(Reason("quiet_hours", "these are quiet hours"),)),
    ]
    digests = {plan_digest(plan=each, policy_digest="a") for each in (plan, *others)}
    assert len(digests) == 1 + len(others)
    assert plan_digest(plan=plan, policy_digest="b") not in digests
    assert plan_digest(plan=replace(plan, made_at=NOW + timedelta(days=1)), policy_digest="a") in digests


def test_a_group_of_an_environment_that_the_policy_does_not_know_is_left_alone_and_that_is_said() -> None:
    plan = plan_for(runway(30), groups=(group("warehouse"),))
    assert plan.calls == ()
    assert [w.text for w in plan.warnings if w.code == "unknown_environment"] == [
        "capstack-warehouse-asg is left alone: its environment is none of dev, staging, production"
    ]


ANY_P5 = st.one_of(
    st.none(), st.booleans(), st.text(), st.integers(), st.floats(allow_nan=True, allow_infinity=True)
)
ANY_SIZE = st.tuples(*[st.integers(min_value=-3, max_value=40)] * 3)


@given(p5_days=ANY_P5, sizes=st.tuples(ANY_SIZE, ANY_SIZE, ANY_SIZE), opted_in=st.tuples(*[st.booleans()] * 3))
def test_no_plan_holds_an_impossible_size_leaves_a_floor_or_touches_an_untagged_group(
    p5_days: object, sizes: tuple[tuple[int, int, int], ...], opted_in: tuple[bool, ...]
) -> None:
    groups = tuple(
        group(environment, size=size, market=MIXED, opted_in=tagged)
        for environment, size, tagged in zip(("dev", "production", "staging"), sizes, opted_in, strict=True)
    )
    plan = plan_for(runway(p5_days), groups=groups)
    tagged_names = {each.name for each in groups if each.opted_in}
    for call in plan.calls:
        assert call.group in tagged_names
        assert set(call.before) == set(call.after)
        assert call.before != call.after
        if call.action == "resize_group":
            size = parse_capacity(call.after)
            assert not capacity_problems(size, floor=LADDER.floor_of(call.environment))


@given(st.lists(st.one_of(st.floats(allow_nan=True), st.floats(0, 400)), max_size=40))
def test_the_same_figure_again_plans_the_same_and_a_bad_figure_plans_nothing(series: list[float]) -> None:
    groups, rows = GROUPS, frozenset[str]()
    for p5_days in series:
        plan = plan_for(runway(p5_days), groups=groups, history=History(Standing(rows)))
        if plan.p5_days is None:
            assert plan.calls == ()
            continue
        assert plan.band is not None
        rows = frozenset(plan.band.row_names)
        again = plan_for(runway(p5_days), groups=groups, history=History(Standing(rows)))
        assert [call.as_dict() for call in again.calls] == [call.as_dict() for call in plan.calls]
