"""A policy run over a series of forecasts, against hand arithmetic."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from cloudpolicy.engine.path_p5 import p5_along_paths
from cloudpolicy.engine.policy import GroupRule, Pace, Policy
from cloudpolicy.engine.replay import Replayed, Said, replay
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import LADDER, NOW, group

DAY = timedelta(days=1)
# Production as the ladder's `otherwise` has it, so that only rows change it.
GROUPS = (group("production", size=(3, 12, 8)), group("staging", size=(2, 6, 5)))


def over(
    series: list[float], *, policy: Policy = LADDER, groups: Any = GROUPS, every: timedelta = DAY
) -> Replayed:
    said = [Said(NOW + place * every, place, p5_days) for place, p5_days in enumerate(series)]
    return replay(
        policy=policy,
        groups=groups,
        said=said,
        until=NOW + len(series) * every,
        timezone="UTC",
        filters=all_filters(),
    )


def test_hours_saved_and_time_in_bands_add_up_by_hand() -> None:
    told = over([200, 80, 50, 50, 130])
    # A day below 90: production 8 -> 4. Two below 60: and staging 5 -> 2. Then everything is back.
    assert told.instance_hours_saved == 24 * (4 + 2 * (4 + 3))
    assert told.days_in_band == {"above the ladder": 2.0, "below 90": 1.0, "below 60": 2.0}
    assert [each.instances for each in told.stretches] == [13, 9, 6, 6, 13]
    assert told.resizes == 4


def test_a_flap_is_turning_round() -> None:
    told = over([80, 130, 80, 130])
    assert (told.moves, told.flaps) == (4, 3)
    assert told.flaps_per_year == pytest.approx(3 * 365 / 4)
    slow = over([80, 130, 80, 130], policy=replace(LADDER, pace=Pace(cooldown=10 * DAY)))
    assert (slow.moves, slow.flaps) == (1, 0)


def test_a_cooldown_that_ends_between_forecasts_is_not_slept_through() -> None:
    policy = replace(LADDER, pace=Pace(cooldown=36 * timedelta(hours=1)))
    told = over([80, 130], policy=policy, every=DAY)
    assert [(each.band, each.stop - each.start) for each in told.stretches] == [
        ("below 90", DAY),
        ("below 90", DAY / 2),
        ("above the ladder", DAY / 2),
    ]


def test_a_step_a_day_is_taken_between_forecasts() -> None:
    policy = replace(LADDER, limits=replace(LADDER.limits, step_percent=25))
    told = over([80], policy=policy, groups=GROUPS[:1], every=4 * DAY)
    assert [each.instances for each in told.stretches] == [6, 5, 4, 4]


def test_an_excluded_group_joins_when_its_day_begins() -> None:
    rule = GroupRule("capstack-production-asg", exclude_until=date(2026, 3, 4), because="audit")
    told = over([80], policy=replace(LADDER, groups={rule.group: rule}), groups=GROUPS[:1], every=5 * DAY)
    assert [each.instances for each in told.stretches] == [8, 4]


def test_time_below_a_floor_is_counted_in_minutes() -> None:
    rule = GroupRule("capstack-production-asg", exclude_until=date(2026, 3, 4), because="audit")
    policy = replace(LADDER, groups={rule.group: rule})
    told = over([80], policy=policy, groups=(group("production", size=(1, 4, 1)),), every=5 * DAY)
    # Nobody may lift it until the 4th; it is the 2nd, half past two.
    assert told.minutes_below_floor == (33 * 60 + 30)


def test_a_group_without_the_tag_counts_for_nothing() -> None:
    assert over([30], groups=(replace(GROUPS[0], opted_in=False),)).instance_hours_saved == 0


def test_p5_along_a_future_is_what_its_neighbours_have_left() -> None:
    # Every future burns one a day from a balance of its own, so what is left is the balance, less a day.
    begin = np.arange(100, 1100, dtype=np.float32)
    balances = begin[None, :] - np.arange(1, 91, dtype=np.float32)[:, None]
    runway = begin.astype(np.int32)
    chosen = np.array([500, 999])
    told = p5_along_paths(balances=balances, runway_days=runway, chosen=chosen, days=60)
    left = balances[:60, chosen]
    # The fifth of a hundred of 200 neighbours lies 90 places below the one in their middle.
    assert np.allclose(told[:, 0], left[:, 0] - 91, atol=2)
    assert (told[:, 1] <= left[:, 1]).all()


def test_a_future_that_ran_out_has_nothing_left() -> None:
    balances = np.array([[5, 50], [0, 40], [-5, 30]], np.float32)
    told = p5_along_paths(
        balances=balances, runway_days=np.array([2, 9], np.int32), chosen=np.array([0, 1]), days=3
    )
    assert told[:, 0].tolist() == [1, 0, 0]
    assert told[2, 1] == 6
