from datetime import date

import numpy as np
import pytest

from forecasting.fit.bonuses import YearlyBonus, clean_bonuses
from forecasting.fit.calendar import calendar_for
from forecasting.fit.company import fit_company
from forecasting.fit.payroll import FittedPayroll, fit_payroll, run_days
from forecasting.fit.payroll_tax import fit_payroll_tax, remittances
from forecasting.fit.schedule import PaySchedule
from ledger.domain.flows import day_number
from tests.forecasting.journal import every, history, monthly

US = calendar_for(country="US", year=2025)
MONTH_END = PaySchedule(step_days=0, anchor_day=0, days_of_month=(31,), moved="before")
AS_OF = day_number(date(2025, 7, 10))


def payroll(amounts: list[float]) -> FittedPayroll:
    """Runs at the end of each month up to June 2025."""
    days = MONTH_END.days_after(day=AS_OF - 31 * (len(amounts) + 1), until=AS_OF, calendar=US)[-len(amounts) :]
    return fit_payroll(
        name="Gusto",
        currency="USD",
        foreign=False,
        calendar=US,
        schedule=MONTH_END,
        run_day=days,
        run_amount=np.array(amounts),
    )


def test_the_level_is_the_last_run():
    assert payroll([100.0] * 11 + [104.0]).level == 104.0


def test_a_last_run_far_off_is_not_believed_before_it_is_confirmed():
    assert payroll([100.0] * 11 + [150.0]).level == 100.0
    assert payroll([100.0] * 10 + [150.0, 150.0]).level == 150.0


def test_two_hires_in_a_row_are_no_bonus():
    grown = payroll([100.0] * 10 + [120.0, 142.0])
    assert grown.level == 142.0
    assert grown.bonuses == ()


@pytest.mark.parametrize(
    ("a_year_before", "level", "bonuses"),
    [(100.0, 125.0, 0), (125.0, 100.0, 1)],
    ids=["none then", "one then too"],
)
def test_more_in_december_is_a_hire_where_no_bonus_was_paid_the_december_before(a_year_before, level, bonuses):
    as_of = day_number(date(2025, 1, 10))
    days = MONTH_END.days_after(day=as_of - 31 * 16, until=as_of, calendar=US)[-14:]
    amounts = np.array([100.0, a_year_before] + [100.0] * 11 + [125.0])
    fitted = fit_payroll(
        name="Gusto",
        currency="USD",
        foreign=False,
        calendar=US,
        schedule=MONTH_END,
        run_day=days,
        run_amount=amounts,
    )
    assert fitted.level == level
    assert len(fitted.bonuses) == bonuses


@pytest.mark.parametrize("last", [133.0, 75.0])
def test_one_who_joins_or_leaves_a_team_of_three_or_four_is_believed_at_once(last):
    assert payroll([100.0] * 11 + [last]).level == last


def test_a_bonus_that_is_gone_with_the_next_run_is_taken_out_where_a_last_run_as_high_is_not():
    run_day = np.arange(12) * 30 + AS_OF - 400
    amounts = np.array([100.0] * 4 + [135.0] + [100.0] * 6 + [135.0])
    usual, is_bonus = clean_bonuses(run_day=run_day, run_amount=amounts)
    assert np.flatnonzero(is_bonus).tolist() == [4]
    assert usual[-1] == 135.0


def test_growth_is_read_from_two_years_of_runs():
    grown_before = payroll([100.0 * 1.02 ** min(n, 12) for n in range(25)])
    never_grown = payroll([100.0] * 25)
    assert grown_before.g > never_grown.g


def test_a_december_bonus_is_taken_out_and_expected_again():
    amounts = [100.0] * 12
    amounts[5] = 150.0  # December 2024
    fitted = payroll(amounts)
    assert fitted.level == 100.0
    assert fitted.bonuses == (YearlyBonus(day_number(date(2024, 12, 31)), pytest.approx(0.5), 1.0),)


