"""Fifty policies of which no two want the same of any group, over groups of every sort: what shares least."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.market import LaunchTemplate, Market, MixedInstances, UnknownMarket
from cloudpolicy.engine.policy import PROCESSES, GroupRule, Pace, Policy, Quiet, QuietHours, Row

RULED_BY_NAME = 20
EVERY_DAY = frozenset(range(7))


def unlike(policy: Policy, place: int, groups: list[Group]) -> Policy:
    """This policy with thresholds, sizes, shares of spot, suspended processes, steps, floors, exclusions, pace and
    quiet hours of its own."""
    suspended = frozenset({PROCESSES[place % 9], PROCESSES[(place // 9 + place + 1) % 9]})

    def own(row: Row) -> Row:
        below = row.below_days + 1 + place
        size = Capacity(0, 50 + place, 1 + place)
        return replace(
            row, below_days=below, until_days=below + 60, capacity=size, spot=place % 2 == 0, suspended=suspended
        )

    named = groups[place * RULED_BY_NAME % len(groups) :][:RULED_BY_NAME]
    rules = {
        each.name: GroupRule(each.name, floor=1 + at % 5, exclude_until=date(2026, 4, 1) if at % 4 == 0 else None)
        for at, each in enumerate(named)
    }
    floors = dict.fromkeys(policy.environments, 1 + place % 3)
    quiet = Quiet((QuietHours(EVERY_DAY, time(22), time(5, place)),), frozenset({date(2026, 12, 1 + place % 28)}))
    step = 5 + place if place % 2 else None
    return replace(
        policy,
        rows=tuple(own(row) for row in policy.rows),
        floors=floors,
        groups=rules,
        on_demand_percent_with_spot=place,
        limits=replace(policy.limits, step_percent=step),
        pace=Pace(1, timedelta(minutes=place)),
        quiet=quiet,
    )


def of_every_sort(groups: list[Group]) -> list[Group]:
    """The same groups: on and off spot by mixed instances and by templates, some scheduled, some suspended, and a
    tenth that nobody opted in."""
    return [_of_some_sort(group, place) for place, group in enumerate(groups)]


def _of_some_sort(group: Group, place: int) -> Group:
    markets: tuple[Market, ...] = (
        MixedInstances({"OnDemandPercentageAboveBaseCapacity": 30}),
        MixedInstances({"OnDemandPercentageAboveBaseCapacity": 100}),
        LaunchTemplate(f"lt-{place}", f"lt-{place}", "$Latest", 1, {"MarketType": "spot"}),
        LaunchTemplate(f"lt-{place}", f"lt-{place}", "4", 4, {}),
        UnknownMarket("an old launch configuration"),
    )
    changes: dict[str, Any] = {"market": markets[place % len(markets)], "opted_in": place % 10 != 7}
    if place % 7 == 0:
        changes["suspended"] = frozenset({"AZRebalance"})
    return replace(group, is_scheduled=place % 4 == 0, **changes)
