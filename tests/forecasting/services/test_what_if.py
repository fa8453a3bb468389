"""What-ifs on today's ledger, kept by content."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import OperationalError
from psycopg.errors import SerializationFailure

from forecasting.fit.company import fit_company
from forecasting.scenarios.cost_cut import CostCut
from forecasting.scenarios.hire import Hire
from forecasting.services import what_if as service
from forecasting.services.history import gather_history
from forecasting.services.what_if import what_if
from tests.forecasting.small_company import NOW, small_company, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]

CUT = CostCut(date(2026, 4, 15), 0.2)
HIRE = Hire(date(2026, 5, 1), Decimal(6000))


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(service, "_fits", service.Kept(service.FITS_KEPT))
    monkeypatch.setattr(service, "_cases", service.Kept(service.CASES_KEPT))


def test_a_second_question_fits_nothing_and_simulates_only_what_is_new(monkeypatch):
    company = small_company()
    fits, cases = [], []
    simulated = service.case
    monkeypatch.setattr(service, "fit_company", lambda history: fits.append(1) or fit_company(history))
    monkeypatch.setattr(service, "case", lambda *args, **kwargs: cases.append(1) or simulated(*args, **kwargs))
    what_if(company=company, basis="free", cases=[[CUT]], now=NOW)
    assert (len(fits), len(cases)) == (1, 2)
    what_if(company=company, basis="free", cases=[[CUT], [HIRE, CUT], [CUT, HIRE]], now=NOW)
    assert (len(fits), len(cases)) == (1, 3)
    what_if(company=company, basis="bank", cases=[], now=NOW)
    assert (len(fits), len(cases)) == (1, 4)


def test_an_event_makes_what_was_kept_unreachable():
    company = small_company()
    before = what_if(company=company, basis="free", cases=[[CUT]], now=NOW)
    spend(company, "60000.00")
    after = what_if(company=company, basis="free", cases=[[CUT]], now=NOW)
    assert after.position > before.position
    assert after.base.runway.p50_days < before.base.runway.p50_days
    assert after.cases[0].case.runway.p50_days < before.cases[0].case.runway.p50_days


def test_two_companies_of_the_same_books_never_share_an_answer():
    one, other = small_company(), small_company("globex")
    spend(other, "60000.00")
    mine = what_if(company=one, basis="free", cases=[[CUT]], now=NOW)
    theirs = what_if(company=other, basis="free", cases=[[CUT]], now=NOW)
    assert mine.base.runway != theirs.base.runway


def test_only_so_many_are_kept(monkeypatch):
    kept = service.Kept(2)
    for n in range(5):
        assert kept.get(n, lambda n=n: n * 10) == n * 10
    assert list(kept._values) == [3, 4]


def test_a_fifth_case_is_refused():
    with pytest.raises(ValueError, match="at most 4"):
        what_if(company=small_company(), basis="free", cases=[[CUT]] * 5, now=NOW)


def test_who_sums_the_same_company_meanwhile_is_waited_for(monkeypatch):
    company = small_company()
    attempts = []

    def busy(**kwargs):
        attempts.append(1)
        if len(attempts) < 3:
            raise OperationalError("could not serialize access") from SerializationFailure()
        return gather_history(**kwargs)

    monkeypatch.setattr(service, "gather_history", busy)
    monkeypatch.setattr("ledger.services.transient.connection", type("Outside", (), {"in_atomic_block": False}))
    assert what_if(company=company, basis="free", cases=[], now=NOW).position > 0
    assert len(attempts) == 3
