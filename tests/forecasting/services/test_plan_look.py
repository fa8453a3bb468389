"""Looking at a plan before it is saved: what is shown is what will be, and nothing is left behind."""

from decimal import Decimal

import pytest
from django.db import connection

from forecasting.fit.plan import InvalidPlan
from forecasting.selectors.forecasts import latest_forecast
from forecasting.selectors.plans import plan_in_force, plan_version, plan_versions
from forecasting.services.plan_look import look_at_plan
from forecasting.services.plans import PlanMoved, record_plan
from forecasting.services.publish import publish_forecast
from forecasting.signals import plan_recorded
from ledger.domain.company import CompanyRef
from ledger.services.companies import create_company
from tests.forecasting.small_company import NOW, PLAN, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]

WITHOUT_TRANCHE = PLAN | {"tranches": [], "opening_balance": {"USD": "90000.00"}}
STATEMENTS = "SELECT (SELECT count(*) FROM forecasting_plan), (SELECT count(*) FROM ledger_balancestatement)"


@pytest.fixture
def acme() -> CompanyRef:
    return small_company()


def look(company, raw):
    return look_at_plan(company=company, basis="free", raw=raw, actor="test", now=NOW)


def counted() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS)
        return cursor.fetchone()


def test_what_is_shown_is_what_a_forecast_says_once_it_is_saved(acme):
    seen = look(acme, WITHOUT_TRANCHE).then.case()
    record_plan(company_id=acme.id, raw=WITHOUT_TRANCHE, actor="test", now=NOW)
    publish_forecast(company_id=acme.id, now=NOW)
    published = latest_forecast(company_id=acme.id)
    days = tuple(published.forecast[f"{name}_days"] for name in ("p5", "p50", "p95"))
    assert (seen.runway.p5_days, seen.runway.p50_days, seen.runway.p95_days) == days
    assert Decimal(str(seen.opening_balance)) == Decimal(90000)


def test_nothing_is_left_behind_and_nobody_hears_of_it(acme, django_capture_on_commit_callbacks):
    before, heard = counted(), []
    plan_recorded.connect(listener := lambda **told: heard.append(told))
    try:
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            looked = look(acme, WITHOUT_TRANCHE)
    finally:
        plan_recorded.disconnect(listener)
    assert looked.recorded.version == 2
    assert (callbacks, heard) == ([], [])
    assert counted() == before
    assert plan_in_force(company_id=acme.id).raw["tranches"] == PLAN["tranches"]


def test_a_plan_with_problems_is_refused_and_leaves_nothing(acme):
    before = counted()
    with pytest.raises(InvalidPlan, match="as_of"):
        look(acme, {"tranches": []})
    assert counted() == before


def test_a_company_without_events_is_told_what_is_missing_with_any_plan():
    bare = create_company(slug="bare", name="Bare", currency="USD", timezone="UTC", now=NOW)
    seen = look(bare, PLAN | {"company": "bare"})
    assert (seen.now.case(), seen.then.case()) == (None, None)
    assert "no events are recorded" in seen.then.refusal


def test_a_change_made_from_an_older_version_is_not_recorded(acme):
    record_plan(company_id=acme.id, raw=WITHOUT_TRANCHE, actor="one", now=NOW, instead_of=1)
    with pytest.raises(PlanMoved, match="version 2"):
        record_plan(company_id=acme.id, raw=PLAN | {"tranches": []}, actor="two", now=NOW, instead_of=1)
    assert plan_in_force(company_id=acme.id).actor == "one"


def test_versions_are_listed_without_their_long_rates_and_read_whole(acme):
    rates = [["2026-03-30", 1.1, 1.3], ["2026-03-31", 1.2, 1.4]]
    record_plan(company_id=acme.id, raw=PLAN | {"fx_history": rates}, actor="two", now=NOW)
    newest, first = plan_versions(company_id=acme.id, limit=5)
    assert (newest.version, newest.actor, first.version) == (2, "two", 1)
    assert len(newest.document["fx_history"]) == 1
    assert "fx_history" not in first.document
    assert plan_version(company_id=acme.id, version=2)["fx_history"] == rates
    assert plan_version(company_id=acme.id, version=3) is None
