"""Every kind of change against arithmetic."""

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from forecasting.engine import forecast
from forecasting.fit.contracts import DEAL_FIRST_DAY, Renewal
from forecasting.fit.hires import NET_SHARE
from forecasting.kernel.inputs import Factor
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate
from forecasting.scenarios.change import InvalidScenario
from forecasting.scenarios.churn import Churn
from forecasting.scenarios.cloud_step import CloudStep
from forecasting.scenarios.comparison import days_gained
from forecasting.scenarios.compose import changed_inputs
from forecasting.scenarios.cost_cut import CostCut
from forecasting.scenarios.fx_shock import FxShock
from forecasting.scenarios.hire import Hire
from forecasting.scenarios.leave import Leave
from forecasting.scenarios.lost_customer import LostCustomer
from forecasting.scenarios.lost_tranche import LostTranche
from forecasting.scenarios.new_money import NewMoney
from forecasting.scenarios.price_change import PriceChange
from forecasting.scenarios.slipped_tranche import SlippedTranche
from ledger.domain.flows import ContractReceipt, day_number
from tests.forecasting.drivers.settings import ahead, setting
from tests.forecasting.scenarios.worlds import base_of, busy, difference, flat, mean_flow, simulated

TOMORROW = date(2025, 7, 1)
OCTOBER = date(2025, 10, 1)


def certain(inputs):
    """The same company without any luck."""
    none = np.zeros(inputs.horizon_days)
    return replace(
        inputs,
        factors=tuple(Factor(factor.name, factor.daily) for factor in inputs.factors),
        shock_sd_per_day=none,
        persistent_sd=none,
        lump_streams=(),
    )


def zero_day(inputs) -> int:
    balance = inputs.opening_balance + np.cumsum(mean_flow(certain(inputs)))
    return int(np.argmax(balance <= 0)) + 1


def test_a_cost_cut_of_ten_per_cent_moves_c_over_b_to_c_over_nine_tenths_of_b():
    view = flat(cash="100100")
    assert zero_day(base_of(view)) == 100
    assert zero_day(changed_inputs(view, [CostCut(TOMORROW, 0.10)])) == math.ceil(100 / 0.9)


def test_a_cost_cut_spares_the_days_before_it():
    moved = difference(flat(), CostCut(OCTOBER, 0.10))
    first = ahead("2025-10-01") - 1
    assert not moved[:first].any()
    lumps = 0.8 / 547 * 0.08 * 30.4  # that nobody has seen yet are cut too
    assert moved[first:] == pytest.approx(np.full(365 - first, 100.1 * (1 + lumps)), rel=1e-3)


def test_a_cut_of_one_vendor_is_its_part_alone():
    moved = difference(busy(), CostCut(TOMORROW, 0.5, "vendor", "landlord"))
    rents = moved[moved > 1]
    assert len(rents) == 12
    assert rents == pytest.approx(np.full(12, 4500.0), rel=0.02)


def test_a_cut_of_payroll_as_a_category_cuts_payroll():
    view = busy()
    before = next(f for f in base_of(view).factors if f.name.startswith("payroll"))
    cut = changed_inputs(view, [CostCut(TOMORROW, 0.2, "category", "payroll")])
    after = next(f for f in cut.factors if f.name.startswith("payroll"))
    assert after.daily == pytest.approx(before.daily * 0.8)


def test_a_vendor_in_everyday_spending_is_cut_by_its_part_of_it():
    moved = difference(flat(), CostCut(TOMORROW, 0.5, "vendor", "Cafe"))
    assert moved == pytest.approx(np.full(365, 500.5), rel=1e-3)


