"""What stands around the chart says only what the forecast contains."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from forecasting.views.board import EarlierRun, RunwayBoard, runway_board
from forecasting.views.figure import PastBalances
from forecasting.views.projection import RunoutDay, projection_of
from tests.forecasting.views.sample_forecast import AS_OF, HORIZON, stored_forecast

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def board(*, late_days: int = 0, **changes) -> RunwayBoard:
    arguments = {
        "past": PastBalances(first_day=AS_OF, balances=(1_100_000.0,)),
        "other_balance": Decimal(1_310_000),
        "earlier": None,
        "view_range": "6m",
        "published_at": NOON,
        "is_updating": False,
    }
    forecast = stored_forecast() | changes.pop("forecast", {})
    projection = projection_of(forecast, today=AS_OF + timedelta(days=late_days))
    return runway_board(projection=projection, **(arguments | changes))


def test_data_of_this_week_are_fresh_and_older_ones_are_not():
    assert [board(late_days=7).health[0].state, board(late_days=8).health[0].state] == ["good", "warn"]
    assert board(late_days=7).stale_days == 0
    assert board(late_days=8).stale_days == 8


def test_the_strip_says_updating_instead_of_an_old_time():
    assert board(is_updating=True).health[1].state == "busy"
    assert board().health[1].text == "calculated 12:00 UTC"
    assert "23\N{NO-BREAK SPACE}Nov" in board(late_days=2).health[1].text


def test_without_an_earlier_run_nothing_has_changed():
    assert board().change is None


def test_a_change_names_the_days_and_no_cause():
    now = board().projection.p50
    earlier = EarlierRun(
        published_day=AS_OF - timedelta(days=7),
        p50=RunoutDay(days=now.days + 23, day=now.day + timedelta(days=16)),
    )
    change = board(earlier=earlier).change
    assert change.difference == "16 days sooner"
    assert change.then == f"{now.days + 23} days"


def test_a_change_from_beyond_the_horizon_has_no_difference():
    earlier = EarlierRun(published_day=AS_OF - timedelta(days=7), p50=RunoutDay(days=HORIZON, day=None))
    assert board(earlier=earlier).change.then == "over 365 days"
    assert board(earlier=earlier).change.difference == ""


def test_the_payroll_tile_needs_a_payroll():
    labels = [tile.label for tile in board().tiles]
    assert labels[-1].startswith("Every payroll to 15\N{NO-BREAK SPACE}Dec covered")
    assert len(board(forecast={"next_events": []}).tiles) == 3


def test_money_that_outlasts_the_horizon_is_not_given_an_interval_from_its_end_to_its_end():
    beyond = {"p5": True, "p50": True, "p95": True}
    forecast = stored_forecast()
    received = {"p5_days": 365, "p50_days": 365, "p95_days": 365, "beyond_horizon": beyond}
    tranches = [forecast["tranches"][0] | {"received": received}]
    comes, not_ = board(forecast={"tranches": tranches}).tranches[0].cases
    assert (comes.figure, comes.aside) == ("over 365 days", "95 % sure: over 365 days")
    assert not_.aside.startswith("90 % sure: ")


def test_the_lowest_point_of_the_middle_is_told_where_the_middle_never_runs_out():
    lowest = {"day": 63, "date": "2027-01-25", "balance": "347741.22"}
    through = {"p5": False, "p50": True, "p95": True}
    shown = board(forecast={"lowest": lowest, "beyond_horizon": through, "p50_date": None, "p95_date": None})
    assert shown.projection.lowest == (date(2027, 1, 25), Decimal("347741.22"))
    assert shown.shows_lowest
    assert not board(forecast={"lowest": lowest | {"balance": "-5.00"}}).shows_lowest


def test_odds_are_never_promised():
    texts = {survival.days: survival.text for survival in board().survivals}
    assert texts[30] == ">\N{NARROW NO-BREAK SPACE}99\N{NARROW NO-BREAK SPACE}%"


def test_a_share_beyond_the_horizon_is_left_out():
    shares = stored_forecast()["probability_of_zero_by"] | {"365": None}
    assert 365 not in {survival.days for survival in board(forecast={"probability_of_zero_by": shares}).survivals}


def test_reasons_that_move_nothing_are_left_out():
    assert "Exchange rates" not in {flow.label for flow in board().flows}
    assert board().flows[0].label == "Payroll and its taxes"
