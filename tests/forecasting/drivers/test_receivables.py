from datetime import date
from decimal import Decimal

import pytest

from forecasting.drivers.receivables import DRIVER
from ledger.domain.flows import ContractReceipt
from tests.forecasting.drivers.settings import ahead, setting

OWED = {"open_receivables": [{"customer": "Big Co", "amount": "36500", "due": "2025-07-15"}]}


def test_an_open_invoice_is_paid_late_and_nearly_always():
    (lump,) = DRIVER.contribute(setting(plan=OWED)).dated_lumps
    assert (lump.day, lump.amount, lump.probability) == (ahead("2025-07-15"), 36500.0, 0.98)
    assert lump.delay_exp_days == 12.0


def test_on_the_free_basis_a_deferred_contract_is_earned_over_its_term():
    receipt = ContractReceipt(date(2024, 7, 10), "Big Co", Decimal(36500), "USD", 12, True, False)
    view = setting("2024-07-10 36500 enterprise Big Co\n", contracts=[receipt], plan=OWED, basis="free")
    part = DRIVER.contribute(view)
    assert part.dated_lumps == ()
    (factor,) = part.factors
    assert factor.daily[ahead("2025-07-15") - 2] == 0.0
    assert factor.daily[ahead("2025-07-15") - 1] == pytest.approx(0.98 * 100)


def test_what_is_overdue_is_told_for_tomorrow():
    late = {"open_receivables": [{"customer": "Big Co", "amount": "100", "due": "2025-06-15"}]}
    (event,) = DRIVER.next_events(setting(plan=late))
    assert (event.day, event.probability) == (1, 0.98)
