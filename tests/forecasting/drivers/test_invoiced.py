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


def test_what_a_client_owes_is_his_own_next_fees_and_no_extra():
    alone = DRIVER.contribute(setting(CLIENTS)).factors[0].daily
    view = setting(CLIENTS, plan=owed(20000))
    with_invoices = DRIVER.contribute(view).factors[0].daily
    # Five fees of his; the next after them comes half a month sooner or later.
    assert float(np.sum(alone - with_invoices)) == pytest.approx(0.98 * 20000 - 4000 / 2, rel=0.05)
    # The others, of whom nothing is listed, go on meanwhile.
    assert with_invoices[:20].sum() == pytest.approx(0.8 * alone[:20].sum(), rel=0.02)
    # Who owes is still a client, which the others are a little less surely.
    assert with_invoices[150:] == pytest.approx(alone[150:], rel=0.01)
    assert [lump.amount for lump in receivables.DRIVER.contribute(view).dated_lumps] == [20000.0]


def test_where_all_are_listed_nobody_pays_what_is_not_written_yet():
    plan = {
        "open_receivables": [
            {"customer": f"Client {n}", "amount": "4000", "due": f"2025-07-{n + 3:02}"} for n in range(5)
        ]
    }
    (factor,) = DRIVER.contribute(setting(CLIENTS, plan=plan)).factors
    # Each pays again half his month and more after what is due, and all at their level from then on.
    assert factor.daily[:14].sum() == 0.0
    assert factor.daily[45:].sum() / (365 - 45) == pytest.approx(5 * 4000 / 30.4, rel=0.06)


def test_a_year_paid_ahead_by_one_client_does_not_stand_for_the_fees_of_the_others():
    listed = [{"customer": f"Client {n}", "amount": "4000", "due": f"2025-07-{n + 3:02}"} for n in range(5)]
    listed.append({"customer": "Newcomer", "amount": "150000", "due": "2025-07-10"})
    (factor,) = DRIVER.contribute(setting(CLIENTS, plan={"open_receivables": listed})).factors
    assert factor.daily[45:75].sum() > 0.8 * 5 * 4000


def test_a_company_without_invoices_has_none():
    assert DRIVER.contribute(setting()).is_empty


def test_projects_go_on_once_the_open_ones_are_paid_however_many_they_are():
    """More is open than half a year would bring: whoever is paid in a month has written new ones by then."""
    plan = {"open_receivables": [{"customer": "Large", "amount": "400000", "due": "2025-07-20"}]}
    view = setting(projects("313020410212320213212312"), plan=plan)
    (factor,) = DRIVER.contribute(view).factors
    first = int(np.flatnonzero(factor.daily)[0]) + 1
    assert first == 20 + 12  # days until it is due, and how late such are paid
