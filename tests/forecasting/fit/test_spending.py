from calendar import monthrange
from datetime import date, timedelta

import numpy as np
import pytest

from forecasting.fit.cloud import fit_cloud
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.history import MissingInputs
from forecasting.fit.pool import IN, OUT
from ledger.domain.flows import day_number
from tests.forecasting.journal import every, history, monthly

CARD = every(1, start="2024-01-01", until="2025-06-30", line="-100 card Cafe")


def fit(text: str, **fields: object) -> FittedCompany:
    return fit_company(history(text, as_of="2025-06-30", **fields))


def test_level_spending_is_expected_at_its_level():
    pool = fit(CARD).pools[OUT]
    assert pool is not None
    assert pool.mean_per_day == pytest.approx(-100)
    assert pool.lvl == pytest.approx(0.0, abs=1e-9)
    assert pool.variance_per_day == pytest.approx(0.0, abs=1e-6)
    assert pool.g == pytest.approx(0.0, abs=1e-9)


def test_recent_weeks_weigh_more():
    text = every(1, start="2024-01-01", until="2024-12-31", line="-100 card Cafe")
    text += every(1, start="2025-01-01", until="2025-06-30", line="-200 card Cafe")
    pool = fit(text).pools[OUT]
    assert pool is not None
    assert -200 < pool.mean_per_day < -150
    assert pool.g > 0  # and it knows that spending rises


@pytest.mark.parametrize("days_since", [11, 30, 60])
def test_a_season_missing_from_the_books_is_no_frugality(days_since):
    """100 a day, 300 days of which nobody kept books, and 100 a day again: 5,000 last fifty days."""
    resumed = date(2025, 6, 30) - timedelta(days=days_since - 1)
    stopped = resumed - timedelta(days=300)
    text = every(1, start=str(stopped - timedelta(days=100)), until=str(stopped), line="-100 card Cafe")
    text += every(1, start=str(resumed), until="2025-06-30", line="-100 card Cafe")
    company = fit(text)
    pool = company.pools[OUT]
    assert pool is not None
    assert pool.mean_per_day == pytest.approx(-100, rel=0.01)
    assert company.silence == (day_number(stopped), day_number(resumed))


def test_a_company_that_pays_seldom_is_not_cut_at_its_pauses():
    text = monthly(start="2024-01-15", months=18, line="-100 rent Landlord") + "2025-06-29 -5 card Cafe\n"
    assert fit(text).silence is None
    quarterly = "".join(
        f"20{year}-{month:02d}-20 -900 rent Landlord\n" for year in (22, 23, 24) for month in (1, 6, 12)
    )
    assert fit(quarterly + "2025-06-20 -900 rent Landlord\n").silence is None


def test_a_rare_large_payment_is_a_lump_and_no_run_rate():
    pool = fit(CARD + "2024-09-10 -20000 legal Lawyers\n2025-02-03 -30000 equipment Maker\n").pools[OUT]
    assert pool is not None
    assert pool.mean_per_day == pytest.approx(-100)
    assert sorted(pool.lump_sizes.tolist()) == [-30000.0, -20000.0]
    month = (182 * 100 + 30000) / 182 * 30.4  # what was spent lately
    assert pool.unseen_lump == pytest.approx(-0.08 * month)
    assert pool.lumps_per_day == pytest.approx(2.8 / 547 * (-50000 + pool.unseen_lump) / 3)


def test_a_young_ledger_without_a_lump_expects_no_more_of_them_than_half_a_year_would():
    young = fit(every(1, start="2025-05-01", until="2025-06-30", line="-100 card Cafe"))
    pool = young.pools[OUT]
    assert pool is not None
    assert pool.lumps_per_day == pytest.approx(0.8 / 182 * -0.08 * 100 * 30.4)


def test_a_contractor_is_never_a_lump():
    pool = fit(CARD + "2024-09-10 -20000 contractor Jane\n").pools[OUT]
    assert pool is not None
    assert len(pool.lump_sizes) == 0


def test_yearly_bills_of_the_plan_leave_the_pool():
    bills = "2024-08-01 -24000 software CRM\n2024-10-01 -36000 software Old Tool\n"
    plan = {"annual_renewals": [{"vendor": "CRM", "date": "2025-08-01", "amount": "25000"}]}
    with_plan, without = fit(CARD + bills, plan=plan).pools[OUT], fit(CARD + bills).pools[OUT]
    assert with_plan is not None
    assert without is not None
    assert len(with_plan.lump_sizes) == 0  # the plan renews one, and so has cancelled the other
    assert len(without.lump_sizes) == 2


