import numpy as np
import pytest

from forecasting.drivers import receivables
from forecasting.drivers.invoiced import DRIVER
from tests.forecasting.drivers.settings import setting
from tests.forecasting.fit.test_income import projects
from tests.forecasting.journal import monthly

CLIENTS = "".join(
    monthly(start=f"2024-06-{n + 3:02}", months=13, line=f"4000 invoices Client {n}") for n in range(5)
)


def owed(amount: int) -> dict[str, object]:
    return {"open_receivables": [{"customer": "Client 1", "amount": str(amount), "due": "2025-07-20"}]}


def test_it_goes_on_at_its_level():
    (factor,) = DRIVER.contribute(setting(CLIENTS)).factors
    assert factor.daily.sum() / 365 == pytest.approx(5 * 4000 / 30.4, rel=0.05)


def test_open_invoices_are_its_first_days_and_no_extra():
    alone = DRIVER.contribute(setting(CLIENTS)).factors[0].daily
    view = setting(CLIENTS, plan=owed(20000))
    with_invoices = DRIVER.contribute(view).factors[0].daily
    covered = float(np.sum(alone - with_invoices))
    assert covered == pytest.approx(0.98 * 20000, rel=0.05)
    first = int(np.flatnonzero(with_invoices)[0])
    # Who owes is still a client, which the others are a little less surely.
    assert with_invoices[first:] == pytest.approx(alone[first:], rel=0.01)
    assert [lump.amount for lump in receivables.DRIVER.contribute(view).dated_lumps] == [20000.0]


def test_a_company_without_invoices_has_none():
    assert DRIVER.contribute(setting()).is_empty


def test_projects_go_on_once_the_open_ones_are_paid_however_many_they_are():
    """More is open than half a year would bring: whoever is paid in a month has written new ones by then."""
    plan = {"open_receivables": [{"customer": "Large", "amount": "400000", "due": "2025-07-20"}]}
    view = setting(projects("313020410212320213212312"), plan=plan)
    (factor,) = DRIVER.contribute(view).factors
    assert np.flatnonzero(factor.daily)[0] == 20 + 12  # days until it is due, and how late such are paid
