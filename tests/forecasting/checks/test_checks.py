"""Doubts about the data: each is found where it is, and nowhere else, and links to its rows."""

from dataclasses import replace
from datetime import date

import pytest

from forecasting.checks.data_check import CheckedCompany, DataCheck, Feed
from forecasting.checks.registry import all_checks, check_data
from forecasting.fit.company import fit_company
from forecasting.outcome import RunwayCase
from tests.forecasting.journal import every, history, monthly

AS_OF = "2025-06-30"
NARROW = RunwayCase(p5_days=100, p50_days=110, p95_days=120, beyond_horizon=(False, False, False))
CALM = (
    monthly(start="2024-06-05", months=13, line="-3000 software Tools Inc")
    + monthly(start="2024-06-28", months=13, line="-30000 payroll Gusto")
    + every(7, start="2024-06-03", until=AS_OF, line="-400 card Cafe")
)


def checked(text: str, *, as_of: str = AS_OF, **fields: object) -> CheckedCompany:
    company = history(text, as_of=as_of)
    return replace(CheckedCompany(history=company, fitted=fit_company(company), runway=NARROW), **fields)


def found(company: CheckedCompany) -> dict[str, DataCheck]:
    return {check.code: check for check in check_data(company)}


def test_every_check_is_named_like_its_module():
    assert [check.code for check in all_checks()] == [
        "books_gap",
        "burn_flips",
        "december_bonus",
        "payroll_missing",
        "silent_feed",
        "vendor_doubled",
        "wide_interval",
    ]


def test_a_calm_company_raises_no_doubt():
    feeds = (Feed(name="bank", last_day=date(2025, 6, 28), usual_gap_days=4),)
    assert found(checked(CALM, feeds=feeds)) == {}


@pytest.mark.parametrize(("resumed", "is_gap"), [("2025-03-12", True), ("2025-02-01", False)])
def test_a_season_without_any_row_is_no_frugality(resumed, is_gap):
    text = every(1, start="2024-06-01", until="2024-11-30", line="-100 card Cafe")
    text += every(1, start=resumed, until=AS_OF, line="-100 card Cafe")
    doubt = found(checked(text)).get("books_gap")
    assert (doubt is not None) is is_gap
    if doubt is not None:
        assert "between 2024-11-30 and 2025-03-12, 101 days" in doubt.sentence
        assert doubt.rows.month == date(2024, 11, 30)


def test_a_gap_of_long_ago_is_left_alone():
    text = every(1, start="2021-01-01", until="2021-06-30", line="-100 card Cafe")
    assert "books_gap" not in found(
        checked(text + every(1, start="2023-06-01", until=AS_OF, line="-100 card Cafe"))
    )


def test_a_month_that_gained_cash_after_months_of_burning_names_where_it_came_from():
    doubt = found(checked(CALM + "2025-05-20 +90000 cloud AWS Refunds\n"))["burn_flips"]
    assert "May 2025" in doubt.sentence
    assert "AWS Refunds (90,000 USD)" in doubt.sentence
    assert (doubt.rows.month, doubt.rows.text, doubt.since) == (date(2025, 5, 1), "AWS Refunds", date(2025, 5, 1))


def test_new_money_does_not_flip_burn():
    assert "burn_flips" not in found(checked(CALM + "2025-05-20 +900000 investment Fund I\n"))


def test_a_company_that_earns_more_than_it_spends_is_no_flip():
    earning = CALM + monthly(start="2024-06-10", months=13, line="+60000 revenue Stripe")
    assert "burn_flips" not in found(checked(earning))


def test_a_wide_forecast_names_the_largest_payments_and_what_is_doubted_most():
    wide = RunwayCase(p5_days=80, p50_days=120, p95_days=200, beyond_horizon=(False, False, False))
    doubt = found(
        checked(
            CALM + "2025-02-11 -9000 legal Lawyers LLP\n",
            runway=wide,
            doubts=(("Sales and their costs", 31), ("Payroll", 0)),
        )
    )["wide_interval"]
    assert "120 days wide" in doubt.sentence
    assert "sales and their costs (31 days)" in doubt.sentence
    assert "Payroll" not in doubt.sentence
    assert "Lawyers LLP (9,000 USD)" in doubt.sentence
    assert doubt.rows.text == "Lawyers LLP"
    assert doubt.rows.month == date(2025, 2, 11)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (61, "Most of it comes from payroll (61 days)."),
        (7, "No single doubt makes most of it; the largest would be payroll (7 days)."),
    ],
)
def test_a_doubt_is_said_to_make_most_of_the_width_only_when_it_does(days, said):
    wide = RunwayCase(p5_days=80, p50_days=120, p95_days=200, beyond_horizon=(False, False, False))
    assert said in found(checked(CALM, runway=wide, doubts=(("Payroll", days),)))["wide_interval"].sentence


@pytest.mark.parametrize(
    ("p95", "beyond", "is_wide"), [(145, False, False), (146, False, True), (130, True, True)]
)
def test_45_days_are_still_narrow_and_beyond_the_horizon_is_not(p95, beyond, is_wide):
    runway = RunwayCase(p5_days=100, p50_days=120, p95_days=p95, beyond_horizon=(False, False, beyond))
    assert ("wide_interval" in found(checked(CALM, runway=runway))) is is_wide


