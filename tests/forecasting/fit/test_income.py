from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from forecasting.fit.clients import FittedClients
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.deferred import unearned
from forecasting.fit.seasonality import fit_seasonality
from forecasting.fit.shrinkage import drift
from ledger.domain.flows import ContractReceipt, day_number
from tests.forecasting.journal import every, history, monthly

RENT = monthly(start="2023-07-01", months=24, line="-5000 rent Landlord")


def fit(text: str, **fields: object) -> FittedCompany:
    return fit_company(history(text + RENT, as_of="2025-06-30", **fields))


def biweekly(line: str) -> str:
    return every(14, start="2023-07-05", until="2025-06-30", line=line)


def test_level_sales_are_expected_at_their_level():
    sales = fit(every(1, start="2024-01-01", until="2025-06-30", line="1000 sales Stripe")).sales
    assert sales is not None
    # What is usual is growth, and a flat year does not rule it out altogether.
    assert sales.level_per_day == pytest.approx(1000, rel=0.02)
    assert 0.0 <= sales.g < 0.005


@pytest.mark.parametrize("as_of", ["2025-06-29", "2025-06-30", "2025-07-02"])
def test_a_weekly_payout_that_is_due_today_or_a_little_late_is_no_fall_of_sales(as_of):
    text = every(7, start="2024-01-01", until="2025-06-23", line="7000 sales Stripe")
    sales = fit_company(history(text + monthly(start="2024-01-01", months=18, line="-1 x y"), as_of=as_of)).sales
    assert sales is not None
    assert sales.level_per_day == pytest.approx(1000, rel=0.03)


def test_growth_is_told_by_the_ends_of_a_walk_and_by_the_line_through_noise():
    steps = np.array([0.1, 0.0, 0.0, 0.0, 0.02, 0.0])
    walk, walk_se = drift(steps, months=6.0, walk=0.05, noise=0.0)
    assert walk == pytest.approx(steps.sum() / 6)
    assert walk_se == pytest.approx(0.05 / np.sqrt(6), rel=0.01)
    y = np.concatenate([[0.0], np.cumsum(steps)])
    line, line_se = drift(steps, months=6.0, walk=0.0, noise=0.01)
    assert line == pytest.approx(np.polyfit(np.arange(7.0), y, 1)[0], rel=0.001)
    assert line_se == pytest.approx(np.sqrt(0.01 / ((np.arange(7) - 3) ** 2).sum()), rel=0.001)


def test_growth_of_two_years_counts_and_not_of_the_last_months_alone():
    days = [date(2023, 7, 1) + timedelta(days=n) for n in range(730)]
    sold = 1000 * np.exp(0.03 * np.minimum(np.arange(730), 480) / 30.4)
    grown = "".join(f"{day} {amount:.2f} sales Stripe\n" for day, amount in zip(days, sold, strict=True))
    flat = "".join(f"{day} 1000 sales Stripe\n" for day in days)
    assert fit(grown).sales.g > fit(flat).sales.g + 0.003


def test_invoices_are_expected_to_grow_less_than_sales():
    # Everybody orders once, in amounts that tell no growth: what is usual decides.
    days = [date(2025, 1, 6) + timedelta(days=7 * n) for n in range(25)]
    amounts = np.random.default_rng(1).lognormal(7, 0.5, 25)
    paid = [f"{day} {amount:.2f}" for day, amount in zip(days, amounts, strict=True)]
    invoiced = fit("".join(f"{one} invoices Client {n}\n" for n, one in enumerate(paid))).invoiced
    sales = fit("".join(f"{one} sales Stripe\n" for one in paid)).sales
    assert invoiced is not None
    assert sales is not None
    assert invoiced.g < sales.g


def test_refunds_are_taken_off_sales():
    text = every(1, start="2024-01-01", until="2025-06-30", line="1000 sales Stripe")
    text += every(7, start="2024-01-01", until="2025-06-30", line="adjust -700 refunds Stripe")
    sales = fit(text).sales
    assert sales is not None
    assert sales.level_per_day == pytest.approx(900, rel=0.02)