def test_a_thirteenth_month_in_november_is_expected_again_the_surer_the_more_often_it_was_paid():
    once = [100.0] * 12
    once[4] = 160.0  # November 2024
    (bonus,) = payroll(once).bonuses
    assert (bonus.day, bonus.share, bonus.chance) == (day_number(date(2024, 11, 29)), pytest.approx(0.6), 0.7)
    twice = [100.0] * 24
    twice[4] = twice[16] = 160.0
    (bonus,) = payroll(twice).bonuses
    assert (bonus.day, bonus.chance) == (day_number(date(2024, 11, 29)), 0.95)


def test_two_extra_payments_of_one_size_in_a_year_are_a_custom_and_two_of_different_sizes_are_not():
    twice = [100.0] * 14
    twice[1] = twice[7] = 200.0  # June and December 2024
    june, december = payroll(twice).bonuses
    assert (june.day, june.chance) == (day_number(date(2024, 6, 28)), 0.95)
    assert december.chance == 1.0
    twice[1] = 150.0
    assert [bonus.chance for bonus in payroll(twice).bonuses] == [0.7, 1.0]


def test_the_older_the_last_run_the_less_is_known_of_the_next():
    run_day, runs = np.arange(12) * 30 + AS_OF - 340, np.full(12, 100.0)
    fresh, old = (
        fit_payroll(
            name="",
            currency="USD",
            foreign=False,
            calendar=US,
            schedule=MONTH_END,
            run_day=run_day,
            run_amount=runs,
            as_of_day=int(run_day[-1]) + age,
        )
        for age in (0, 29)
    )
    assert fresh.lvl == pytest.approx(0.004)
    assert old.lvl == pytest.approx(np.hypot(0.004, old.rw * np.sqrt(29 / 30.4)))


def test_a_raise_stays_and_is_no_bonus():
    run_day = np.arange(12) * 30 + AS_OF - 365
    amounts = np.array([100.0] * 6 + [140.0] * 6)
    usual, is_bonus = clean_bonuses(run_day=run_day, run_amount=amounts)
    assert not is_bonus.any()
    assert usual.tolist() == amounts.tolist()


def test_a_steady_payroll_grows_as_is_usual_and_a_growing_one_more():
    steady, growing = payroll([100.0] * 12), payroll([100.0 * 1.03**n for n in range(12)])
    assert abs(steady.g) < 0.006
    assert 0.01 < growing.g < 0.03
    assert growing.level == pytest.approx(100.0 * 1.03**11)


def test_todays_run_is_not_expected_again():
    fitted = payroll([100.0] * 12)
    june = int(fitted.run_day[-1])
    assert run_days(fitted, as_of_day=june - 3, days=40).tolist() == [day_number(date(2025, 7, 31))]


def test_many_employees_paid_one_by_one_are_one_payroll():
    text = "".join(
        monthly(start="2024-07-25", months=12, line=f"-{4000 + n} salaries Employee {n}") for n in range(5)
    )
    company = fit_company(history(text, as_of="2025-06-30"))
    assert [fitted.name for fitted in company.payrolls] == ["5 people in USD"]
    assert company.payrolls[0].level == 20010.0


def test_a_payroll_that_ended_is_not_expected_again():
    text = monthly(start="2024-01-25", months=12, line="-9000 payroll Gusto")
    text += monthly(start="2024-01-10", months=18, line="-100 software CRM")
    assert fit_company(history(text, as_of="2025-06-30")).payrolls == ()


def tax_days(fitted: FittedPayroll, lag: int, ratio: float, *, skip_last: bool) -> tuple[np.ndarray, np.ndarray]:
    runs = fitted.run_day[:-1] if skip_last else fitted.run_day
    return US.on_or_after(runs + lag), fitted.run_amount[: len(runs)] * ratio


def test_tax_follows_each_run_by_its_lag():
    fitted = payroll([100.0] * 12)
    paid_day, paid = tax_days(fitted, 4, 0.5, skip_last=False)
    tax = fit_payroll_tax(payroll=fitted, paid_day=paid_day, paid=paid, as_of_day=AS_OF)
    assert tax is not None
    assert tax.ratio == tax.ratio_start_of_year == pytest.approx(0.5)
    assert len(tax.owed_day) == 0
    day, amount = remittances(
        tax=tax, run_day=np.array([day_number(date(2025, 7, 31))]), run_amount=np.array([200.0]), calendar=US
    )
    assert day.tolist() == [day_number(date(2025, 8, 4))]
    assert amount.tolist() == [pytest.approx(100.0)]