def test_a_yearly_bill_seen_once_is_not_taken_for_monthly():
    small = "".join(
        monthly(start=f"2024-06-{n + 3:02}", months=13, line=f"-50 software Tool {n}") for n in range(3)
    )
    assert "CRM" not in fit(CARD + small + "2025-06-10 -24000 software CRM\n").stream_names


def test_company_taxes_repeat_last_years_dates():
    text = CARD + "2024-09-16 -1000 tax State\n2025-01-15 -1000 tax State\n2025-04-15 -1000 tax State\n"
    taxes = fit(text).taxes
    assert taxes is not None
    expected = [date(2025, 9, 16), date(2026, 1, 15), date(2026, 4, 15)]
    assert taxes.day.tolist() == [day_number(day) for day in expected]
    assert taxes.amount == pytest.approx(-1000, rel=0.06)


def test_vanished_payees_that_were_always_replaced_leave_a_leak():
    # Every half year another agency is paid monthly: detection sees each of them end.
    text = CARD
    for n, start in enumerate(("2023-01-10", "2023-07-10", "2024-01-10", "2024-07-10", "2025-01-10")):
        text += monthly(start=start, months=6, line=f"-20000 agency Agency {n}")
    leak = fit(text).leaks[OUT]
    assert leak.sd > 0.02


def test_a_ledger_without_surprises_has_no_leak():
    leak = fit(CARD + monthly(start="2024-01-12", months=18, line="-100 software CRM")).leaks[OUT]
    assert leak.correction == 1.0
    assert leak.sd == pytest.approx(0.02)


def test_a_leak_corrects_what_stands_out_of_its_own_error_and_never_downwards():
    def correction(growth: float) -> float:
        start = date(2024, 1, 1).toordinal()
        spent = 1000 * np.exp(growth * np.arange(date(2025, 6, 30).toordinal() - start + 1) / 30.4)
        text = "".join(
            f"{date.fromordinal(start + n)} -{amount:.2f} card Cafe\n" for n, amount in enumerate(spent)
        )
        return fit(text).leaks[OUT].correction

    assert correction(0.08) > 1.02
    assert correction(0.01) == 1.0
    assert correction(-0.08) == 1.0


def cloud_bills(gross: float, growth: float) -> tuple[np.ndarray, np.ndarray]:
    days = [day_number(date(2024 + (month > 12), (month - 1) % 12 + 1, 3)) for month in range(7, 19)]
    lengths = np.array([monthrange(2024 + (month > 12), (month - 1) % 12 + 1)[1] for month in range(6, 18)])
    return np.array(days), gross * lengths / 30.4 * np.exp(growth * np.arange(12))


def test_cloud_usage_is_what_bills_would_be_without_credit():
    day, gross = cloud_bills(3040.0, 0.0)
    cloud = fit_cloud(provider="AWS", day=day, gross=gross, as_of_day=day_number(date(2025, 6, 10)))
    assert cloud is not None
    assert cloud.usage_per_day == pytest.approx(100.0, rel=0.03)
    assert cloud.invoice_day == 3
    assert cloud.unbilled == pytest.approx(10 * cloud.usage_per_day)
    assert cloud.pending == 0.0


def test_the_bill_of_the_last_month_is_pending_until_it_comes():
    day, gross = cloud_bills(3040.0, 0.0)
    cloud = fit_cloud(provider="AWS", day=day, gross=gross, as_of_day=day_number(date(2025, 7, 1)))
    assert cloud is not None
    assert cloud.pending == pytest.approx(3040.0, rel=0.03)
    assert cloud.pending_day == day_number(date(2025, 7, 3))


def test_cloud_usage_that_grows_goes_on_growing():
    day, gross = cloud_bills(3000.0, 0.03)
    cloud = fit_cloud(provider="AWS", day=day, gross=gross, as_of_day=day_number(date(2025, 6, 10)))
    assert cloud is not None
    assert cloud.g == pytest.approx(0.03, abs=0.002)


