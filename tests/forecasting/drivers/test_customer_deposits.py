from decimal import Decimal

import pytest

from forecasting.drivers.customer_deposits import DRIVER
from ledger.domain.liabilities import Liabilities
from tests.forecasting.drivers.settings import setting

HELD = Liabilities(
    release=None, in_credit=Decimal(0), deposits=Decimal(5000), taxes=(), owed_before=(Decimal(5000),)
)


def test_on_the_free_basis_the_balance_is_without_them_for_good():
    part = DRIVER.contribute(setting(liabilities=HELD, basis="free"))
    assert (part.opening, part.fixed) == (pytest.approx(-5000), None)


def test_in_the_bank_and_without_any_they_say_nothing():
    assert DRIVER.contribute(setting(liabilities=HELD)).is_empty
    assert DRIVER.contribute(setting(basis="free")).is_empty
