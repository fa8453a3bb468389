"""The ladder in time: dwell, cooldown, and never to and fro."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.engine.policy import Pace, Policy
from cloudpolicy.engine.standing import GROWS, SHRINKS, Standing, Step, Turn, step
from tests.cloudpolicy.engine.samples import LADDER, NOW

HOUR = timedelta(hours=1)


def paced(*, dwell: int = 1, cooldown: timedelta = timedelta(0)) -> Policy:
    return replace(LADDER, pace=Pace(dwell, cooldown))


def steps(
    policy: Policy, series: list[float], *, every: timedelta = HOUR, standing: Standing | None = None
) -> list[Step]:
    """One forecast after the other, each a run of its own."""
    taken = []
    standing = standing or Standing()
    for place, p5_days in enumerate(series):
        now = NOW + place * every
        taken.append(step(policy=policy, p5_days=p5_days, forecast_run=place, standing=standing, now=now))
        standing = taken[-1].standing
    return taken


def test_a_row_comes_into_force_when_so_many_forecasts_in_a_row_ask_for_it() -> None:
    taken = steps(paced(dwell=3), [80, 80, 100, 80, 80, 80, 80])
    in_force = [each.band.row_names for each in taken]
    assert in_force == [(), (), (), (), (), ("production below 90",), ("production below 90",)]
    assert taken[1].waits[0].text == ("production below 90 waits: 2 of 3 forecasts in a row ask for another size")


def test_a_row_is_left_after_as_many() -> None:
    taken = steps(paced(dwell=2), [80, 80, 130, 80, 130, 130])
    assert [bool(each.band.rows) for each in taken] == [False, True, True, True, True, False]


def test_the_same_forecast_looked_at_again_does_not_count_again() -> None:
    policy, standing = paced(dwell=2), Standing()
    for _ in range(5):
        standing = step(policy=policy, p5_days=80, forecast_run=7, standing=standing, now=NOW).standing
    assert not standing.rows_in_force
    assert step(policy=policy, p5_days=80, forecast_run=8, standing=standing, now=NOW).band.rows


def test_an_environment_does_not_turn_round_before_its_cooldown_is_over() -> None:
    taken = steps(paced(cooldown=3 * HOUR), [80, 130, 130, 130, 130])
    assert [each.band.name for each in taken] == ["below 90", "below 90", "below 90", *["above the ladder"] * 2]
    assert taken[1].waits[0].code == "cooldown"
    assert taken[1].look_again_at == NOW + 3 * HOUR
    assert taken[3].standing.turns == {"production": Turn(NOW + 3 * HOUR, GROWS)}


def test_a_falling_runway_is_not_waited_for() -> None:
    taken = steps(paced(cooldown=1000 * HOUR), [80, 50, 40])
    assert [each.band.name for each in taken] == ["below 90", "below 60", "below 45"]
    assert {turn.direction for turn in taken[-1].standing.turns.values()} == {SHRINKS}


def test_environments_wait_apart() -> None:
    # Production shrank an hour ago and may not grow; staging, which never moved, may shrink.
    taken = steps(paced(cooldown=10 * HOUR), [80, 50])
    assert taken[-1].band.row_of("staging") is not None


def test_a_row_that_a_new_policy_does_not_have_is_forgotten() -> None:
    standing = Standing(frozenset({"warehouse below 10", "production below 90"}))
    taken = step(policy=LADDER, p5_days=100, forecast_run=1, standing=standing, now=NOW)
    assert taken.standing.rows_in_force == {"production below 90"}


ANY_DAYS = st.floats(min_value=0, max_value=400)


@settings(max_examples=60)
@given(
    series=st.lists(ANY_DAYS, max_size=60),
    dwell=st.integers(1, 4),
    cooldown=st.integers(0, 20),
    minutes=st.integers(1, 300),
)
def test_no_environment_turns_round_more_than_once_per_cooldown(
    series: list[float], dwell: int, cooldown: int, minutes: int
) -> None:
    pause = timedelta(hours=cooldown)
    taken = steps(paced(dwell=dwell, cooldown=pause), series, every=timedelta(minutes=minutes))
    for environment in LADDER.environments:
        turns = [turn for each in taken if (turn := each.standing.turns.get(environment)) is not None]
        moves = list(dict.fromkeys(turns))
        for last, turn in pairwise(moves):
            if turn.direction != last.direction:
                assert turn.at - last.at >= pause


def test_a_thousand_swings_round_a_threshold_flap_once_per_cooldown() -> None:
    day = timedelta(days=1)
    swings = [59.0, 121.0] * 1000
    taken = steps(paced(cooldown=30 * day), swings, every=day)
    turns = list(dict.fromkeys(each.standing.turns.get("staging") for each in taken))
    assert len(turns) <= 2000 // 30 + 1
    assert len(turns) > 10


def test_a_thousand_swings_between_the_thresholds_move_nothing() -> None:
    taken = steps(LADDER, [59.0] + [61.0, 119.0] * 1000)
    assert len({each.band for each in taken}) <= 3
    assert "staging below 60" in taken[-1].standing.rows_in_force
