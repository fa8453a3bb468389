"""Changes compose: whoever lists them in another order means the same."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.scenarios.change import InvalidScenario
from forecasting.scenarios.churn import Churn
from forecasting.scenarios.cloud_step import CloudStep
from forecasting.scenarios.compose import changed_inputs
from forecasting.scenarios.cost_cut import CostCut
from forecasting.scenarios.fx_shock import FxShock
from forecasting.scenarios.hire import Hire
from forecasting.scenarios.leave import Leave
from forecasting.scenarios.lost_customer import LostCustomer
from forecasting.scenarios.lost_tranche import LostTranche
from forecasting.scenarios.new_money import NewMoney
from forecasting.scenarios.price_change import PriceChange
from forecasting.scenarios.registry import all_changes
from forecasting.scenarios.scenario import digest, read_changes
from forecasting.scenarios.slipped_tranche import SlippedTranche
from tests.forecasting.scenarios.worlds import busy, difference, simulated

AUGUST, OCTOBER = date(2025, 8, 1), date(2025, 10, 1)
ONE_OF_EACH = (
    Hire(OCTOBER, Decimal(8000)),
    Leave(AUGUST, Decimal(5000), currency="USD"),
    PriceChange(AUGUST, 0.1, leaving_share=0.05),
    Churn(OCTOBER, 0.02),
    LostCustomer("Stripe", date(2025, 12, 1)),
    CostCut(AUGUST, 0.1),
    CostCut(OCTOBER, 0.3, "vendor", "Landlord"),
    SlippedTranche("Second closing", 30),
    NewMoney(OCTOBER, Decimal(100000)),
    NewMoney(AUGUST, Decimal(70000), 0.4),
    FxShock("EUR", AUGUST, -0.1),
    CloudStep(OCTOBER, Decimal(1000)),
)
VIEW = busy()


def test_every_kind_is_tried_here():
    tried = {type(each).KIND for each in (*ONE_OF_EACH, LostTranche(""))}
    assert tried == set(all_changes())


@settings(max_examples=25, deadline=None)
@given(st.permutations(ONE_OF_EACH), st.integers(1, len(ONE_OF_EACH)))
def test_any_order_gives_the_same_inputs_bit_for_bit(order, count):
    chosen = [each for each in ONE_OF_EACH if each in order[:count]]
    as_listed, shuffled = changed_inputs(VIEW, chosen), changed_inputs(VIEW, order[:count])
    assert digest(chosen) == digest(order[:count])
    for one, other in zip(as_listed.factors, shuffled.factors, strict=True):
        assert one.name == other.name
        assert np.array_equal(one.daily, other.daily)
    assert np.array_equal(as_listed.fixed, shuffled.fixed)
    assert (as_listed.tranches, as_listed.dated_lumps) == (shuffled.tranches, shuffled.dated_lumps)


def test_changes_that_have_nothing_to_do_with_each_other_add_up():
    hire, rent = Hire(OCTOBER, Decimal(8000)), CostCut(AUGUST, 0.3, "vendor", "Landlord")
    both = difference(VIEW, hire, rent)
    assert both == pytest.approx(difference(VIEW, hire) + difference(VIEW, rent), abs=1e-6)


def test_two_cuts_of_ten_per_cent_leave_eighty_one():
    twice = difference(VIEW, CostCut(AUGUST, 0.1), CostCut(AUGUST, 0.1))
    assert twice == pytest.approx(difference(VIEW, CostCut(AUGUST, 0.19)), abs=1e-6)


def test_all_at_once_can_be_simulated():
    case = simulated(VIEW, ONE_OF_EACH)
    assert np.isfinite(case.bands.p50).all()


@pytest.mark.parametrize("change", [*ONE_OF_EACH, LostTranche("x")], ids=lambda each: each.KIND)
def test_what_is_written_is_read_back(change):
    assert read_changes([change.to_json()]) == (change,)
    assert change.sentence("USD")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "changes"),
        ([3], "changes[0]"),
        ([{"kind": "hire"}] * 21, "changes"),
        ([{"kind": "magic"}], "changes[0].kind"),
        ([{"kind": ["hire"]}], "changes[0].kind"),
        ([{"kind": "hire", "start": "2025-13-01", "monthly_gross": "1"}], "changes[0].start"),
        ([{"kind": "hire", "start": "2025-10-01", "monthly_gross": 1}], "changes[0].monthly_gross"),
        ([{"kind": "hire", "start": "2025-10-01", "monthly_gross": "0"}], "changes[0].monthly_gross"),
        ([{"kind": "hire", "start": "2025-10-01"}], "changes[0].monthly_gross"),
        ([{"kind": "cost_cut", "start": "2025-10-01", "share": 1.5}], "changes[0].share"),
        ([{"kind": "cost_cut", "start": "2025-10-01", "share": True}], "changes[0].share"),
        ([{"kind": "cost_cut", "start": "2025-10-01", "share": float("nan")}], "changes[0].share"),
        ([{"kind": "cost_cut", "start": "2025-10-01", "share": 0.1, "scope": "some"}], "changes[0].scope"),
        ([{"kind": "lost_tranche", "tranche": "a\x00b"}], "changes[0].tranche"),
        ([{"kind": "lost_tranche", "tranche": "\ud800"}], "changes[0].tranche"),
        ([{"kind": "lost_tranche", "tranche": "x", "colour": "red"}], "changes[0].colour"),
        ([{"kind": "slipped_tranche", "tranche": "x", "days": 0}], "changes[0].days"),
        ([{"kind": "fx_shock", "currency": "usd", "start": "2025-10-01", "share": 0.1}], "changes[0].currency"),
    ],
)
def test_what_cannot_be_read_is_named(raw, field):
    with pytest.raises(InvalidScenario) as refused:
        read_changes(raw)
    assert field in [error.field for error in refused.value.errors]


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_on_the_same_shocks_a_deeper_cut_never_shortens_the_runway(one, other):
    shallow, deep = (simulated(VIEW, [CostCut(AUGUST, share)]) for share in sorted((one, other)))
    assert all(a <= b for a, b in zip(shallow.quantile_days, deep.quantile_days, strict=True))
