"""An explanation on the page: signs, sums, links, and what is said while the next one is on its way."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from forecasting.services.explain import explain_forecasts
from forecasting.services.publish import publish_forecast
from forecasting.views.explained import explained, signed
from ledger.models.company import Company, Membership, Role
from ledger.models.user import User
from ledger.selectors.companies import company_ref
from tests.forecasting.small_company import AS_OF, NOW, small_company, spend

HTMX = {"HTTP_HX_REQUEST": "true"}
WEEK = timedelta(days=7)


def content() -> dict:
    runway = {"p5_days": 90, "p50_days": 365, "p95_days": 365}
    case = {**runway, "beyond_horizon": {"p5": False, "p50": True, "p95": True}}
    cause = {"key": "time", "label": "Days that passed", "p5_days": -7, "p50_days": 0, "mean_days": -7.0}
    group = {
        "key": "spending",
        "label": "Bills",
        "p5_days": -12,
        "p50_days": 0,
        "mean_days": -11.6,
        "amount": "-27000.00",
        "expected": "-7000.00",
        "payees": [{"counterparty": "Lawyers & Co", "category": "legal", "amount": "-20000.00"}],
    }
    still = {"key": "rest", "label": "Rest", "p5_days": 0, "p50_days": 0, "mean_days": 0.0}
    change = {
        "run_id": 3,
        "published_day": "2026-11-16",
        "as_of": "2026-11-16",
        "then": case,
        "now": case,
        "p5_days": -19,
        "p50_days": 0,
        "causes": [cause],
        "events": [group, still],
    }
    return {
        "drivers": [
            {
                "name": "payroll",
                "label": "Payroll",
                "expected_per_day": "-4000.00",
                "p5_days": -275,
                "p50_days": 0,
                "doubt_p5_days": 0,
                "doubt_p50_days": 0,
                "beyond_horizon": True,
                "without": {**runway, "beyond_horizon": {"p5": True, "p50": True, "p95": True}},
                "is_least": {"p5": True, "p50": False, "p95": False},
            }
        ],
        "levers": [
            {
                "kind": "cut_cloud",
                "label": "Run the cloud at 20% less",
                "p5_days": 12,
                "p50_days": 0,
                "mean_days": 4.6,
                "runway": case,
                "is_least": {"p5": False, "p50": False, "p95": False},
            }
        ],
        "changes": {"yesterday": None, "last_week": change},
        "checks": [
            {
                "code": "silent_feed",
                "sentence": "Nothing from bank.",
                "advice": "Look.",
                "since": "2026-11-01",
                "rows": {"month": "2026-10", "q": "", "account": "bank"},
            }
        ],
    }


@pytest.mark.parametrize(("count", "text"), [(12, "+12"), (-1234, "−1,234"), (0, "0")])
def test_days_carry_their_sign(count, text):
    assert signed(count) == text


def test_what_is_stored_becomes_lines_with_links():
    told = explained(content(), is_current=True, company_slug="")
    (change,) = told.changes
    assert change.then == ("90 days", "over 365 days")
    assert change.whole == ("−19", "0")
    (group,) = change.events
    assert (group.cautious, group.middle, group.average) == ("−12", "0", "−12")
    assert group.payees[0].name == "Lawyers & Co, legal"
    assert group.payees[0].url == "/ledger?q=Lawyers+%26+Co"
    assert (told.doubts[0].url, told.doubts[0].link) == ("/ledger?month=2026-10&account=bank", "rows")
    assert told.drivers[0].effect == "−275 or more"
    assert (told.levers[0].cautious, told.levers[0].middle, told.levers[0].average) == ("+12", "–", "+5")
    assert told.levers[0].try_url.startswith("/scenarios?")


def test_a_doubt_about_no_payee_leads_to_the_plan_that_would_settle_it():
    raw = content()
    raw["checks"][0] |= {"code": "wide_interval", "rows": {"month": "2026-11", "q": "", "account": ""}}
    (doubt,) = explained(raw, is_current=True, company_slug="acme").doubts
    assert (doubt.url, doubt.link) == ("/plan?company=acme", "plan")


@pytest.mark.django_db
def test_the_rows_of_a_payee_with_a_very_long_name_are_found():
    company = small_company()
    name = ("Extremely Long Vendor Name " * 6).strip()
    spend(company, "9000.00", now=NOW, payee=name)
    founder = User.objects.create_user(email="f@example.com", password=None)
    Membership.objects.create(user=founder, company_id=company.id, role=Role.FOUNDER)
    browser = Client()
    browser.force_login(founder)
    raw = content()
    raw["changes"]["last_week"]["events"][0]["payees"][0]["counterparty"] = name
    raw["checks"][0]["rows"] = {"month": "2026-03", "q": name, "account": ""}
    told = explained(raw, is_current=True, company_slug="")
    for url in (told.doubts[0].url, told.changes[0].events[0].payees[0].url):
        response = browser.get(url)
        assert response.status_code == 200
        assert response.content.decode().count(name) > 0


def test_an_effect_is_or_more_only_where_its_own_quantile_lies_beyond():
    raw = content()
    (driver,) = raw["drivers"]
    driver["is_least"]["p5"] = False
    driver["without"]["beyond_horizon"]["p5"] = False
    assert explained(raw, is_current=True, company_slug="").drivers[0].effect == "−275"


def test_an_explanation_of_before_the_other_runway_was_kept_is_still_shown():
    raw = content()
    del raw["drivers"][0]["without"], raw["drivers"][0]["is_least"], raw["levers"][0]["is_least"]
    told = explained(raw, is_current=True, company_slug="")
    assert (told.drivers[0].effect, told.levers[0].middle) == ("−275", "0")


def test_a_comparison_with_the_same_forecast_is_shown_once():
    raw = content()
    raw["changes"]["yesterday"] = dict(raw["changes"]["last_week"])
    assert [change.key for change in explained(raw, is_current=True, company_slug="").changes] == ["last_week"]
    raw["changes"]["yesterday"]["run_id"] = 4
    keys = [change.key for change in explained(raw, is_current=True, company_slug="").changes]
    assert keys == ["last_week", "yesterday"]


def test_links_of_somebody_with_several_companies_name_this_one():
    told = explained(content(), is_current=True, company_slug="acme")
    assert told.doubts[0].url == "/ledger?company=acme&month=2026-10&account=bank"


def test_the_sixth_doubt_is_the_last_that_is_shown():
    raw = content()
    raw["checks"] *= 8
    told = explained(raw, is_current=True, company_slug="")
    assert (len(told.doubts), told.more_doubts) == (6, 2)


@pytest.mark.django_db
@pytest.mark.usefixtures("own_redis")
class TestPage:
    @pytest.fixture
    def reader(self) -> Client:
        company = small_company()
        user = User.objects.create_user("founder@example.com", "correct horse battery staple")
        Membership.objects.create(company_id=company.id, user=user, role=Role.FOUNDER)
        client = Client()
        client.force_login(user)
        return client

    def test_a_poll_fills_the_explanation_in_and_then_rests(self, reader):
        company = Company.objects.get()
        publish_forecast(company_id=company.pk, now=datetime.now(UTC))
        page = reader.get("/", **HTMX).content.decode()
        assert "What would help" not in page
        seen = page.split("seen=")[1].split('"')[0]
        assert reader.get(f"/?seen={seen}", **HTMX).status_code == 204
        explain_forecasts(company_id=company.pk, now=datetime.now(UTC))
        filled = reader.get(f"/?seen={seen}", **HTMX)
        assert filled.status_code == 200
        text = filled.content.decode()
        assert "What would help" in text
        seen = text.split("seen=")[1].split('"')[0]
        assert reader.get(f"/?seen={seen}", **HTMX).status_code == 204

    def test_what_changed_since_last_week_is_shown_by_cause(self, reader):
        company = Company.objects.get()
        publish_forecast(company_id=company.pk, now=NOW)
        ref = company_ref(company_id=company.pk)
        spend(ref, "20000.00", on=AS_OF + timedelta(days=3), ref="desks", now=NOW + WEEK)
        publish_forecast(company_id=company.pk, now=NOW + WEEK)
        explain_forecasts(company_id=company.pk, now=NOW + WEEK)
        text = reader.get("/").content.decode()
        assert "What changed since" in text
        for cause in ("Days that passed", "Exchange rates", "What happened", "Changes of the plan"):
            assert cause in text
        assert 'href="/ledger?q=Furniture+Inc"' in text

    def test_the_explanation_of_the_forecast_before_stands_until_the_next_is_there(self, reader):
        company = Company.objects.get()
        publish_forecast(company_id=company.pk, now=NOW)
        explain_forecasts(company_id=company.pk, now=NOW)
        assert "being worked out" not in reader.get("/").content.decode()
        spend(company_ref(company_id=company.pk), "20000.00", ref="desks")
        publish_forecast(company_id=company.pk, now=NOW + timedelta(minutes=1))
        text = reader.get("/").content.decode()
        assert "What would help" in text
        assert "being worked out" in text