def test_refunds_are_no_cost_of_sales_beside():
    """They go with sales as a cost does, and were taken off twice."""
    months = [(2023 + (6 + n) // 12, (6 + n) % 12 + 1) for n in range(24)]
    text = "".join(
        f"{year}-{month:02}-{day:02} {1000 + 900 * (n % 3)} sales Stripe\n"
        f"{year}-{month:02}-{day:02} -{200 + 180 * (n % 3)} refunds Stripe\n"
        for n, (year, month) in enumerate(months)
        for day in range(1, 29)
    )
    company = fit(text)
    assert company.sales is not None
    assert company.costs == ()
    assert company.sales.level_per_day * 30.4 == pytest.approx(28 * 0.8 * 1900, rel=0.3)


def payouts(*, without: tuple[int, ...]) -> str:
    """A thousand a day for two years, but five a day in these blocks of four weeks, counted back from today."""
    days = [date(2025, 6, 30) - timedelta(days=back) for back in range(728)]
    return "".join(
        f"{day} {5 if back // 28 in without else 1000} sales Shopify\n"
        for back, day in reversed(list(enumerate(days)))
    )


@pytest.mark.parametrize("block", [0, 7])
def test_a_month_with_next_to_no_payouts_is_an_outage_and_no_fall_of_sales(block):
    steady, held = fit(payouts(without=())).sales, fit(payouts(without=(block,))).sales
    assert steady is not None
    assert held is not None
    assert held.level_per_day == pytest.approx(steady.level_per_day, rel=0.02)
    assert held.rw == steady.rw
    assert held.seasonality == steady.seasonality
    # While it lasts nobody knows whether it will end.
    assert held.lvl == (0.35 if block == 0 else steady.lvl)


def test_a_second_month_without_payouts_is_the_end_of_sales():
    over = fit(payouts(without=(0, 1))).sales
    assert over is not None
    assert over.level_per_day < 100


def test_weekdays_keep_their_shares():
    text = every(7, start="2024-01-01", until="2025-06-30", line="7000 sales Stripe")
    sales = fit(every(7, start="2024-01-03", until="2025-06-30", line="1 sales Stripe") + text).sales
    assert sales is not None
    profile = sales.expected(first_day=day_number(date(2025, 7, 7)), days=7) / sales.level_per_day
    assert profile[0] > 6  # Monday
    assert profile[1:].max() < 0.2


def test_sales_that_ended_are_not_expected_again():
    company = fit(every(1, start="2024-01-01", until="2025-05-01", line="1000 sales Stripe"))
    assert company.sales is None
    assert company.pools[1] is None


def test_a_season_of_the_year_is_found_in_two_years_and_not_in_noise():
    day = day_number(date(2023, 7, 1)) + 28 * np.arange(26)
    wave = 0.5 * np.cos(2 * np.pi * (day - day_number(date(2023, 12, 15))) / 365.25)
    noise = np.random.default_rng(1).normal(0, 0.05, 26)
    season = fit_seasonality(day=day, log_total=10 + wave + noise)
    december, june = season.log_effect(np.array([day_number(date(2025, 12, 15)), day_number(date(2025, 6, 15))]))
    assert december == pytest.approx(0.45, abs=0.08)  # nine tenths of it
    assert june == pytest.approx(-0.45, abs=0.08)
    flat = fit_seasonality(day=day, log_total=10 + noise)
    assert np.abs(flat.log_effect(day)).max() < 0.005


def test_a_narrow_season_lifts_its_weeks_and_no_others():
    """A shop's December is no half of a wave: November to January stand out, and June is as April."""
    day = day_number(date(2023, 7, 1)) + 28 * np.arange(26)
    away = (day - day_number(date(2023, 12, 10)) + 182) % 365 - 182
    noise = np.random.default_rng(1).normal(0, 0.05, 26)
    season = fit_seasonality(day=day, log_total=10 + 0.7 * np.exp(-0.5 * (away / 25) ** 2) + noise)
    of = lambda *when: season.log_effect(np.array([day_number(date(2025, *when))]))[0]  # noqa: E731
    assert of(12, 10) - of(6, 15) == pytest.approx(0.63, abs=0.08)
    assert of(6, 15) == pytest.approx(of(4, 15), abs=0.01)
    assert of(9, 15) == pytest.approx(of(4, 15), abs=0.03)


def test_a_payout_on_the_as_of_day_of_the_month_falls_out_of_no_month():
    """Paid on the 5th, or the Monday after, and read on a 5th: months cut there had none, one or two of them."""
    lines = []
    for n in range(24):
        day = date(2023 + (6 + n) // 12, (6 + n) % 12 + 1, 5)
        day += timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)
        lines.append(f"{day} 5000 donations Sponsors")
    sales = fit_company(history("\n".join(lines) + "\n" + RENT, as_of="2025-06-05")).sales
    assert sales is not None
    assert sales.lvl < 0.1
    assert sales.rw < 0.1


@pytest.mark.parametrize("days", range(28, 70, 3))
def test_young_books_lose_no_payout_by_the_days_on_which_months_are_cut(days: int):
    as_of = date(2025, 6, 5)
    paid = [day for day in (date(2025, 4, 7), date(2025, 5, 5), as_of) if (as_of - day).days < days]
    text = "".join(f"{day} 5000 donations Sponsors\n" for day in paid)
    text += f"{as_of - timedelta(days=days - 1)} -40 card Cafe\n{as_of} -40 card Cafe\n"
    fitted = fit_company(history(text, as_of="2025-06-05"))
    assert fitted.sales is not None
    assert 3500 < fitted.sales.level_per_day * 30.4 < 11500


def test_a_season_is_believed_as_far_as_the_evidence_goes():
    """Thirteen months of a wave in noise say something, and not all: it had been nothing or everything."""
    day = day_number(date(2024, 6, 1)) + 28 * np.arange(14)
    december = np.array([day_number(date(2025, 12, 15))])
    wave = np.cos(2 * np.pi * (day - day_number(date(2024, 12, 15))) / 365.25)
    noise = np.random.default_rng(3).normal(0, 0.12, 14)
    weak, middling, strong = (
        float(fit_seasonality(day=day, log_total=10 + size * wave + noise).log_effect(december)[0]) / size
        for size in (0.1, 0.2, 0.35)
    )
    assert weak < 0.1
    assert 0.2 < middling < 0.7
    assert strong > 0.8


def contract(day: str, customer: str, amount: str, *, renewal: bool = False) -> ContractReceipt:
    return ContractReceipt(date.fromisoformat(day), customer, Decimal(amount), "USD", 12, True, renewal)


def test_an_annual_contract_is_a_renewal_a_year_later_and_no_run_rate():
    receipt = contract("2024-09-01", "Big Co", "120000")
    company = fit("2024-09-01 120000 enterprise Big Co\n", contracts=[receipt])
    (renewal,) = company.contracts.renewals
    assert renewal.day == day_number(date(2025, 9, 1))
    assert renewal.amount == pytest.approx(123_600)
    assert renewal.probability == pytest.approx(0.84, abs=0.001)
    assert company.pools[1] is None
    assert company.contracts.deal_sizes.tolist() == [120000.0]


def test_a_renewal_that_is_an_open_invoice_is_not_expected_twice():
    owed = {"open_receivables": [{"customer": "Big Co", "amount": "125000", "due": "2025-07-20"}]}
    company = fit(
        "2024-07-10 120000 enterprise Big Co\n",
        contracts=[contract("2024-07-10", "Big Co", "120000")],
        plan=owed,
    )
    assert company.contracts.renewals == ()
    assert [one.amount for one in company.contracts.receivables] == [125000.0]


def test_a_renewal_loses_hope_with_every_day_of_silence():
    def probability(day: str) -> float:
        company = fit(f"{day} 120000 enterprise Big Co\n", contracts=[contract(day, "Big Co", "120000")])
        return company.contracts.renewals[0].probability if company.contracts.renewals else 0.0

    chances = [probability(day) for day in ("2024-09-01", "2024-06-30", "2024-06-10", "2024-04-01")]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.8
    assert chances[-1] == 0.0


def test_where_renewals_are_invoiced_ahead_who_has_no_invoice_when_his_is_due_has_left():
    def chances(plan: dict[str, object]) -> dict[str, float]:
        days = {"Gone": "2024-06-25", "Soon": "2024-07-20", "Later": "2024-12-01", "Owing": "2024-07-05"}
        text = "".join(f"{day} 120000 enterprise {name}\n" for name, day in days.items())
        receipts = [contract(day, name, "120000") for name, day in sorted(days.items(), key=lambda item: item[1])]
        renewals = fit(text, contracts=receipts, plan=plan).contracts.renewals
        return {renewal.customer: renewal.probability for renewal in renewals}

    invoice = {"customer": "Owing", "amount": "125000", "due": "2025-07-15"}
    listed, unlisted = chances({"open_receivables": [invoice]}), chances({})
    assert unlisted["Gone"] > 0.6
    assert listed["Gone"] < 0.05
    assert listed["Gone"] < listed["Soon"] < unlisted["Soon"]
    # Of whoever is invoiced in half a year nothing is told.
    assert listed["Later"] == pytest.approx(unlisted["Later"], abs=0.001)


def test_a_year_that_is_paid_in_halves_is_due_again_after_half_of_it():
    days = ["2024-03-10", "2024-09-10", "2025-03-10"]
    text = "".join(f"{day} 50000 enterprise Big Co\n" for day in days)
    company = fit(text, contracts=[contract(day, "Big Co", "50000") for day in days])
    (renewal,) = company.contracts.renewals
    assert renewal.day == pytest.approx(day_number(date(2025, 9, 8)), abs=3)
    assert renewal.term_days == pytest.approx(181, abs=2)


def test_an_old_invoice_is_paid_less_often():
    owed = [{"customer": "A", "amount": "1", "due": day} for day in ("2025-07-15", "2025-05-01")]
    receivables = fit("", plan={"open_receivables": owed}).contracts.receivables
    assert [one.probability for one in receivables] == [0.98, 0.85]


def test_clients_who_pay_invoices_are_one_steady_income():
    text = "".join(
        monthly(start=f"2024-06-{n + 3:02}", months=13, line=f"4000 invoices Client {n}") for n in range(5)
    )
    company = fit(text)
    assert company.invoiced is not None
    assert company.invoiced.level_per_day == pytest.approx(5 * 4000 / 30.4, rel=0.1)
    assert company.pools[1] is None


def test_goods_bought_for_a_season_follow_the_sales():
    start, lines = date(2023, 7, 1), []
    for n in range(731):
        day = start + timedelta(days=n)
        level = 1000 * np.exp(0.5 * np.cos(2 * np.pi * (n - 167) / 365.25))
        lines.append(f"{day} {level:.2f} sales Stripe")
        lines.append(f"{day} {-0.6 * level:.2f} goods Factory")
    company = fit("\n".join(lines) + "\n")
    (cost,) = company.costs
    assert cost.share == pytest.approx(0.6, rel=0.01)
    assert company.sales is not None
    paid = cost.expected(company.sales, first_day=company.as_of_day + 1, days=365)
    sold = company.sales.expected(first_day=company.as_of_day + 1, days=365)
    assert paid.sum() == pytest.approx(0.6 * sold.sum(), rel=0.01)


@pytest.mark.parametrize(("with_the_season", "shares"), [(True, [0.3]), (False, [])])
def test_advertising_follows_a_season_where_it_has_it_and_else_goes_on_at_its_level(with_the_season, shares):
    """Campaigns are chosen: from week to week a third more or less, whatever is sold."""
    rng, lines = np.random.default_rng(4), []
    for n in range(731):
        day = date(2023, 7, 1) + timedelta(days=n)
        level = 1000 * np.exp(0.5 * np.cos(2 * np.pi * (n - 167) / 365.25))
        lines.append(f"{day} {level:.2f} sales Stripe")
        if n % 7 == 0:
            chosen = 7 * 0.3 * (level if with_the_season else 1000) * rng.uniform(0.7, 1.3)
            lines.append(f"{day} {-chosen:.2f} advertising Search_Ads")
    assert [cost.share for cost in fit("\n".join(lines) + "\n").costs] == [
        pytest.approx(share, rel=0.1) for share in shares
    ]


def test_a_processor_that_pays_out_once_a_month_pays_out_sales_which_grow():
    text = "".join(f"{2024 + m // 12}-{m % 12 + 1:02}-05 {5000 * 1.08**m:.0f} sales Stripe\n" for m in range(18))
    sales = fit(text).sales
    assert sales is not None
    assert sales.level_per_day == pytest.approx(5000 * 1.08**17.5 / 30.4, rel=0.15)
    assert sales.g > 0.03


def test_a_large_receipt_now_and_then_is_no_sales_whatever_it_is_called():
    text = "".join(
        f"2025-0{month}-05 {amount} sales Stripe\n" for month, amount in ((1, 900), (3, 40000), (6, 500))
    )
    assert fit(text).sales is None


def test_the_share_of_goods_is_that_of_a_year_and_not_of_one_side_of_the_season():
    """Goods are bought two weeks before they are sold, which no month can tell from the same month."""
    start, lines = date(2023, 7, 1), []
    level = lambda n: 1000 * np.exp(0.5 * np.cos(2 * np.pi * (n - 167) / 365.25))  # noqa: E731
    for n in range(731):
        day = start + timedelta(days=n)
        lines.append(f"{day} {level(n):.2f} sales Stripe")
        lines.append(f"{day} {-0.6 * level(n + 14):.2f} goods Factory")
    (cost,) = fit("\n".join(lines) + "\n").costs
    assert cost.share == pytest.approx(0.6, rel=0.02)


def projects(months: str, *, size: int = 30000) -> str:
    """Receipts of so many projects in each month up to June 2025, of another customer each."""
    first = 2025 * 12 + 6 - len(months)
    return "".join(
        f"{(first + n) // 12}-{(first + n) % 12 + 1:02}-{3 + 8 * k:02} {size} projects Customer {n * 9 + k}\n"
        for n, count in enumerate(months)
        for k in range(int(count))
    )


def test_income_in_a_few_large_pieces_is_expected_at_their_mean_and_not_at_the_last_months():
    company = fit(projects("313020410212320213212312"))
    assert company.invoiced is not None
    assert company.invoiced.level_per_day == pytest.approx(43 / 24 * 30000 / 30.4, rel=0.2)
    assert company.invoiced.rw < 0.08
    # A month without a receipt is no end of the world: about a third of the level is in doubt, and no more.
    assert company.invoiced.lvl < 0.35


def test_clients_who_pay_every_month_do_not_come_in_pieces():
    text = "".join(
        monthly(start=f"2024-06-{n + 3:02}", months=13, line=f"4000 invoices Client {n}") for n in range(5)
    )
    invoiced = fit(text).invoiced
    assert invoiced is not None
    assert invoiced.lvl < 0.1


def test_goods_follow_level_sales_by_their_name_and_other_bills_do_not():
    sold = every(1, start="2023-07-01", until="2025-06-30", line="1000 sales Stripe")
    assert [cost.share for cost in fit(sold + biweekly("-8400 goods Factory")).costs] == [
        pytest.approx(0.6, rel=0.1)
    ]
    assert fit(sold + biweekly("-8400 consulting Agency")).costs == ()


@pytest.mark.parametrize("left", [0.0, 0.05])
def test_a_month_in_which_a_feed_was_silent_hides_no_cost_of_sales(left):
    lines, sold = [], 0.0
    for n in range(731):
        day = date(2023, 7, 1) + timedelta(days=n)
        sold = 1000 * (1 + 0.4 * (n // 56 % 2))
        lines.append(f"{day} {-0.5 * sold:.2f} outsourcing Agency")
        if not 423 <= n < 451:  # a block of 28 days, 280 before the last
            lines.append(f"{day} {sold:.2f} sales Stripe")
        elif left:
            lines.append(f"{day} {left * sold:.2f} sales Stripe")
    (cost,) = fit("\n".join(lines) + "\n").costs
    assert cost.share == pytest.approx(0.5, rel=0.03)


def test_a_processor_booked_beside_customers_who_owe_is_none_of_them():
    text = every(1, start="2024-01-01", until="2025-06-30", line="300 revenue Adyen")
    text += every(14, start="2024-01-05", until="2025-06-30", line="2000 revenue GoCardless")
    for name, day in (("Arbor", 10), ("Kestrel", 14), ("Vega", 20)):
        text += monthly(start=f"2024-01-{day}", months=18, line=f"9000 revenue {name}")
    owed = [{"customer": name, "amount": "9000", "due": "2025-07-12"} for name in ("Arbor", "Kestrel", "Vega")]
    company = fit(text, plan={"open_receivables": owed})
    assert company.sales is not None
    assert company.invoiced is not None
    assert company.sales.level_per_day == pytest.approx(300 + 2000 / 14, rel=0.05)
    assert company.invoiced.level_per_day == pytest.approx(27_000 / 30.4, rel=0.05)


def test_rent_does_not_follow_sales():
    text = every(1, start="2023-07-01", until="2025-06-30", line="1000 sales Stripe")
    assert fit(text).costs == ()


def test_a_contract_is_earned_day_by_day():
    receipt = contract("2025-06-30", "Big Co", "36500")
    (part,) = unearned(history(RENT, as_of="2025-06-30", contracts=[receipt]))
    assert part.days_left == 364
    assert part.amount == pytest.approx(36400)
    assert unearned(history(RENT, as_of="2026-06-30", contracts=[receipt])) == ()


@pytest.mark.parametrize(
    ("line", "start", "days", "least", "most"),
    [
        ("3000 sales Stripe", "2025-06-30", 1, 100, 300),  # of today, from nobody knows how many days
        ("3000 sales Stripe", "2025-06-16", 7, 250, 430),  # three weekly ones
        ("200 sales Stripe", "2025-06-24", 1, 150, 200),  # a week of daily ones
    ],
)
def test_the_first_payouts_stand_for_the_days_before_them_too(
    line: str, start: str, days: int, least: float, most: float
):
    payouts = every(days, start=start, until="2025-06-30", line=line)
    sales = fit(payouts).sales
    assert sales is not None
    assert least < sales.level_per_day <= most
    # The fewer there are, the less they tell.
    assert sales.lvl == pytest.approx(np.hypot(0.075, 0.5 / np.sqrt(payouts.count("sales"))))


def test_costs_whose_payees_change_go_with_sales_together():
    """A software house pays people by name for the hours it sells: none of them is there all the time."""
    lines = []
    for week in range(78):
        day = date(2024, 1, 3) + timedelta(days=7 * week)
        sold = 20000 + 9000 * (week // 4 % 3)
        lines.append(f"{day} {sold} sales Stripe")
        lines += [f"{day} -{sold * 0.35} outsourcing Person_{(week // 13 + n) % 7}" for n in range(2)]
    (cost,) = fit("\n".join(lines) + "\n").costs
    assert (cost.name, cost.share) == ("outsourcing", pytest.approx(0.7, rel=0.01))


def test_goods_that_are_ordered_now_and_then_follow_sales_by_the_quarter():
    lines = [f"{date(2024, 1, 1) + timedelta(days=n)} {1000 + 4 * n} sales Till" for n in range(547)]
    for n in range(40, 547, 42):
        bought = sum(1000 + 4 * day for day in range(n - 40, n + 2)) * (0.34, 0.46, 0.4)[n // 42 % 3]
        lines.append(f"{date(2024, 1, 1) + timedelta(days=n)} -{bought} purchases Factory_{n % 2}")
    text = "\n".join(lines) + "\n"
    (cost,) = fit(text).costs
    assert cost.share == pytest.approx(0.4, rel=0.15)
    assert cost.gap_days == 42
    assert fit(text.replace("purchases", "consulting")).costs == ()  # no word says that it is for what is sold


def test_a_small_swing_over_a_year_and_more_is_enough_to_follow():
    lines = []
    for week in range(78):
        day = date(2024, 1, 3) + timedelta(days=7 * week)
        sold = 20000 * (1 + 0.11 * (-1) ** (week // 8))
        lines += [f"{day} {sold} sales Stripe", f"{day} -{sold * 0.8} sellers Connect"]
    (cost,) = fit("\n".join(lines) + "\n").costs
    assert cost.share == pytest.approx(0.8, rel=0.01)


def test_customers_who_pay_by_name_are_clients_whatever_their_category_is_called():
    text = "".join(
        monthly(start=f"2024-01-0{5 + n}", months=18, line=f"5000 sales Customer_{n}") for n in range(5)
    )
    gone = monthly(start="2024-01-12", months=14, line="20000 sales Leaver")
    company = fit(text + gone)
    assert company.sales is None
    assert company.invoiced is not None
    # Who has left four months ago is not expected, as it would be of sales taken together.
    assert company.invoiced.level_per_day * 30.4 == pytest.approx(25000, rel=0.1)


def test_a_shops_best_months_are_no_large_pieces():
    lines = []
    for n in range(547):
        day = date(2024, 1, 1) + timedelta(days=n)
        if day.weekday() < 5:
            lines.append(f"{day} {9000 if day.month in (11, 12) else 1500} orders Shopify")
    sales = fit("\n".join(lines) + "\n").sales
    assert sales is not None
    assert sales.seasonality.coefficients  # pieces have none


def test_a_level_that_clients_tell_badly_is_told_by_all_receipts_too():
    """Two large clients by the quarter, both due now: silence says little, and a year of receipts says more."""
    text = "".join(
        monthly(start=f"2024-01-0{5 + n}", months=18, line=f"1000 invoices Small_{n}") for n in range(4)
    )
    for name, day in (("Large_1", 20), ("Large_2", 24)):
        text += "".join(
            f"{2024 + month // 12}-{month % 12 + 1:02}-{day} 45000 invoices {name}\n" for month in range(2, 15, 3)
        )
    company = fit(text)
    assert company.invoiced is not None
    assert company.invoiced.level_per_day * 30.4 == pytest.approx(34000, rel=0.25)


def test_who_pays_by_the_quarter_need_owe_nothing_now():
    text = "".join(
        monthly(start=f"2024-01-0{5 + n}", months=18, line=f"2000 invoices Client_{n}") for n in range(4)
    )
    text += "".join(f"{day} 30000 invoices Quarterly\n" for day in ("2024-05-12", "2024-08-12", "2024-11-12"))
    text += "2025-02-12 30000 invoices Quarterly\n2025-05-12 30000 invoices Quarterly\n"
    owed = [{"customer": f"Client_{n}", "amount": "2000", "due": "2025-07-10"} for n in range(4)]
    company = fit(text, plan={"open_receivables": owed})
    assert company.invoiced is not None
    assert company.invoiced.level_per_day * 30.4 == pytest.approx(18000, rel=0.12)


def test_invoices_of_many_new_names_do_not_double_what_has_come_for_a_year():
    """Ten customers pay as ever, and ten invoices stand open under other names: of resellers, or spelled anew."""
    text = "".join(
        monthly(start=f"2024-01-{5 + n:02d}", months=18, line=f"3000 invoices Customer_{n}") for n in range(10)
    )
    owed = [{"customer": f"Other_{n}", "amount": "6000", "due": "2025-07-20"} for n in range(10)]
    company = fit(text, plan={"open_receivables": owed})
    assert company.invoiced is not None
    assert company.invoiced.level_per_day * 30.4 == pytest.approx(30000, rel=0.25)


@pytest.mark.parametrize(("lvl", "low", "high"), [(0.02, -0.051, -0.049), (0.5, -0.015, 0.0)])
def test_growth_is_told_by_clients_as_far_as_their_level_is(monkeypatch, lvl, low, high):
    """Clients of whom little is sure say little of the trend either."""
    shrinking = FittedClients(level_per_day=500.0, variance_per_day=1.0, lvl=lvl, g=-0.05, gsd=0.01, rw=0.1)
    monkeypatch.setattr("forecasting.fit.invoiced.fit_clients", lambda *_, **__: shrinking)
    invoiced = fit(
        "".join(monthly(start=f"2024-01-0{5 + n}", months=18, line=f"3000 invoices Client_{n}") for n in range(5))
    ).invoiced
    assert invoiced is not None
    assert low < invoiced.g < high


@pytest.mark.parametrize(
    ("told", "owed", "low", "high"),
    [
        (395.0, (), 410, 470),  # silence said that one of five had gone, and all that came says otherwise
        (395.0, ("Client_1",), 390, 410),  # where invoices are listed, who has none is gone
        (640.0, (), 520, 600),  # above all that ever came
        (640.0, ("Client_1",), 520, 600),
    ],
)
def test_clients_outside_of_all_that_came_are_doubted_so_far(monkeypatch, told, owed, low, high):
    clients = FittedClients(level_per_day=told, variance_per_day=1.0, lvl=0.05, g=0.0, gsd=0.01, rw=0.1)
    monkeypatch.setattr("forecasting.fit.invoiced.fit_clients", lambda *_, **__: clients)
    text = "".join(
        monthly(start=f"2024-01-0{5 + n}", months=18, line=f"3000 invoices Client_{n}") for n in range(5)
    )
    listed = [{"customer": name, "amount": "3000", "due": "2025-07-10"} for name in owed]
    invoiced = fit(text, plan={"open_receivables": listed} if listed else None).invoiced
    assert invoiced is not None
    assert low < invoiced.level_per_day < high


def test_money_that_pays_for_half_a_year_is_no_customers_whatever_it_is_called():
    text = "".join(
        monthly(start=f"2024-01-{5 + n:02d}", months=18, line=f"3000 invoices Customer_{n}") for n in range(5)
    )
    without = fit(text)
    company = fit(text + "2025-03-03 900000 wire Mercia\n" + "2025-04-11 1200 interest Bank\n")
    assert without.invoiced is not None
    assert company.invoiced is not None
    assert company.invoiced.level_per_day == pytest.approx(without.invoiced.level_per_day, rel=0.05)
    assert company.pools[1] is None or company.pools[1].mean_per_day * 30.4 < 1000


def yearly(day: str, name: str, *, times: int, size: int = 40000) -> str:
    """Paid on about the same day of so many years up to 2025."""
    month, dom = (int(part) for part in day.split("-"))
    return "".join(f"{2026 - times + n}-{month:02}-{dom + n:02} {size} misc {name}\n" for n in range(times))


def test_sponsors_who_have_paid_again_a_year_later_are_expected_on_their_days_and_not_by_the_month():
    text = "".join(yearly(f"{month}-05", f"Sponsor_{month}", times=2) for month in (2, 3, 4))
    text += "2025-05-20 30000 misc Sponsor_5\n"
    company = fit(text)
    assert company.invoiced is None
    assert len(company.contracts.deal_sizes) == 1  # the first year's payers may have paid before the books began
    days = sorted(renewal.day - day_number(date(2026, 1, 1)) for renewal in company.contracts.renewals)
    assert days == [pytest.approx(day, abs=2) for day in (36, 64, 95, 139)]
    assert 0.8 < company.contracts.renewals[0].probability < 1.0


def test_young_books_in_which_nobody_has_paid_twice_expect_nobody_before_his_year_is_over():
    paid = [f"2024-{month:02}-12" for month in (6, 7, 9, 10, 12)] + ["2025-02-12", "2025-04-12"]
    text = "".join(f"{day} 40000 misc Giver_{n}\n" for n, day in enumerate(paid))
    silent, *others = (renewal.probability for renewal in fit(text).contracts.renewals)
    assert silent < 0.4  # his day was eighteen days ago
    assert others == [pytest.approx(0.84, abs=0.03)] * 6
    # In books of half a year, or where one has come back within it, money comes when it comes.
    assert fit(text.split("\n", 4)[4]).contracts.renewals == ()
    again = "".join(f"2025-0{month}-20 45000 misc Giver_0\n" for month in (1, 3, 5))
    assert fit(text + again).contracts.renewals == ()


def test_small_change_that_vendors_gave_back_beside_one_large_receipt_is_no_yearly_income():
    paid_back = "".join(f"2024-{month:02}-12 60 vendor_refund Vendor_{month}\n" for month in (6, 7, 9, 10, 12))
    large = "2025-02-12 90000 misc Somebody\n"
    assert fit(paid_back + large).contracts.renewals == ()
    assert fit(paid_back).contracts.renewals == ()
    gifts = "".join(f"2024-{month:02}-12 60 misc Giver_{month}\n" for month in (6, 7, 9, 10, 12))
    assert fit(gifts + large).contracts.renewals == ()
    assert len(fit(gifts).contracts.renewals) == 5


def test_one_gift_many_times_as_large_as_anything_else_is_no_income_to_come_again():
    clients = "".join(
        monthly(start=f"2024-01-0{5 + n}", months=18, line=f"5000 invoices Client_{n}") for n in range(5)
    )
    spent = monthly(start="2024-01-20", months=18, line="-50000 misc Everything")
    gift = "2024-10-11 200000 invoices Benefactor\n"  # of four months' spending
    with_gift, without = fit(clients + spent + gift).invoiced, fit(clients + spent).invoiced
    assert with_gift is not None
    assert without is not None
    assert with_gift.level_per_day == pytest.approx(without.level_per_day, rel=0.01)


def test_what_a_client_paid_in_his_season_is_not_his_fee_of_other_months():
    """A marketplace pays out every fortnight, in winter twice as much, and it is the end of winter."""
    lines = []
    for n in range(78):
        day = date(2022, 4, 6) + timedelta(days=14 * n)
        away = (day.timetuple().tm_yday - 344 + 182) % 365 - 182
        lines.append(f"{day} {10000 * np.exp(0.7 * np.exp(-0.5 * (away / 25) ** 2)):.0f} invoices Marketplace")
    books = "\n".join(line for line in lines if line < "2025-01-20") + "\n" + RENT
    invoiced = fit_company(history(books, as_of="2025-01-19")).invoiced
    assert invoiced is not None
    spring = invoiced.expected(first_day=day_number(date(2025, 3, 1)), days=56).sum()
    assert spring == pytest.approx(4 * 10000, rel=0.08)


def test_many_small_gifts_beside_a_few_large_ones_are_read_by_their_mean():
    """By the logarithm, a month with a grant and the next without one are the end of the world and back."""
    rng = np.random.default_rng(5)
    lines = []
    for n in range(0, 730, 2):
        day = date(2023, 7, 1) + timedelta(days=n)
        lines.append(f"{day} {50 + rng.integers(100)} misc Donor_{rng.integers(90)}")
    grants = [date(2023, 8, 10) + timedelta(days=int(day)) for day in (0, 60, 190, 230, 390, 420, 560, 640)]
    lines += [f"{day} 70000 misc Foundation_{n % 3}" for n, day in enumerate(grants)]
    invoiced = fit("\n".join(lines) + "\n").invoiced
    assert invoiced is not None
    assert invoiced.lvl < 0.5
    assert invoiced.rw < 0.1
    assert invoiced.level_per_day * 30.4 == pytest.approx(8 * 70000 / 24 + 1500, rel=0.35)
