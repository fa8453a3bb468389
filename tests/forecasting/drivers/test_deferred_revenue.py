from datetime import date
from decimal import Decimal

import pytest

from forecasting.drivers.deferred_revenue import DRIVER
from ledger.domain.flows import ContractReceipt
from ledger.domain.liabilities import Liabilities
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


def test_what_the_ledger_states_goes_before_what_terms_let_guess():
    stated = Liabilities(
        release=(Decimal(0), Decimal(60), Decimal(40)),
        in_credit=Decimal(25),
        deposits=Decimal(0),
        taxes=(),
        owed_before=(Decimal(125),),
    )
    part = DRIVER.contribute(setting(TEXT, contracts=[RECEIPT], liabilities=stated, basis="free", days=30))
    assert part.opening == -125
    assert part.fixed is not None
    assert part.fixed.tolist() == [0, 60, 40] + [0] * 27
    short = DRIVER.contribute(setting(liabilities=stated, basis="free", days=2))
    assert short.fixed is not None
    assert (short.opening, short.fixed.tolist()) == (-125, [0, 60])


def test_a_ledger_that_states_deposits_alone_leaves_the_guess_to_terms():
    stated = Liabilities(None, Decimal(0), Decimal(7), (), (Decimal(7),))
    part = DRIVER.contribute(setting(TEXT, contracts=[RECEIPT], liabilities=stated, basis="free"))
    assert part.opening == pytest.approx(-36400)