def test_the_tax_of_a_run_that_was_just_paid_is_still_owed():
    fitted = payroll([100.0] * 12)
    paid_day, paid = tax_days(fitted, 4, 0.5, skip_last=True)
    june = int(fitted.run_day[-1])
    tax = fit_payroll_tax(payroll=fitted, paid_day=paid_day, paid=paid, as_of_day=june + 1)
    assert tax is not None
    assert tax.owed_amount.tolist() == [pytest.approx(50.0)]
    assert tax.owed_day.tolist() == [US.on_or_after(np.array([june + 4]))[0]]


def test_the_first_quarter_has_a_ratio_of_its_own():
    fitted = payroll([100.0] * 12)
    early = np.isin([date.fromordinal(719163 + int(day)).month for day in fitted.run_day], (1, 2, 3))
    paid = np.where(early, 60.0, 48.0)
    tax = fit_payroll_tax(payroll=fitted, paid_day=fitted.run_day + 3, paid=paid, as_of_day=AS_OF)
    assert tax is not None
    assert (tax.ratio_start_of_year, tax.ratio) == (pytest.approx(0.6), pytest.approx(0.48))


def test_a_monthly_depositor_pays_on_a_day_of_the_next_month():
    runs = "".join(monthly(start=f"2024-07-{day}", months=12, line="-10000 payroll Gusto") for day in ("12", "26"))
    taxes = monthly(start="2024-08-15", months=11, line="-8000 payroll_tax IRS")
    company = fit_company(history(runs + taxes, as_of="2025-06-30"))
    ((tax,),) = company.taxes_of
    assert tax.day_of_month == 15
    assert tax.ratio == pytest.approx(0.4)
    assert tax.owed_amount.sum() == pytest.approx(8000.0)  # both runs of June
    assert set(tax.owed_day.tolist()) == {day_number(date(2025, 7, 15))}


def test_a_tax_paid_after_every_run_is_withheld_tax_whatever_it_is_called():
    runs = monthly(start="2024-07-25", months=12, line="-10000 payroll Gusto")
    taxes = monthly(start="2024-07-28", months=12, line="-4000 taxes Finanzamt")
    company = fit_company(history(runs + taxes, as_of="2025-06-30"))
    assert company.taxes is None
    ((tax,),) = company.taxes_of
    assert tax.ratio == pytest.approx(0.4)


def test_a_last_run_as_high_as_a_year_before_carries_the_bonus_again():
    """A third more is believed to be people, unless the same month of last year had a bonus of that kind."""
    plain = [100.0] * 9
    assert payroll([*plain, 100.0, 100.0, 100.0, 138.0]).level == 138.0
    fitted = payroll([100.0, 150.0, 100.0, *plain, 100.0, 138.0])
    assert fitted.level == 100.0
    assert [(round(bonus.share, 2), bonus.chance) for bonus in fitted.bonuses] == [(0.38, 0.95)]
    # A tenth more is nearer to no bonus, and is a raise.
    assert payroll([100.0, 150.0, 100.0, *plain, 100.0, 110.0]).level == 110.0


def test_who_is_paid_once_a_month_now_and_was_paid_twice_before_is_not_paid_twice():
    text = "".join(
        f"{2024 + month // 12}-{month % 12 + 1:02}-{day} -30000 payroll Gusto\n"
        for month in range(14)
        for day in (15, 28)
    ) + monthly(start="2025-03-28", months=4, line="-60000 payroll Gusto")
    (found,) = fit_company(history(text, as_of="2025-06-30")).payrolls
    assert found.schedule.runs_per_month == 1
    assert found.level == 60000
    assert abs(found.g) < 0.01  # no growth of a hundred percent


def test_one_run_that_was_missed_changes_no_schedule():
    text = monthly(start="2024-01-28", months=15, line="-60000 payroll Gusto")
    text += monthly(start="2025-05-28", months=2, line="-60000 payroll Gusto")
    (found,) = fit_company(history(text, as_of="2025-06-30")).payrolls
    assert len(found.run_day) == 17


