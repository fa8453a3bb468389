import numpy as np
import pytest

from forecasting.drivers.sales import DRIVER
from tests.forecasting.drivers.settings import setting
from tests.forecasting.journal import every

SALES = every(1, start="2024-01-01", until="2025-06-30", line="1000 sales Stripe")


def test_level_sales_go_on_at_their_level():
    part = DRIVER.contribute(setting(SALES))
    (factor,) = part.factors
    assert factor.daily.sum() / 365 == pytest.approx(1000, rel=0.02)
    assert np.all(np.isfinite(np.asarray(part.shock_variance)))


def test_costs_that_follow_sales_are_in_the_same_factor():
    wave = "".join(
        f"{line.split()[0]} {(1 if n // 90 % 2 else 2) * amount} {what}\n"
        for n, line in enumerate(SALES.splitlines())
        for amount, what in ((1000, "sales Stripe"), (-600, "goods Factory"))
    )
    (factor,) = DRIVER.contribute(setting(wave)).factors
    view = setting(wave)
    assert view.company.sales is not None
    sold = view.company.sales.expected(first_day=view.first_day, days=365)
    assert factor.daily.sum() == pytest.approx(0.4 * sold.sum(), rel=0.02)


def test_a_company_without_sales_has_none():
    assert DRIVER.contribute(setting()).is_empty
