from datetime import date
from decimal import Decimal

import pytest

from forecasting.drivers.contracts import DRIVER
from ledger.domain.flows import ContractReceipt
from tests.forecasting.drivers.settings import ahead, setting

TEXT = "2024-09-01 120000 enterprise Big Co\n"
RECEIPT = ContractReceipt(date(2024, 9, 1), "Big Co", Decimal(120000), "USD", 12, True, False)


def test_a_renewal_is_one_uncertain_payment_in_the_bank():
    part = DRIVER.contribute(setting(TEXT, contracts=[RECEIPT]))
    (lump,) = part.dated_lumps
    assert (lump.day, lump.delay_sd_days) == (ahead("2025-09-01"), 12.0)
    assert lump.amount == pytest.approx(123600)
    assert lump.probability == pytest.approx(0.84, abs=0.001)
    (deals,) = part.lump_streams
    assert deals.rate_shape / deals.rate_days == pytest.approx(1.5 / 547)
    assert deals.sizes.tolist() == [120000.0]


def test_on_the_free_basis_a_renewal_is_earned_over_its_term():
    part = DRIVER.contribute(setting(TEXT, contracts=[RECEIPT], basis="free", days=365))
    assert part.dated_lumps == ()
    assert part.lump_streams == ()
    renewals, deals = part.factors
    start = ahead("2025-09-01")
    assert renewals.daily[: start - 1].sum() == 0.0
    assert renewals.daily[start - 1 :].sum() == pytest.approx(0.84 * 123600 * (365 - start + 1) / 365, rel=0.001)
    assert deals.daily[26] == 0.0
    assert deals.daily[27] > 0.0


def test_it_is_told_ahead():
    (event,) = DRIVER.next_events(setting(TEXT, contracts=[RECEIPT]))
    assert (event.day, event.kind, event.label) == (ahead("2025-09-01"), "renewal", "Big Co renews")
