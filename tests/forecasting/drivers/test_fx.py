from decimal import Decimal

import pytest

from forecasting.drivers.fx import DRIVER
from tests.forecasting.drivers.settings import setting


def test_foreign_cash_walks_with_its_rate():
    balances = {"USD": Decimal(5000), "EUR": Decimal(10000)}
    part = DRIVER.contribute(setting(balances=balances, plan={"fx": {"EUR": 1.2}}))
    month_sd = (float(part.shock_variance) * 30.4) ** 0.5
    assert month_sd == pytest.approx(12000 * 0.023)


def test_cash_at_home_does_not():
    assert DRIVER.contribute(setting()).is_empty