def test_one_of_several_who_are_paid_in_step_with_sales_is_cut_by_its_part_of_them():
    lines = []
    for week in range(78):
        day = date(2024, 1, 3) + timedelta(days=7 * week)
        sold = 20000 + 9000 * (week // 4 % 3)
        lines.append(f"{day} {sold} sales Stripe")
        lines += [f"{day} -{sold * share} outsourcing {who}" for who, share in (("Ann", 0.3), ("Ben", 0.1))]
    view = setting("\n".join(lines) + "\n", cash="900000")
    (cost,) = view.company.costs
    assert cost.name == "outsourcing"
    all_of_it = difference(view, CostCut(TOMORROW, 0.5, "category", "outsourcing")).sum()
    of_ann = difference(view, CostCut(TOMORROW, 0.5, "vendor", "ann")).sum()
    assert all_of_it > 0
    assert of_ann == pytest.approx(0.75 * all_of_it, rel=1e-6)


def test_a_hire_adds_salary_and_employers_tax_from_its_first_day():
    view = busy()
    moved = difference(view, Hire(OCTOBER, Decimal(10000)))
    first = ahead("2025-10-01") - 1
    assert not moved[:first].any()
    # Without a tax history the driver takes half of net pay; nine runs are left of the twelve months.
    assert moved.sum() == pytest.approx(-9 * 10000 * NET_SHARE * 1.5, rel=1e-6)


def test_two_people_cost_twice_as_much_as_one():
    one, two = (difference(busy(), Hire(OCTOBER, Decimal(10000), people=n)) for n in (1, 2))
    assert two == pytest.approx(2 * one)


def test_a_hire_and_the_same_leave_cancel_out():
    moved = difference(busy(), Hire(OCTOBER, Decimal(9000)), Leave(OCTOBER, Decimal(9000)))
    assert moved == pytest.approx(np.zeros(365), abs=1e-6)


def test_nobody_leaves_who_earns_more_than_the_payroll():
    with pytest.raises(InvalidScenario, match=r"changes\[0\].monthly_gross: is more than the whole payroll"):
        changed_inputs(flat(), [Leave(OCTOBER, Decimal(9000))])


def test_prices_move_income_and_not_its_costs():
    view = busy()
    gross = view.company.sales.expected(first_day=view.first_day, days=365)
    moved = difference(view, PriceChange(OCTOBER, 0.10))
    first = ahead("2025-10-01") - 1
    assert not moved[:first].any()
    assert moved[first:] == pytest.approx(0.10 * gross[first:])


def test_a_later_price_moves_the_contracts_still_to_be_won_as_much_as_one_of_today():
    """What is won from the change on is dearer by its share, in the mean, and nothing is won before it can be."""
    receipt = ContractReceipt(date(2024, 9, 1), "Big Co", Decimal(120000), "USD", 12, True, False)
    view = setting("2024-09-01 120000 enterprise Big Co\n", contracts=[receipt])
    a_day = 1.5 / 547 * 120_000 * math.exp(0.25**2 / 2)
    soon, later = (difference(view, PriceChange(start, 0.5)) for start in (date(2025, 7, 10), OCTOBER))
    assert not soon[: DEAL_FIRST_DAY - 1].any()
    assert soon[DEAL_FIRST_DAY - 1 :] == pytest.approx(0.5 * a_day)
    first = ahead("2025-10-01") - 1
    assert not later[:first].any()
    assert later[first:] == pytest.approx(0.5 * a_day)


def test_customers_who_leave_over_a_price_are_counted():
    view = busy()
    gross = view.company.sales.expected(first_day=view.first_day, days=365)
    moved = difference(view, PriceChange(TOMORROW, 0.10, leaving_share=0.2))
    assert moved == pytest.approx((1.1 * 0.8 - 1) * gross)


def test_churn_takes_a_share_of_who_is_left_each_month():
    view = busy()
    gross = view.company.sales.expected(first_day=view.first_day, days=365)
    moved = difference(view, Churn(TOMORROW, 0.05))
    months = np.arange(365) / 30.4
    assert moved == pytest.approx((0.95**months - 1) * gross)


def test_a_lost_customer_who_was_all_of_sales_takes_them_all():
    view = busy()
    gross = view.company.sales.expected(first_day=view.first_day, days=365)
    moved = difference(view, LostCustomer("stripe", OCTOBER))
    first = ahead("2025-10-01") - 1
    assert not moved[:first].any()
    assert moved[first:] == pytest.approx(-gross[first:])


def test_a_lost_customer_does_not_renew():
    view = busy()
    renewal = Renewal("Globex", day_number(date(2025, 12, 1)), 90000.0, 0.84, 365, deferred=False)
    contracts = replace(view.company.contracts, renewals=(renewal,))
    view = replace(view, company=replace(view.company, contracts=contracts))
    assert [lump.amount for lump in base_of(view).dated_lumps] == [90000.0]
    # By his name, or as a line of the ledger calls him.
    for name in ("Globex", "globex INV-1043"):
        assert changed_inputs(view, [LostCustomer(name, OCTOBER)]).dated_lumps == ()
    later = changed_inputs(view, [LostCustomer("Globex", date(2026, 1, 1))])
    assert len(later.dated_lumps) == 1


def test_a_lost_tranche_is_gone_and_a_slipped_one_later():
    view = busy()
    (planned,) = base_of(view).tranches
    assert changed_inputs(view, [LostTranche("second closing")]).tranches == ()
    with pytest.raises(InvalidScenario, match="must name one: Second closing"):
        changed_inputs(view, [LostTranche("")])
    with pytest.raises(InvalidScenario, match="has no tranche 'Third'; it has Second closing"):
        changed_inputs(view, [LostTranche("Third")])
    (slipped,) = changed_inputs(view, [SlippedTranche("2025-10-01", 45)]).tranches
    assert slipped == replace(planned, day=planned.day + 45)


def test_a_raise_stands_beside_the_tranches_of_the_plan():
    planned, raised = changed_inputs(busy(), [NewMoney(date(2025, 8, 1), Decimal(250000), 0.5)]).tranches
    assert planned == base_of(busy()).tranches[0]
    assert (raised.day, raised.amount, raised.probability) == (32, 250000.0, 0.5)


def test_a_certain_raise_on_the_day_buys_its_amount_over_burn():
    view = flat(cash="100100")
    changed = certain(changed_inputs(view, [NewMoney(date(2025, 7, 10), Decimal(50050), 1.0, 0, 0)]))
    outcome = simulate(changed, shocks_for(seed=42, paths=500, horizon_days=365))
    assert (outcome.p5.days, outcome.p95.days) == (150, 150)


def test_what_is_lost_from_beyond_the_horizon_is_at_least_that_much():
    view = flat(cash="600000")  # of 600 days the first 365 are seen
    base, hired = simulated(view), simulated(view, [Hire(date(2025, 7, 1), Decimal(60000))])
    assert (base.runway.p5_days, base.runway.beyond_horizon) == (365, (True, True, True))
    lost = days_gained(hired, base=base)
    assert lost.p50 == hired.runway.p50_days - 365 < 0
    assert lost.is_least == (True, True, True)
    assert days_gained(base, base=hired).is_least == (True, True, True)
    assert days_gained(base, base=base).is_least == (False, False, False)


def test_a_currency_that_gains_makes_its_cash_and_its_bills_dearer():
    view = busy()
    moved = difference(view, FxShock("EUR", OCTOBER, 0.2))
    first = ahead("2025-10-01") - 1
    assert not moved[:first].any()
    bills = moved[first + 1 :]
    assert moved[first] == pytest.approx(50000 * 1.10 * 0.2)
    assert bills[bills < -1] == pytest.approx(np.full(9, -2000 * 1.10 * 0.2), rel=0.02)


def test_a_cloud_step_lowers_usage_by_its_saving_from_its_day():
    view = busy()
    (before,), (after,) = base_of(view).cloud, changed_inputs(view, [CloudStep(OCTOBER, Decimal(3040))]).cloud
    first = ahead("2025-10-01") - 1
    moved = after.usage.daily - before.usage.daily
    assert not moved[:first].any()
    assert moved[first:] == pytest.approx(np.full(365 - first, -100.0))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (CostCut(TOMORROW, 0.1, "vendor", "Nobody"), r"changes\[0\].name: nothing was spent"),
        (CostCut(TOMORROW, 0.1, "vendor"), r"changes\[0\].name: must name the vendor"),
        (CostCut(TOMORROW, 0.1, "all", "Cafe"), r"changes\[0\].name: is for a category"),
        (LostCustomer("Nobody", TOMORROW), r"changes\[0\].customer: nobody called 'Nobody'"),
        (LostTranche("Third"), r"changes\[0\].tranche: the plan has no tranche at all"),
        (LostCustomer("", TOMORROW), r"changes\[0\].customer: must name a customer"),
        (FxShock("JPY", TOMORROW, 0.1), r"changes\[0\].currency: JPY is not used"),
        (FxShock("USD", TOMORROW, 0.1), r"changes\[0\].currency: is the currency"),
        (Hire(TOMORROW, Decimal(1), currency="JPY"), r"changes\[0\].currency: there is no exchange rate"),
        (PriceChange(TOMORROW, 0.1), r"changes\[0\].share: no income"),
        (Churn(TOMORROW, 0.1), r"changes\[0\].per_month: no income"),
        (CloudStep(TOMORROW, Decimal(1)), r"changes\[0\].saving_per_month: no cloud"),
        (NewMoney(TOMORROW, Decimal(1), delay_mean_days=0), r"changes\[0\].delay_sd_days: must be 0"),
    ],
)
def test_a_change_that_does_not_fit_the_company_names_its_field(change, complaint):
    with pytest.raises(InvalidScenario, match=complaint):
        changed_inputs(flat(), [change])


def test_a_cloud_step_cannot_save_more_than_the_cloud_costs():
    with pytest.raises(InvalidScenario, match="is more than AWS costs"):
        changed_inputs(busy(), [CloudStep(TOMORROW, Decimal(90000))])


def test_nothing_changed_is_the_forecast_itself_bit_for_bit():
    view = busy()
    told = forecast(view.history, basis="bank", paths=1000)
    same = simulated(view)
    assert tuple(day if day <= 365 else None for day in same.quantile_days) == told.quantile_days
    assert tuple(np.round(same.bands.p5, 2).tolist()) == told.bands.p5
    nothing = simulated(view, [CostCut(OCTOBER, 0.0)])
    assert nothing.quantile_days == same.quantile_days
