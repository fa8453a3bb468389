import numpy as np
import pytest

from forecasting.drivers.cloud import DRIVER
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate
from tests.forecasting.drivers.settings import ahead, setting
from tests.forecasting.journal import monthly

BILLS = monthly(start="2024-07-03", months=12, line="-3040 cloud AWS")
CREDITS = monthly(start="2024-07-03", months=12, line="credit 3040 cloud AWS")


def grant(remaining: int, expires: str) -> dict[str, object]:
    return {"cloud_credits": [{"provider": "AWS Activate", "remaining": str(remaining), "expires": expires}]}


def test_bills_in_cash_or_in_credit_say_the_same_about_usage():
    for text in (BILLS, CREDITS):
        (cloud,) = DRIVER.contribute(setting(text)).cloud
        assert cloud.usage.daily[0] == pytest.approx(100, rel=0.03)
        assert cloud.invoice_day_of_month == 3


def test_a_credit_belongs_to_the_provider_of_its_name():
    text = BILLS + monthly(start="2024-07-05", months=12, line="-9000 hosting Google Cloud")
    aws, google = DRIVER.contribute(setting(text, plan=grant(5000, "2025-12-31"))).cloud
    assert [len(aws.grants), len(google.grants)] == [1, 0]
    assert aws.grants[0].expires_day == ahead("2025-12-31")
    assert (aws.unbilled, google.unbilled > 0) == (0.0, True)


def test_invoices_begin_when_the_credit_is_used_up():
    view = setting(CREDITS, plan=grant(3000, "2026-06-30"))
    (cloud,) = DRIVER.contribute(view).cloud
    certain = type(cloud)(
        usage=type(cloud.usage)(name="cloud", daily=np.full(365, 100.0)),
        invoice_day_of_month=3,
        grants=cloud.grants,
    )
    inputs = ForecastInputs(
        as_of_day=view.company.as_of_day,
        opening_balance=50.0,
        horizon_days=365,
        factors=(),
        fixed=np.zeros(365),
        shock_sd_per_day=np.zeros(365),
        persistent_sd=np.zeros(365),
        cloud=(certain,),
    )
    outcome = simulate(inputs, shocks_for(seed=1, paths=16, horizon_days=365))
    # 31 days of July cost 3,100; the credit pays 3,000; the invoice of the 3rd of August asks for 100.
    assert set(outcome.runway_days.tolist()) == {ahead("2025-08-03")}


def test_the_end_of_a_credit_is_marked_where_it_comes_first():
    (expires,) = DRIVER.marks(setting(CREDITS, plan=grant(90000, "2025-08-15")))
    assert (expires.day, expires.label) == (ahead("2025-08-15"), "AWS Activate credit expires")
    (used_up,) = DRIVER.marks(setting(CREDITS, plan=grant(3000, "2025-12-31")))
    assert used_up.day == pytest.approx(30, abs=1)
    assert used_up.label == "AWS Activate credit used up"


def test_what_a_credit_has_not_paid_so_far_goes_on_being_paid_in_cash():
    """A marketplace's part of the bills, say: 15 % of each."""
    text = monthly(start="2024-07-03", months=11, line="credit 2584 cloud AWS")
    text += monthly(start="2024-07-03", months=11, line="-456 cloud AWS")
    view = setting(text, plan=grant(5000, "2026-06-30"))
    (cloud,) = DRIVER.contribute(view).cloud
    assert (cloud.payable, cloud.usage.daily[0]) == (pytest.approx(0.85), pytest.approx(100, rel=0.06))
    # June's bill of 3 June, for May, has not come: 15 % of it are still to be paid, and of June as well.
    pending, usual, used_up = sorted(DRIVER.next_events(view), key=lambda event: event.day)
    assert (pending.day, pending.amount) == (1, pytest.approx(-456, rel=0.1))
    assert (usual.day, usual.amount) == (3, pytest.approx(-456, rel=0.1))
    assert used_up.day == pytest.approx(5000 / 85, rel=0.1)


@pytest.mark.parametrize("share", [[1.0, 0.7, 0.4, 0.1], [0.85, 0.85]])
def test_a_credit_that_ran_out_or_paid_twice_tells_no_share(share):
    lines = "".join(
        f"2025-0{3 + n}-03 credit {3040 * part:.0f} cloud AWS\n"
        f"2025-0{3 + n}-03 -{3040 * (1 - part) + 1:.0f} cloud AWS\n"
        for n, part in enumerate(share)
    )
    (cloud,) = DRIVER.contribute(
        setting(BILLS.split("2025-03-03")[0] + lines, plan=grant(5000, "2026-06-30"))
    ).cloud
    assert cloud.payable == 1.0


def test_the_next_bill_is_told_ahead():
    (event,) = DRIVER.next_events(setting(BILLS, days=10))
    assert (event.day, event.kind) == (3, "bill")
    assert event.amount == pytest.approx(-3040, rel=0.05)