def test_tax_by_the_quarter_is_a_third_of_what_each_of_its_payments_is_to_a_run():
    text = monthly(start="2024-01-28", months=18, line="-60000 payroll Gusto")
    text += "".join(
        f"{day} -60000 payroll_tax IRS\n"
        for day in ("2024-04-30", "2024-07-31", "2024-10-31", "2025-01-31", "2025-04-30")
    )
    company = fit_company(history(text, as_of="2025-06-30"))
    ((tax,),) = company.taxes_of
    assert tax.ratio == pytest.approx(1 / 3)
    due, amount = remittances(
        tax=tax,
        run_day=np.array([day_number(date(2025, month, 28)) for month in (5, 6, 7, 9, 10)]),
        run_amount=np.full(5, 60000.0),
        calendar=US,
    )
    assert amount == pytest.approx(20000)
    assert [np.datetime64(int(day), "D").item().month for day in due] == [7, 7, 10, 10, 1]
    # The second quarter's runs are owed already.
    assert tax.owed_amount.sum() == pytest.approx(60000)


@pytest.mark.parametrize("fee", ["", monthly(start="2024-01-05", months=18, line="-150 payroll Gusto")])
def test_net_pay_and_tax_that_a_provider_takes_on_two_days_are_one_run(fee):
    text = "".join(
        f"{2024 + month // 12}-{month % 12 + 1:02}-{day} -20000 payroll Gusto\n"
        f"{2024 + month // 12}-{month % 12 + 1:02}-{day + 1} -10000 payroll Gusto\n"
        for month in range(18)
        for day in (14, 27)
    )
    (found,) = fit_company(history(text + fee, as_of="2025-06-30")).payrolls
    assert found.schedule.days_of_month == (14, 27)
    assert found.level == pytest.approx(30000, rel=0.01)
    assert found.rw < 0.05
    assert abs(found.g) < 0.01


def test_debits_that_jump_at_random_are_in_doubt_within_reason():
    amounts = [60000.0 * (1 if month % 3 else 0.06) for month in range(18)]
    assert payroll(amounts).rw <= 0.3


STAFF = "".join(
    monthly(start="2024-01-27", months=18, line=f"-{2000 + 300 * n} stipendi STIPENDIO {n}") for n in range(5)
)  # 13,000 a month


@pytest.mark.parametrize("day", ["2024-12-14", "2024-12-27"])
def test_a_thirteenth_month_of_its_own_payee_is_a_bonus_of_the_run_next_to_it(day):
    company = fit_company(history(STAFF + f"{day} -12000 tredicesima CUMULATIVO\n", as_of="2025-06-30"))
    (found,) = company.payrolls
    assert found.level == pytest.approx(13000)
    assert [(bonus.share, bonus.chance) for bonus in found.bonuses] == [(pytest.approx(12 / 13), 1.0)]
    assert not company.stream_names  # and no bill of every month


def test_commissions_that_come_with_a_run_are_no_raise():
    paid = "2025-03-27 -4000 commissions_payroll Provider\n2025-06-27 -5000 commissions_payroll Provider\n"
    (found,) = fit_company(history(STAFF + paid, as_of="2025-06-30")).payrolls
    assert found.level == pytest.approx(13000)
    assert [round(bonus.share, 2) for bonus in found.bonuses] == [round(4 / 13, 2), round(5 / 13, 2)]


def test_a_new_colleague_who_is_paid_by_name_is_one():
    hired = monthly(start="2025-05-27", months=2, line="-2600 stipendi STIPENDIO 9")
    (found,) = fit_company(history(STAFF + hired, as_of="2025-06-30")).payrolls
    assert found.level == pytest.approx(15600)
    assert not found.bonuses


def test_severance_is_paid_once():
    text = STAFF + "2025-03-27 -20000 severance_payroll Provider\n"
    company = fit_company(history(text, as_of="2025-06-30"))
    (found,) = company.payrolls
    assert found.level == pytest.approx(13000)
    assert not found.bonuses
    assert not company.stream_names


def test_a_layoff_is_no_trend_and_few_are_hired_after_it():
    steady = payroll([100.0] * 18)
    after = payroll([100.0] * 12 + [60.0] * 6)
    assert after.level == 60.0
    assert -0.012 < after.g < 0.0 < steady.g  # a line through the runs falls by 4 % a month


