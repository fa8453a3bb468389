"""What of a plan has come: new money that is in bank is not waited for as well, nor an invoice that was paid."""

from datetime import date
from decimal import Decimal

import pytest

from forecasting.drivers.contribution import Setting
from forecasting.drivers.tranches import named_tranches
from forecasting.engine import forecast
from forecasting.fit.company import fit_company
from forecasting.fit.plan_met import met_receivables, met_tranches
from forecasting.fit.read_rows import read_cash_rows
from forecasting.fit.role import Role
from ledger.domain.flows import day_number
from tests.forecasting.journal import history

BURN = "\n".join(
    f"2026-{month:02d}-{day:02d} -10000 rent Landlord" for month in (1, 2, 3, 4, 5) for day in (1, 15)
)
DELAY = {"dist": "gamma", "mean_days": 20, "sd_days": 10}


def tranche(day: str, amount: str = "500000", milestone: str = "") -> dict:
    return {"date": day, "amount": amount, "probability": 0.5, "delay": DELAY, "milestone": milestone}


def company(lines: str, **plan):
    return history(f"{BURN}\n{lines}", as_of="2026-05-31", cash="300000", plan={"as_of": "2026-03-31", **plan})


def met(lines: str, *tranches: dict):
    told = company(lines, tranches=list(tranches))
    return met_tranches(read_cash_rows(told), told)


def test_a_tranche_that_came_is_in_bank_and_not_waited_for():
    line = "2026-04-20 +480000 funding Northgate Ventures"
    assert met(line, tranche("2026-04-10")) == {0: day_number(date(2026, 4, 20))}
    came = company(line, tranches=[tranche("2026-04-10")])
    without = company(line)
    told, bare = forecast(came), forecast(without)
    assert (told.p5_days, told.p50_days, told.p95_days) == (bare.p5_days, bare.p50_days, bare.p95_days)
    assert told.tranches == ()


def test_a_bank_line_without_a_word_of_funding_is_the_tranche_by_its_amount_and_no_income():
    line = "2026-04-20 +499975 misc WIRE 8841"
    told = company(line, tranches=[tranche("2026-04-10")])
    rows = read_cash_rows(told)
    assert rows.role[rows.amount > 400_000].tolist() == [Role.FUNDING]
    assert 0 in met_tranches(rows, told)
    assert met("2026-04-20 +440000 misc WIRE 8841", tranche("2026-04-10")) == {}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2026-03-31 +500000 funding Northgate", "the plan's balances hold it already"),
        ("2026-04-20 +300000 funding Northgate", "it is too little"),
        ("2026-04-20 +900000 funding Northgate", "it is too much"),
        ("2026-04-20 -500000 funding Northgate", "it went out"),
        ("2026-06-20 +500000 funding Northgate", "it lies in the future"),
    ],
)
def test_what_is_no_arrival_leaves_the_tranche_waiting(line, why):
    assert met(line, tranche("2026-04-10")) == {}, why


def test_money_months_before_a_tranche_is_not_that_tranche():
    assert met("2026-04-20 +500000 funding Northgate", tranche("2026-09-01")) == {}


def test_one_piece_of_money_meets_one_tranche_the_nearest_in_size():
    assert set(met("2026-04-20 +510000 funding A", tranche("2026-04-10", "600000"), tranche("2026-04-30"))) == {1}
    both = "2026-04-20 +500000 funding A\n2026-05-20 +500000 funding B"
    assert set(met(both, tranche("2026-05-10"), tranche("2026-04-10"))) == {0, 1}
    assert set(met("2026-04-20 +500000 funding A", tranche("2026-05-10"), tranche("2026-04-10"))) == {1}


def test_the_tranches_that_are_left_keep_their_own_luck():
    told = company(
        "2026-04-20 +500000 funding A",
        tranches=[tranche("2026-04-10", milestone="one"), tranche("2026-08-01", "90000")],
    )
    setting = Setting(history=told, company=fit_company(told), basis="bank", horizon_days=365)
    assert [(name, float(each.amount)) for name, each in named_tranches(setting)] == [("tranche 1", 90_000.0)]


def invoices(lines: str, *owed: tuple[str, str, str]):
    told = company(
        lines, open_receivables=[{"customer": who, "amount": amount, "due": due} for who, amount, due in owed]
    )
    return set(met_receivables(read_cash_rows(told), told))


CORBEL = ("Corbel", "40000", "2026-04-15")


def test_an_invoice_that_was_paid_is_not_waited_for():
    line = "2026-05-02 +39900 sales Corbel"
    assert invoices(line, CORBEL) == {0}
    told = company(line, open_receivables=[{"customer": "Corbel", "amount": "40000", "due": "2026-04-15"}])
    assert fit_company(told).contracts.receivables == ()


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-20 +40000 sales Corbel",
        "2026-05-02 +20000 sales Corbel",
        "2026-05-02 +40000 sales Somebody",
        "2026-04-02 +40000 sales Corbel",
        "2026-05-02 -40000 refund Corbel",
    ],
)
def test_a_payment_that_is_not_for_it_leaves_an_invoice_open(line):
    assert invoices(line, CORBEL) == set()


def test_one_payment_settles_the_oldest_together_and_two_settle_two():
    two = (CORBEL, ("Corbel", "25000", "2026-05-01"), ("Corbel", "7000", "2026-05-05"))
    assert invoices("2026-05-03 +65000 sales Corbel", *two) == {0, 1}
    assert invoices("2026-05-03 +7000 sales Corbel\n2026-05-04 +40000 sales Corbel", *two) == {0, 2}
    same = (("Corbel", "5000", "2026-05-01"), ("Corbel", "5000", "2026-04-01"))
    assert invoices("2026-05-03 +5000 sales Corbel", *same) == {1}


def test_a_plan_without_a_day_or_a_company_without_rows_meets_nothing():
    told = history(BURN, as_of="2026-05-31", plan={"tranches": [tranche("2026-04-10")]})
    assert met_tranches(read_cash_rows(told), told) == {}
    assert met_receivables(read_cash_rows(told), told) == {}
    assert Decimal(told.plan.tranches[0].amount) == 500_000