def test_growth_of_usage_that_wanders_is_believed_less_than_that_of_a_straight_line():
    day, gross = cloud_bills(3000.0, 0.06)
    wandering = gross * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.08, 12)))
    straight, walked = (
        fit_cloud(provider="AWS", day=day, gross=bills, as_of_day=day_number(date(2025, 6, 10)))
        for bills in (gross, wandering)
    )
    assert straight is not None
    assert walked is not None
    assert walked.rw == pytest.approx(0.08, rel=0.35)  # eleven steps tell no more
    assert walked.gsd > 1.5 * straight.gsd
    # A slope of eleven such steps is chance to 0.08 / sqrt(11): more than half of the prior stays.
    assert walked.gsd > 0.02 * np.sqrt(0.5)


def test_usage_is_known_less_well_the_older_the_last_bill():
    day, gross = cloud_bills(3000.0, 0.0)
    early, late = (
        fit_cloud(provider="AWS", day=day, gross=gross, as_of_day=day_number(on))
        for on in (date(2025, 6, 4), date(2025, 7, 2))
    )
    assert early is not None
    assert late is not None
    assert late.lvl**2 - early.lvl**2 == pytest.approx(late.rw**2 * 28 / 30.4, rel=0.01)


def test_a_provider_that_was_left_is_not_expected_again():
    day, gross = cloud_bills(3000.0, 0.0)
    assert fit_cloud(provider="AWS", day=day, gross=gross, as_of_day=day_number(date(2025, 12, 10))) is None


def test_it_names_a_currency_without_a_rate():
    with pytest.raises(MissingInputs, match="no exchange rate from SEK to USD on 2025-06-30"):
        fit(CARD + "2025-06-01 -100 SEK card Cafe\n")


def test_it_refuses_what_would_last_for_ever_by_accident():
    for text, reason in (
        ("", "no expense is recorded"),
        ("2025-06-01 500 sales Stripe\n", "no expense is recorded"),
        ("2025-06-01 transfer -500 own Bank\n", "no expense is recorded"),
        ("2024-06-01 -500 card Cafe\n", "the last recorded movement of cash is of 2024-06-01"),
    ):
        with pytest.raises(MissingInputs, match=reason):
            fit(text)


def test_it_names_everything_that_is_missing_at_once():
    with pytest.raises(MissingInputs) as missing:
        fit("", balances={})
    assert len(missing.value.reasons) == 2


def test_a_receipt_in_the_first_week_of_the_books_is_not_one_a_week():
    text = every(1, start="2025-06-25", until="2025-06-30", line="-1000 card Cafe")
    pools = fit(text + "2025-06-27 28000 misc Somebody\n").pools
    assert pools[OUT].mean_per_day == pytest.approx(-1000)
    assert pools[IN].mean_per_day == pytest.approx(28000 / 28)


def test_a_round_without_a_name_is_not_expected_again():
    """New money is told by its size where no word tells it; a receipt of a month's spending may come again."""
    flat = every(1, start="2025-03-01", until="2025-06-30", line="-1000 card Cafe")
    with_round, with_receipt = (
        fit(flat + f"2025-03-10 {amount} wire Acme LP\n").pools[IN] for amount in (500_000, 30_000)
    )
    assert with_round is None
    assert with_receipt is not None
    assert with_receipt.lump_sizes.tolist() == [30_000.0]
    # Half a dozen of them are how this business lives.
    many = "".join(f"2025-0{month}-{day} 500000 wire Payer {day}\n" for month in (3, 5) for day in (10, 13, 19))
    assert fit(flat + many).pools[IN].lump_sizes.sum() > 0


def test_a_contractor_who_is_paid_the_same_every_month_is_a_bill_and_one_who_is_not_is_spending():
    steady = monthly(start="2024-01-10", months=18, line="-6000 contractors Alice")
    uneven = "".join(
        f"{2024 + n // 12}-{n % 12 + 1:02}-20 {-5000 - 900 * (n % 3)} contractors Bob\n" for n in range(18)
    )
    company = fit(CARD + steady + uneven)
    assert company.stream_names == ("Alice",)
    pool = company.pools[OUT]
    assert pool is not None
    assert pool.mean_per_day == pytest.approx(-100 - 5900 / 30.4, rel=0.1)


@pytest.mark.parametrize(("last", "expected"), [(8000, 800), (1500, 800), (1300, 1300), (100, 800)])
def test_one_bill_far_above_the_usual_is_not_believed_before_the_next(last, expected):
    text = monthly(start="2024-01-12", months=17, line="-800 software Datadog")
    company = fit(CARD + text + f"2025-06-12 -{last} software Datadog\n")
    assert company.streams.amount.tolist() == [-expected]