def test_each_kind_of_payroll_tax_has_its_own_days_and_share():
    text = monthly(start="2024-01-28", months=18, line="-50000 salaires Virement")
    text += "".join(f"{day} -36000 urssaf URSSAF\n" for day in _quarters(day=15))
    text += monthly(start="2024-02-18", months=17, line="-2500 prelevement DGFIP")
    ((by_month, by_quarter),) = fit_company(history(text, as_of="2025-06-30")).taxes_of
    assert (by_month.every_months, by_month.ratio) == (1, pytest.approx(0.05))
    assert by_month.owed_amount.tolist() == [pytest.approx(2500)]
    assert (by_quarter.every_months, by_quarter.ratio) == (3, pytest.approx(12000 / 50000))


def test_social_insurance_of_the_same_month_carries_the_bonus_in_its_month():
    amounts = [-50000 - 40000 * (month % 12 == 10) for month in range(18)]
    months = [f"{2024 + month // 12}-{month % 12 + 1:02}" for month in range(18)]
    text = "".join(f"{month}-29 {amount} gehalt Sammel\n" for month, amount in zip(months, amounts, strict=True))
    text = text.replace("02-29 -50000 gehalt", "02-28 -50000 gehalt")
    text += "".join(
        f"{month}-26 {amount * 0.4:.0f} sozialversicherung TK\n"
        for month, amount in zip(months, amounts, strict=True)
    )
    ((tax,),) = fit_company(history(text, as_of="2025-06-30")).taxes_of
    assert (tax.months_after, tax.ratio) == (0, pytest.approx(0.4))
    assert not len(tax.owed_day)  # June's was paid with June's run


def test_tax_that_is_taken_with_the_pay_leaves_with_the_pay():
    text = "".join(
        f"{day} -30000 payroll PAYLOCITY_NET\n{day} -12000 payroll_tax PAYLOCITY_TAX\n"
        for day in every_other_friday("2024-07-05", "2025-06-20")
    )
    ((tax,),) = fit_company(history(text, as_of="2025-06-30")).taxes_of
    assert (tax.lag_days, tax.day_of_month, tax.ratio) == (0, 0, pytest.approx(0.4))
    assert not len(tax.owed_day)


