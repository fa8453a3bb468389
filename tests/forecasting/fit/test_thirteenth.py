from dataclasses import replace
from decimal import Decimal

import pytest

from forecasting.fit.company import fit_company
from forecasting.fit.payroll import FittedPayroll
from tests.forecasting.journal import every, history, monthly


def payroll(
    *, start: str, months: int, as_of: str, zone: str = "America/Sao_Paulo", more: str = ""
) -> FittedPayroll:
    """Wages of 100,000 a month in Brazilian money."""
    text = monthly(start=start, months=months, line="-100000 BRL folha Banco") + more
    text += every(7, start=start, until=as_of, line="-100 BRL office Loja")
    past = history(text, as_of=as_of, balances={"BRL": Decimal(900000)}, timezone=zone)
    (found,) = fit_company(replace(past, base_currency="BRL")).payrolls
    return found


def test_books_that_have_not_seen_november_expect_the_thirteenth_month_in_two_halves():
    found = payroll(start="2025-01-28", months=9, as_of="2025-10-10")
    assert [(bonus.share, bonus.chance) for bonus in found.bonuses] == [(0.5, 0.95), (0.5, 0.95)]


def test_who_has_seen_its_months_goes_by_what_was_paid_in_them():
    assert payroll(start="2024-06-28", months=16, as_of="2025-10-10").bonuses == ()
    paid = "2024-12-20 -50000 BRL decimo_terceiro_folha Banco\n"
    (seen,) = payroll(start="2024-06-28", months=16, as_of="2025-10-10", more=paid).bonuses
    assert seen.share == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Amsterdam", [(0.96, 0.8)]),
        ("Europe/Brussels", [(0.92, 0.8), (1.0, 0.8)]),
        ("Europe/Vienna", [(1.0, 0.95), (1.0, 0.95)]),
        ("Europe/Zurich", [(1.0, 0.8)]),
    ],
)
def test_what_nearly_every_employer_of_a_country_pays_is_expected_by_whose_months_the_books_have_not_seen(
    zone, expected
):
    """Books of three months, January to March."""
    text = every(7, start="2025-01-01", until="2025-04-10", line="-100 EUR office Shop")
    text += "2025-01-28 -100000 EUR wages Bank\n2025-02-28 -100000 EUR wages Bank\n"
    text += "2025-03-28 -100000 EUR wages Bank\n"
    past = history(text, as_of="2025-04-10", balances={"EUR": Decimal(900000)}, timezone=zone)
    (found,) = fit_company(replace(past, base_currency="EUR")).payrolls
    assert [(bonus.share, bonus.chance) for bonus in found.bonuses] == expected


def test_where_the_law_says_nothing_nothing_is_added():
    assert payroll(start="2025-01-28", months=9, as_of="2025-10-10", zone="Europe/London").bonuses == ()