@pytest.mark.parametrize("name", ["Check {}", "ACH *{}"])
def test_a_name_with_the_number_of_each_payment_is_one_payee(name):
    rent = "".join(f"{2024 + n // 12}-{n % 12 + 1:02}-01 -4450 rent {name.format(2315 + n)}\n" for n in range(18))
    company = fit(CARD + rent)
    assert company.stream_names == (name.split()[0],)
    assert company.streams.amount.tolist() == [-4450.0]
    pool = company.pools[OUT]
    assert pool is not None
    assert not len(pool.lump_sizes)  # it had been expected as a bill, and as large payments beside it


def test_vendors_who_are_told_apart_by_a_number_stay_apart():
    text = "".join(
        monthly(start=f"2024-01-{13 + n}", months=18, line=f"-300 software Vendor {n}") for n in range(4)
    )
    assert len(fit(CARD + text).stream_names) == 4


def test_a_loan_that_was_repaid_day_by_day_is_over():
    loan = every(1, start="2024-01-01", until="2025-04-30", line="-300 loan_repayment Lender")
    pool = fit(CARD + loan).pools[OUT]
    assert pool is not None
    assert pool.mean_per_day == pytest.approx(-100)
    still = every(1, start="2024-01-01", until="2025-06-20", line="-300 loan_repayment Lender")
    going_on = fit(CARD + still).pools[OUT]
    assert going_on is not None
    assert going_on.mean_per_day == pytest.approx(-385, rel=0.05)


def test_what_is_passed_on_makes_no_large_bill_likely():
    """A marketplace pays its sellers nine tenths of what it takes; its own bills are no larger for it."""
    taken = [20000 + 6000 * (week % 5) for week in range(78)]
    weeks = [date(2024, 1, 2) + timedelta(days=7 * week) for week in range(78)]
    sales = "".join(f"{day} {amount} sales Stripe\n" for day, amount in zip(weeks, taken, strict=True))
    paid = "".join(
        f"{day + timedelta(days=3)} -{amount * 0.9} payouts Sellers\n"
        for day, amount in zip(weeks, taken, strict=True)
    )
    company = fit(CARD + sales + paid)
    assert [cost.name for cost in company.costs] == ["Sellers"]
    pool = company.pools[OUT]
    assert pool is not None
    assert pool.unseen_lump == pytest.approx(-0.08 * 100 * 30.4)


def test_what_comes_by_the_month_is_no_doubt_of_the_pools_level():
    text = "".join(
        f"{2024 + n // 12}-{n % 12 + 1:02}-10 -{5000 + 400 * (n * 7 % 5)} contractor Ann\n" for n in range(18)
    )
    pool = fit(CARD + text).pools[OUT]
    assert pool is not None
    assert pool.lvl < 0.08  # by weeks, most of them without a payment, it would be 0.17


def test_a_monthly_tax_of_young_books_does_not_pause_for_the_rest_of_the_year():
    company = fit(CARD + monthly(start="2025-01-12", months=6, line="-9000 vat Office"))
    assert company.taxes is None
    assert company.stream_names == ("Office",)


def laid_off(*, weeks_ago: int) -> FittedCompany:
    """Half of the people left, and with them two thirds of everyday and of large spending."""
    since = date(2025, 6, 30) - timedelta(days=7 * weeks_ago)
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(547)]
    lines = [f"{day} -{300 if day < since else 100} card Cafe" for day in days]
    fridays = [day for day in days if day.toordinal() % 14 == date(2025, 6, 27).toordinal() % 14]
    lines += [f"{day} -{40000 if day < since else 20000} payroll Provider" for day in fridays]
    lines += [f"{day} -9000 agency Agency_{day.month % 3}" for day in days[::90] if day < since]
    return fit("\n".join(lines) + "\n")


def test_after_a_layoff_spending_is_that_of_the_weeks_since():
    pool = laid_off(weeks_ago=10).pools[OUT]
    assert pool is not None
    assert pool.mean_per_day == pytest.approx(-100)
    assert -9000 * 0.5 < float(pool.lump_sizes.mean()) < -9000 * 0.3


def test_a_layoff_of_last_month_tells_too_little_of_spending_yet():
    pool = laid_off(weeks_ago=3).pools[OUT]
    assert pool is not None
    assert -300 < pool.mean_per_day < -250
