from datetime import date

import numpy as np

from forecasting.fit.calendar import calendar_for
from forecasting.fit.recurring import (
    ANNUAL,
    BIWEEKLY,
    MONTHLY,
    QUARTERLY,
    WEEKLY,
    Detection,
    Occurrences,
    detect,
    expect,
)
from ledger.domain.flows import EPOCH, day_number
from tests.forecasting.journal import every, monthly

US = calendar_for(country="US", year=2025)


def look(text: str, *, as_of: str, subscription: bool = False) -> Detection:
    """Every line is a payment of one payee."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return detect(
        day=np.array([day_number(date.fromisoformat(line[0])) for line in lines], dtype=np.int64),
        amount=np.array([float(line[1]) for line in lines]),
        key=np.zeros(len(lines), dtype=np.int64),
        as_of_day=np.array([day_number(date.fromisoformat(as_of))]),
        subscription=np.array([subscription]),
        calendar=US,
    )


def dates(occurrences: Occurrences) -> list[str]:
    return [str(date.fromordinal(EPOCH.toordinal() + day)) for day in occurrences.day.tolist()]


def test_it_finds_each_cadence():
    for days, cadence in ((7, WEEKLY), (14, BIWEEKLY), (91, QUARTERLY), (365, ANNUAL)):
        text = every(days, start="2020-01-06", until="2025-06-28", line="-100")
        assert look(text, as_of="2025-06-30").streams.cadence.tolist() == [cadence]
    assert look(
        monthly(start="2024-06-12", months=12, line="-100"), as_of="2025-06-01"
    ).streams.cadence.tolist() == [MONTHLY]


def test_a_monthly_bill_comes_on_its_day_again():
    found = look(monthly(start="2025-01-12", months=6, line="-100"), as_of="2025-06-30")
    assert dates(expect(found.streams, days=92, calendar=US)) == ["2025-07-12", "2025-08-12", "2025-09-12"]


def test_a_bill_at_the_months_end_stays_at_the_months_end():
    text = "2025-02-28 -9\n2025-03-31 -9\n2025-04-30 -9\n2025-05-31 -9\n2025-06-30 -9"
    expected = expect(look(text, as_of="2025-06-30").streams, days=62, calendar=US)
    assert dates(expected) == ["2025-07-31", "2025-08-31"]


def test_rent_due_on_the_first_waits_for_an_open_day():
    text = "2025-02-03 -9\n2025-03-03 -9\n2025-04-01 -9\n2025-05-01 -9\n2025-06-02 -9\n2025-07-01 -9"
    expected = expect(look(text, as_of="2025-07-15").streams, days=62, calendar=US)
    assert dates(expected) == ["2025-08-01", "2025-09-02"]  # the 1st of September is Labor Day


def test_a_steady_bill_costs_what_it_last_cost():
    text = "2025-01-05 -100\n2025-02-05 -100\n2025-03-05 -100\n2025-04-05 -108\n2025-05-05 -108"
    assert look(text, as_of="2025-05-20").streams.amount.tolist() == [-108.0]


def test_an_unsteady_bill_costs_the_mean_of_the_last_four():
    text = "2025-01-05 -999\n2025-02-05 -100\n2025-03-05 -130\n2025-04-05 -90\n2025-05-05 -120"
    assert look(text, as_of="2025-05-20").streams.amount.tolist() == [-110.0]


def test_a_bill_that_stopped_is_a_stream_that_is_not_expected_again():
    found = look(monthly(start="2024-06-12", months=6, line="-100"), as_of="2025-06-01")
    assert found.is_stream.tolist() == [True]
    assert len(found.streams.key) == 0


def test_a_bill_a_few_days_late_is_expected_tomorrow():
    found = look(monthly(start="2025-01-12", months=5, line="-100"), as_of="2025-06-16")
    assert dates(expect(found.streams, days=30, calendar=US)) == ["2025-06-17", "2025-07-12"]


def test_payments_without_a_cadence_are_no_stream():
    text = "2025-01-05 -10\n2025-01-19 -10\n2025-03-28 -10\n2025-04-02 -10\n2025-06-20 -10"
    assert look(text, as_of="2025-06-30").is_stream.tolist() == [False]


def test_a_vendor_between_the_regular_days_is_no_stream():
    text = monthly(start="2025-01-12", months=6, line="-100") + monthly(start="2025-01-17", months=6, line="-100")
    assert look(text, as_of="2025-06-30").is_stream.tolist() == [False]


def test_a_new_subscription_counts_as_monthly_from_its_first_bill():
    first_bill = "2025-06-10 -50"
    assert look(first_bill, as_of="2025-06-30").is_stream.tolist() == [False]
    assert look(first_bill, as_of="2025-06-30", subscription=True).streams.cadence.tolist() == [MONTHLY]
    assert look(first_bill, as_of="2025-09-30", subscription=True).is_stream.tolist() == [False]


def test_many_payees_are_found_in_one_pass_as_if_each_were_alone():
    one = [day_number(date(2025, month, 12)) for month in range(1, 7)]
    two = [day_number(date(2025, 1, 6)) + 14 * n for n in range(12)]
    found = detect(
        day=np.array([*two, *one]),
        amount=np.array([-2.0] * 12 + [-1.0] * 6),
        key=np.array([1] * 12 + [0] * 6),
        as_of_day=np.full(3, day_number(date(2025, 6, 30))),
        subscription=np.zeros(3, dtype=bool),
        calendar=US,
    )
    assert found.is_stream.tolist() == [True, True, False]
    assert found.streams.cadence.tolist() == [MONTHLY, BIWEEKLY]
    assert found.streams.amount.tolist() == [-1.0, -2.0]


def test_ten_thousand_payees_are_no_trouble():
    keys = np.repeat(np.arange(10_000), 4)
    day = np.tile(day_number(date(2025, 3, 1)) + np.array([0, 31, 61, 92]), 10_000)
    found = detect(
        day=day,
        amount=np.full(40_000, -5.0),
        key=keys,
        as_of_day=np.full(10_000, day_number(date(2025, 6, 30))),
        subscription=np.zeros(10_000, dtype=bool),
        calendar=US,
    )
    assert found.is_stream.all()
    assert expect(found.streams, days=365, calendar=US).amount.sum() == -5.0 * 12 * 10_000


def test_no_payments_at_all_are_no_streams():
    empty = np.zeros(0, dtype=np.int64)
    found = detect(
        day=empty,
        amount=np.zeros(0),
        key=empty,
        as_of_day=np.array([20000]),
        subscription=np.array([True]),
        calendar=US,
    )
    assert found.is_stream.tolist() == [False]
    assert len(expect(found.streams, days=365, calendar=US).day) == 0


def test_what_is_paid_at_the_months_end_is_paid_before_a_weekend_there():
    text = "2025-01-31 -9\n2025-02-28 -9\n2025-03-31 -9\n2025-04-30 -9\n2025-05-30 -9\n2025-06-30 -9"
    expected = expect(look(text, as_of="2025-07-01").streams, days=130, calendar=US)
    # The last of August is a Sunday; a day later there would be two payments in September and none in August.
    assert dates(expected) == ["2025-07-31", "2025-08-29", "2025-09-30", "2025-10-31"]
