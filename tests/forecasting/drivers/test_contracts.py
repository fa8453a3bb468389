from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from forecasting.drivers.contracts import DRIVER
from forecasting.fit.company import fit_company
from ledger.domain.flows import ContractReceipt
from tests.forecasting.drivers.settings import AS_OF, ahead, setting
from tests.forecasting.journal import flows

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


def test_customers_who_pay_yearly_in_their_hundreds_are_a_flow_with_the_doubt_of_how_many_come():
    first = date(2024, 8, 25).toordinal()
    days = [date.fromordinal(first + n % 300) for n in range(600)]
    text = "".join(f"{day} 300 enterprise Shop {n}\n" for n, day in enumerate(days))
    receipts = [
        ContractReceipt(day, f"Shop {n}", Decimal(300), "USD", 12, True, False) for n, day in enumerate(days)
    ]
    part = DRIVER.contribute(setting(text, contracts=sorted(receipts, key=lambda receipt: receipt.day)))
    assert part.lump_streams == ()
    assert len(part.dated_lumps) == 64
    deals, renewals = part.factors
    assert deals.daily[:27].sum() == 0.0
    assert deals.daily[27:] == pytest.approx(600.5 / 547 * 300 * np.exp(0.25**2 / 2), rel=0.001)
    assert deals.lvl == pytest.approx(1 / np.sqrt(600.5))
    assert part.shock_variance[-1] == pytest.approx(600.5 / 547 * 300**2 * np.exp(2 * 0.25**2), rel=0.001)
    due = sum(lump.amount * lump.probability for lump in part.dated_lumps) + renewals.daily.sum()
    assert due == pytest.approx(600 * 0.84 * 300 * 1.03, rel=0.01)


def test_a_contract_in_the_first_week_of_the_books_is_not_one_a_week():
    view = setting(f"{AS_OF} 12000 enterprise Big Co\n")
    young = replace(view.history, flows=flows(f"2025-06-28 12000 enterprise Big Co\n{AS_OF} -50 card Cafe\n"))
    contracts = fit_company(young).contracts
    assert len(contracts.deal_sizes) / contracts.deal_days == pytest.approx(1 / 91)
