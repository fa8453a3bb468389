"""How long the policy engine takes: 1,000 groups under 50 policies, and a replay of a year.

python -m bench policies
"""

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from bench.unlike_policies import of_every_sort, unlike
from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.document import parse_policy
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.fleet import Fleet
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.history import History
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.market import LaunchTemplate, Market, MixedInstances
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.replay import Said, replay
from cloudpolicy.engine.runway import ChainCheck, Runway
from cloudpolicy.filters.registry import all_filters

GOALS = {
    "thousand_groups_in_50_policies_ms": "<= 100",
    "every_policy_over_every_group_ms": "<= 100",
    "every_policy_unlike_the_others_ms": "<= 100",
    "unlike_policies_going_step_by_step_ms": "<= 100",
    "wholly_unlike_policies_over_groups_of_every_sort_ms": "<= 100",
}
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICIES, GROUPS = 50, 1000
ENVIRONMENTS = ("dev", "staging", "production")
REPEATS = 7


def run() -> dict[str, Any]:
    """Milliseconds, medians. Every group is to be changed: nothing is as the policies want it.

    The groups of an account are shared out among the policies, twenty each; beside it, what it takes when each of
    the policies looks at all of them (as a fleet, which is made anew each time), when all groups are on launch
    templates of their own, when no two policies want the same size of any group, so that they share no call on
    sizes (as a fleet, and as plain groups), when each goes by steps of its own, and when policies and groups
    differ in everything. All calls of a plan are made when it is, and none is when it is read.
    """
    policies = [_policy(place) for place in range(POLICIES)]
    groups = [
        _group(place, MixedInstances({"OnDemandPercentageAboveBaseCapacity": 30})) for place in range(GROUPS)
    ]
    shares = [groups[place::POLICIES] for place in range(POLICIES)]
    planned = sum(len(_evaluate(policy, share).calls) for policy, share in zip(policies, shares, strict=True))
    assert planned >= GROUPS
    other_sizes = [_of_other_sizes(policy, place) for place, policy in enumerate(policies)]
    by_steps = [
        replace(policy, limits=replace(policy.limits, step_percent=5 + place))
        for place, policy in enumerate(other_sizes)
    ]
    sorts = of_every_sort(groups)
    wholly = [unlike(policy, place, sorts) for place, policy in enumerate(policies)]
    templates = [
        _group(place, LaunchTemplate(f"lt-{place}", f"lt-{place}", "$Latest", 1, {"MarketType": "spot"}))
        for place in range(GROUPS)
    ]
    return {
        "thousand_groups_in_50_policies_ms": _timed(
            lambda: [_evaluate(policy, share) for policy, share in zip(policies, shares, strict=True)]
        ),
        "calls_planned": planned,
        "thousand_groups_in_one_policy_ms": _timed(lambda: _evaluate(policies[0], groups)),
        "thousand_groups_on_templates_in_one_policy_ms": _timed(lambda: _evaluate(policies[0], templates)),
        "every_policy_over_every_group_ms": _timed(lambda: _over_all(policies, groups)),
        "calls_of_every_policy_over_every_group": sum(len(plan.calls) for plan in _over_all(policies, groups)),
        "every_policy_unlike_the_others_ms": _timed(lambda: _over_all(other_sizes, groups)),
        "every_policy_unlike_the_others_without_a_fleet_ms": _timed(
            lambda: [_evaluate(policy, groups) for policy in other_sizes]
        ),
        "unlike_policies_going_step_by_step_ms": _timed(lambda: _over_all(by_steps, groups)),
        "wholly_unlike_policies_over_groups_of_every_sort_ms": _timed(lambda: _over_all(wholly, sorts)),
        "calls_of_wholly_unlike_policies": sum(len(plan.calls) for plan in _over_all(wholly, sorts)),
        "year_replayed_over_20_groups_ms": _timed(lambda: _replay(policies[0], shares[0])),
    }


def _policy(place: int) -> Policy:
    document = copy.deepcopy(FOUNDING_LADDER)
    document["name"] = f"policy {place}"
    document["rows"][2]["capacity"]["desired"] = 4 + place % 3
    document["pace"] = {"dwell_forecasts": 1, "cooldown_minutes": 60}
    document["quiet"] = {"hours": [{"from": "22:00", "until": "06:00"}], "skip_days": ["2026-12-24"]}
    return parse_policy(document)


def _of_other_sizes(policy: Policy, place: int) -> Policy:
    rows = (replace(row, capacity=Capacity(0, 50 + place, 1 + place)) for row in policy.rows)
    return replace(policy, rows=tuple(rows))


def _group(place: int, market: Market) -> Group:
    environment = ENVIRONMENTS[place % len(ENVIRONMENTS)]
    # Hardly two groups of an account have the same size.
    least = 1 + place * 7 % 12
    size = Capacity(least, least + 16 + place % 9, least + place * 11 % 17)
    return Group(f"team-{place:04}-{environment}", environment, "us-east-1", size, market, opted_in=True)


def _over_all(policies: list[Policy], groups: list[Group]) -> list[ScalingPlan]:
    fleet = Fleet.of(groups)
    return [_evaluate(policy, fleet) for policy in policies]


def _evaluate(policy: Policy, groups: list[Group] | Fleet) -> ScalingPlan:
    return evaluate(
        policy=policy,
        groups=groups,
        runway=Runway(
            forecast_run=1,
            p5_days=50,
            horizon_days=365,
            published_at=NOW,
            as_of=NOW.date(),
            today=NOW.date(),
            chain=ChainCheck(NOW),
        ),
        history=History(),
        now=NOW,
        actions=all_actions(),
        filters=all_filters(),
    )


def _replay(policy: Policy, groups: list[Group]) -> Any:
    # A p5 that swings through all thresholds, a forecast a day.
    said = [Said(NOW + timedelta(days=day), day, 90 + 60 * ((day // 10) % 3 - 1)) for day in range(365)]
    return replay(
        policy=policy,
        groups=groups,
        said=said,
        until=NOW + timedelta(days=365),
        timezone="Europe/Berlin",
        filters=all_filters(),
    )


def _timed(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000.0)
    return round(median(taken), 1)
