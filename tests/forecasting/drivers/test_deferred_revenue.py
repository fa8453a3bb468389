from datetime import date
from decimal import Decimal

import pytest

from forecasting.drivers.deferred_revenue import DRIVER
from ledger.domain.flows import ContractReceipt
from tests.forecasting.drivers.settings import setting

TEXT = "2025-06-30 36500 enterprise Big Co\n"
RECEIPT = ContractReceipt(date(2025, 6, 30), "Big Co", Decimal(36500), "USD", 12, True, False)


def test_on_the_free_basis_it_is_earned_by_the_day():
    part = DRIVER.contribute(setting(TEXT, contracts=[RECEIPT], basis="free"))
    assert part.opening == pytest.approx(-36400)
    assert part.fixed is not None
    assert part.fixed[:364].tolist() == [pytest.approx(100)] * 364
    assert part.fixed[364] == 0.0


def test_in_the_bank_it_is_cash_like_any_other():
    assert DRIVER.contribute(setting(TEXT, contracts=[RECEIPT])).is_empty