def in_step_with_payroll(line: str) -> str:
    """Pay with bonuses and raises, a named tax of each run, and a line of six tenths of the month before."""
    pay = [50000 + 30000 * (month % 12 in (4, 11)) + 1500 * (month // 5) for month in range(18)]
    months = [f"{2024 + month // 12}-{month % 12 + 1:02}" for month in range(18)]
    text = "".join(
        f"{month}-24 -{paid} salarissen Batch\n{month}-26 -{paid * 0.1:.0f} loonheffing Dienst\n"
        for month, paid in zip(months, pay, strict=True)
    )
    return text + "".join(
        f"{month}-28 -{paid * 0.6:.0f} {line}\n" for month, paid in zip(months[1:], pay, strict=False)
    )


def test_a_tax_that_goes_in_step_with_payroll_is_its_own_whatever_it_is_called():
    (taxes,) = fit_company(history(in_step_with_payroll("belasting Fiscus"), as_of="2025-06-30")).taxes_of
    assert sorted(tax.ratio for tax in taxes) == [pytest.approx(0.1, rel=0.01), pytest.approx(0.6, rel=0.01)]


def test_an_insurance_that_goes_with_the_heads_is_no_tax():
    """It had stood among the next events as a payroll tax that is withheld."""
    company = fit_company(history(in_step_with_payroll("insurance Guardian"), as_of="2025-06-30"))
    assert [tax.ratio for tax in company.taxes_of[0]] == [pytest.approx(0.1, rel=0.01)]


def test_a_tax_on_sales_of_every_month_is_not_withheld_from_pay():
    text = monthly(start="2024-01-28", months=18, line="-50000 payroll Batch")
    text += monthly(start="2024-02-16", months=17, line="-9000 iva Agenzia")
    company = fit_company(history(text, as_of="2025-06-30"))
    assert company.taxes_of == ((),)
    assert company.stream_names == ("Agenzia",)


def _quarters(*, day: int) -> list[str]:
    return [f"{2024 + n // 4}-{n % 4 * 3 + 1:02}-{day}" for n in range(1, 6)]


def every_other_friday(first: str, last: str) -> list[str]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [str(date.fromordinal(day)) for day in range(start.toordinal(), end.toordinal() + 1, 14)]


def test_a_stipend_paid_days_after_the_run_is_no_run_and_no_layoff():
    lines = []
    for n in range(12):
        month = f"{2024 + (6 + n) // 12}-{(6 + n) % 12 + 1:02}"
        lines += [f"{month}-15 -20000 payroll Gusto", f"{month}-28 -20000 payroll Gusto"]
        lines.append(f"{month}-{28 if n % 3 else 24} -1300 payroll Stipends")
    books = "\n".join(lines) + "\n" + every(7, start="2024-07-01", until="2025-06-30", line="-900 card Cafe")
    (fitted,) = fit_company(history(books, as_of="2025-06-30")).payrolls
    assert fitted.schedule.runs_per_month == 2.0
    assert len(fitted.run_day) == 24
    assert fitted.laid_off_day is None
    assert fitted.level == pytest.approx(20_650, rel=0.04)


def test_what_is_passed_on_once_a_month_on_a_pay_day_is_no_run_of_its_own():
    """Half of the runs had been twice as high: bonuses, and the level that of the others, a third too low."""
    lines = []
    for n in range(12):
        month = f"{2024 + (6 + n) // 12}-{(6 + n) % 12 + 1:02}"
        lines += [f"{month}-15 -20000 payroll Staff", f"{month}-28 -20000 payroll Staff"]
        lines.append(f"{month}-15 -18000 payroll Benefits_Fund")
    books = "\n".join(lines) + "\n" + every(7, start="2024-07-01", until="2025-06-30", line="-900 card Cafe")
    staff, fund = fit_company(history(books, as_of="2025-06-30")).payrolls
    assert (staff.level, staff.bonuses, staff.schedule.runs_per_month) == (20_000.0, (), 2.0)
    assert (fund.level, fund.bonuses, fund.schedule.runs_per_month) == (18_000.0, (), 1.0)


def test_commissions_that_jump_every_month_tell_no_layoff():
    jumpy = [1139.0, 868, 598, 1620, 830, 1504, 2870, 1420, 3350, 2600, 800, 1450, 700, 1300]
    assert payroll(jumpy).laid_off_day is None
    assert payroll([10_000.0] * 10 + [5_000.0] * 4).laid_off_day is not None


def test_commissions_on_days_of_their_own_make_no_second_pay_day():
    """The colleague who is paid most often is not the one whose days are the company's."""
    lines = []
    for n in range(16):
        month = f"{2024 + (2 + n) // 12}-{(2 + n) % 12 + 1:02}"
        lines += [f"{month}-27 -6000 salaries {name}" for name in ("Ann", "Ben", "Cleo", "Dan")]
        lines += [f"{month}-08 -900 salaries Ann"] * (n % 3 == 0)
    books = "\n".join(lines) + "\n" + every(7, start="2024-03-01", until="2025-06-30", line="-900 card Cafe")
    (fitted,) = fit_company(history(books, as_of="2025-06-30")).payrolls
    assert (fitted.schedule.runs_per_month, len(fitted.run_day)) == (1.0, 16)
    assert fitted.level == pytest.approx(24_000, rel=0.04)


def test_who_is_paid_twice_as_often_as_the_others_has_pay_days_of_his_own():
    lines = []
    for n in range(12):
        month = f"{2024 + (6 + n) // 12}-{(6 + n) % 12 + 1:02}"
        lines += [f"{month}-13 -5000 salaries Ann", f"{month}-27 -5000 salaries Ann"]
        lines += [f"{month}-27 -9000 salaries {name}" for name in ("Ben", "Cleo")]
    books = "\n".join(lines) + "\n" + every(7, start="2024-07-01", until="2025-06-30", line="-900 card Cafe")
    payrolls = fit_company(history(books, as_of="2025-06-30")).payrolls
    assert sum(payroll.level * payroll.schedule.runs_per_month for payroll in payrolls) == pytest.approx(
        28_000, rel=0.02
    )
    assert max(payroll.schedule.runs_per_month for payroll in payrolls) == 2.0
