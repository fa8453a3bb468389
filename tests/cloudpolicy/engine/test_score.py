"""Predicted against billed: closed forms."""

from decimal import Decimal

import pytest

from cloudpolicy.engine.score import Spent, billed_saving, days_at, delivers

D = Decimal


def test_it_is_what_the_groups_cost_less() -> None:
    found = billed_saving(before=Spent(D(700), D(0), 7), after=Spent(D(400), D(0), 7))
    assert (found.saved, found.factor) == (D(300), D(1))


def test_windows_of_unequal_length_are_compared_by_day() -> None:
    found = billed_saving(before=Spent(D(300), D(100), 3), after=Spent(D(400), D(1000), 30))
    assert (found.saved, found.factor) == (D(2600), D(1))


def test_growth_of_the_rest_is_taken_to_have_happened_to_the_groups_as_well() -> None:
    found = billed_saving(before=Spent(D(100), D(200), 10), after=Spent(D(100), D(260), 10))
    assert (found.saved, found.factor) == (D(30), D("1.3"))


@pytest.mark.parametrize(("rest", "factor"), [("1", "0.5"), ("100000", "2")])
def test_a_rest_that_jumps_says_little(rest: str, factor: str) -> None:
    found = billed_saving(before=Spent(D(100), D(1000), 10), after=Spent(D(100), D(rest), 10))
    assert found.factor == D(factor)


@pytest.mark.parametrize(
    ("predicted", "billed", "expected"),
    [("100", "50", True), ("100", "49", False), ("-100", "-150", True), ("-100", "-151", False)],
)
def test_half_of_it_has_to_come_true(predicted: str, billed: str, *, expected: bool) -> None:
    assert delivers(predicted=D(predicted), billed=D(billed)) is expected


def test_days_are_read_between_and_beyond_the_simulated_points() -> None:
    curve = [(D(-100), 48), (D(0), 50), (D(100), 54), (D(200), 60)]
    days = {at: days_at(curve=curve, saving_per_month=D(at)) for at in (-200, -50, 0, 50, 150, 300)}
    assert days == {-200: -4.0, -50: -1.0, 0: 0.0, 50: 2.0, 150: 7.0, 300: 16.0}


def test_without_two_points_there_are_no_days() -> None:
    assert days_at(curve=[(D(0), 50)], saving_per_month=D(1)) is None
    assert days_at(curve=[(D(5), 50), (D(9), 52)], saving_per_month=D(6)) is None
