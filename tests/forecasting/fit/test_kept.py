"""What is kept between fits is what would be fitted again, and nothing else."""

import pytest

from forecasting.fit import payroll as payrolls
from forecasting.fit import payroll_tax
from forecasting.fit.company import fit_company
from forecasting.fit.kept import Kept
from tests.forecasting.journal import every, history, monthly

AS_OF = "2025-07-10"
BOOKS = (
    monthly(start="2024-01-28", months=18, line="-30000 payroll Gusto")
    + monthly(start="2024-02-15", months=17, line="-9000 payroll_tax IRS")
    + every(3, start="2024-01-01", until=AS_OF, line="-400 card Cafe")
)
BILL = "2025-07-09 -5000 software Tools Inc\n"
RAISE = BOOKS.replace("2025-06-28 -30000", "2025-06-28 -36000")


@pytest.fixture
def fitted(monkeypatch):
    """Names of what was fitted since the test began, with nothing kept from before."""
    done: list[str] = []

    def told(module, name):
        work = getattr(module, name)

        def fit(*args, **named):
            done.append(name)
            return work(*args, **named)

        monkeypatch.setattr(module, name, fit)

    told(payrolls, "fit_payroll")
    told(payroll_tax, "_fit")
    monkeypatch.setattr(payrolls, "_kept", Kept(8))
    monkeypatch.setattr(payroll_tax, "_kept", Kept(8))
    return done


def company(text, as_of=AS_OF):
    return fit_company(history(text, as_of=as_of, cash="600000"))


def test_a_bill_changes_no_payroll(fitted):
    before = company(BOOKS)
    assert fitted == ["fit_payroll", "_fit"]
    after = company(BOOKS + BILL)
    assert fitted == ["fit_payroll", "_fit"]
    assert after.payrolls[0].level == before.payrolls[0].level == 30_000
    assert after.taxes_of == before.taxes_of


@pytest.mark.parametrize(("text", "as_of"), [(RAISE, AS_OF), (BOOKS, "2025-07-11")], ids=["raise", "next day"])
def test_a_raise_and_another_day_are_fitted_anew(fitted, text, as_of):
    company(BOOKS)
    again = company(text, as_of)
    assert fitted == ["fit_payroll", "_fit"] * 2
    assert company(text, as_of).payrolls[0] is again.payrolls[0]
    assert fitted == ["fit_payroll", "_fit"] * 2


def test_only_so_much_is_kept_and_what_was_asked_for_last():
    made = []

    def make(key):
        return lambda: made.append(key) or key

    kept = Kept(2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(key, make(key)) == key
    assert made == ["a", "b", "c", "b"]