def test_nothing_is_said_of_the_width_when_cash_does_not_run_out():
    runway = RunwayCase(p5_days=365, p50_days=365, p95_days=365, beyond_horizon=(True, True, True))
    assert "wide_interval" not in found(checked(CALM, runway=runway))


@pytest.mark.parametrize(
    ("as_of", "is_missing"), [("2025-08-04", False), ("2025-08-10", True), ("2025-11-30", False)]
)
def test_a_payroll_that_should_have_run_is_missed_a_few_days_later(as_of, is_missing):
    quiet = CALM + every(7, start="2025-07-01", until=as_of, line="-400 card Cafe")
    assert ("payroll_missing" in found(checked(quiet, as_of=as_of))) is is_missing


def test_the_missing_payroll_says_when_it_last_ran():
    quiet = CALM + every(7, start="2025-07-01", until="2025-08-10", line="-400 card Cafe")
    doubt = found(checked(quiet, as_of="2025-08-10"))["payroll_missing"]
    assert "since 2025-06-28" in doubt.sentence
    assert "takes it for ended" not in doubt.sentence
    assert doubt.rows.text == "Gusto"


def test_a_payroll_that_the_forecast_has_given_up_is_said_to_make_it_too_hopeful():
    quiet = CALM + every(7, start="2025-07-01", until="2025-09-10", line="-400 card Cafe")
    company = checked(quiet, as_of="2025-09-10")
    assert not company.fitted.payrolls
    assert "takes it for ended, so cash may run out sooner" in found(company)["payroll_missing"].sentence


@pytest.mark.parametrize(
    ("last", "is_silent"), [("2025-06-24", False), ("2025-06-21", True), ("2024-12-01", False)]
)
def test_a_feed_is_silent_when_it_is_quiet_for_twice_as_long_as_usual(last, is_silent):
    feed = Feed(name="bank-two", last_day=date.fromisoformat(last), usual_gap_days=4)
    assert ("silent_feed" in found(checked(CALM, feeds=(feed,)))) is is_silent


def test_a_silent_feed_links_to_its_account():
    feed = Feed(name="bank-two", last_day=date(2025, 5, 31), usual_gap_days=1)
    doubt = found(checked(CALM, feeds=(feed,)))["silent_feed"]
    assert (doubt.rows.account, doubt.rows.month, doubt.since) == ("bank-two", date(2025, 5, 31), date(2025, 6, 1))


def test_a_vendor_who_doubled_is_named_with_both_amounts():
    text = (
        monthly(start="2024-06-28", months=13, line="-30000 payroll Gusto")
        + monthly(start="2024-06-05", months=12, line="-3000 software Tools Inc")
        + "2025-06-05 -7500 software Tools Inc\n"
    )
    doubt = found(checked(text))["vendor_doubled"]
    assert "Tools Inc cost 7,500 USD" in doubt.sentence
    assert "2.5 times the usual 3,000 USD" in doubt.sentence
    assert (doubt.rows.text, doubt.since) == ("Tools Inc", date(2025, 6, 5))


def test_a_second_bill_in_another_month_is_where_the_link_leads():
    text = (
        monthly(start="2024-06-28", months=13, line="-30000 payroll Gusto")
        + monthly(start="2024-06-01", months=12, line="-3000 software Tools Inc")
        + "2025-05-31 -3000 software Tools Inc\n2025-06-12 -3500 software Tools Inc\n"
    )
    doubt = found(checked(text))["vendor_doubled"]
    assert doubt.since == date(2025, 5, 31)
    assert (doubt.rows.text, doubt.rows.month) == ("Tools Inc", date(2025, 6, 12))


@pytest.mark.parametrize("amount", ["-5000", "-60"])
def test_a_vendor_who_did_not_double_or_hardly_matters_is_not(amount):
    usual = "-3000" if amount == "-5000" else "-20"
    text = (
        monthly(start="2024-06-28", months=13, line="-30000 payroll Gusto")
        + monthly(start="2024-06-05", months=12, line=f"{usual} software Tools Inc")
        + f"2025-06-05 {amount} software Tools Inc\n"
    )
    assert "vendor_doubled" not in found(checked(text))


def test_a_new_vendor_has_doubled_nothing():
    assert "vendor_doubled" not in found(checked(CALM + "2025-06-05 -7500 software New Tools\n"))


BONUS = CALM.replace("2024-12-28 -30000", "2024-12-28 -48000")


@pytest.mark.parametrize(("as_of", "is_near"), [("2025-08-20", False), ("2025-09-10", True)])
def test_last_december_s_bonus_is_announced_four_months_before(as_of, is_near):
    text = BONUS + monthly(start="2025-07-28", months=int(as_of[5:7]) - 7, line="-30000 payroll Gusto")
    doubts = found(checked(text, as_of=as_of))
    assert ("december_bonus" in doubts) is is_near
    if is_near:
        assert "18,000 USD" in doubts["december_bonus"].sentence
        assert doubts["december_bonus"].rows.month == date(2024, 12, 28)
