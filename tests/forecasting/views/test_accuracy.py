"""The accuracy page over HTTP."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from forecasting.models.record import CalibrationVersion
from forecasting.selectors.track_record import track_record
from forecasting.services.publish import publish_forecast
from forecasting.services.track_record import begin_backtest, continue_backtest, recalibrate
from forecasting.views.accuracy_page import _lead
from ledger.domain.company import CompanyRef
from ledger.models.company import Company
from ledger.services.companies import create_company
from tests.forecasting.long_company import LAST_DAY, NOW, live, long_company
from tests.forecasting.views.test_runway import HTMX, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]
DAY = timedelta(days=1)


def member(client: Client, company: CompanyRef) -> Client:
    client.force_login(person("founder@example.com", Company.objects.get(id=company.id)))
    return client


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def looked_back(company: CompanyRef) -> None:
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    continue_backtest(backtest=backtest, company=company, now=NOW)
    recalibrate(company=company, backtest=backtest, now=NOW)


def test_a_stranger_is_led_to_the_door(client: Client) -> None:
    assert client.get("/accuracy?basis=bank")["Location"] == "/sign-in?next=/accuracy%3Fbasis%3Dbank"


def test_without_a_record_it_says_how_to_get_one(client: Client) -> None:
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    page = text(member(client, company), "/accuracy")
    assert "manage.py backtest --company acme" in page
    assert "Nothing has been measured yet" in page


def test_the_record_shows_every_past_forecast_against_what_happened(client: Client) -> None:
    company = long_company()
    looked_back(company)
    page = text(member(client, company), "/accuracy?ahead=60")
    assert "balances foretold 60 days ahead" in page
    assert page.count('class="mark">looked back</span>') == page.count('<tr> <th scope="row">') >= 10
    for words in ("linear, 90 days", "By how far ahead", "Judged by", "calibrated on its own past", 'id="figure"'):
        assert words in page


@pytest.mark.parametrize(
    ("state", "dispersion", "words"),
    [
        ("calibrated", 1.36, "now 36\N{NARROW NO-BREAK SPACE}% wider"),
        ("calibrated", 1.0, ""),
        ("uncalibrated", 1.36, ""),
    ],
)
def test_a_poor_share_looked_back_says_how_much_wider_forecasts_became(
    state: str, dispersion: float, words: str
) -> None:
    company = long_company()
    looked_back(company)
    record = track_record(company_id=company.id, basis="bank")
    calibration = CalibrationVersion(state=state, dispersion=dispersion)
    lead = _lead(record.horizons[0], replace(record, calibration=calibration))
    assert words in lead
    assert bool(words) == ("wider" in lead)
    assert "wider" not in _lead(record.horizons[0], replace(record, calibration=calibration, published=1))


def test_the_free_record_is_empty_until_published_forecasts_come_of_age(client: Client) -> None:
    company = long_company()
    looked_back(company)
    assert "No published forecast of free cash" in text(member(client, company), "/accuracy?basis=free")


def test_a_past_day_is_replayed_and_held_to_what_came(client: Client) -> None:
    company = long_company(days=200)
    publish_forecast(company_id=company.id, now=NOW)
    later = NOW + 70 * DAY
    live(company, first=LAST_DAY + DAY, last=LAST_DAY + 70 * DAY, now=later)
    page = text(member(client, company), f"/accuracy?on={NOW.date()}")
    assert "exactly what was published then" in page
    assert "no plan were known by the end of that day" in page
    assert "30 days on" in page
    assert "60 days on" in page
    assert "90 days on" not in page
    assert '"name": "what came"' in page


def test_a_day_that_cannot_be_replayed_says_why(client: Client) -> None:
    company = long_company(days=30)
    visitor = member(client, company)
    assert "nothing was recorded by the end of 2020-01-01" in text(visitor, "/accuracy?on=2020-01-01")
    assert "lies in the future" in text(visitor, "/accuracy?on=2999-01-01")


@pytest.mark.parametrize("query", ["basis=gold", "ahead=45", "ahead=x", "on=31.12.2025", "on=2025-13-01"])
def test_a_wrong_question_is_a_bad_request_and_no_error(client: Client, query: str) -> None:
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    assert member(client, company).get(f"/accuracy?{query}").status_code == 400


def test_htmx_gets_the_part_that_changes(client: Client) -> None:
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    response = member(client, company).get("/accuracy", **HTMX)
    assert response.content.decode().lstrip().startswith('<div id="accuracy"')
    assert response["Vary"].count("HX-Request") == 1


def test_another_company_s_record_is_not_shown(client: Client) -> None:
    company, other = long_company(days=200), long_company("other", days=200)
    looked_back(other)
    visitor = member(client, company)
    assert "Nothing has been measured yet" in text(visitor, "/accuracy")
    assert visitor.get("/accuracy?company=other").status_code == 404


def test_the_runway_page_says_that_the_forecast_is_calibrated(client: Client) -> None:
    company = long_company()
    publish_forecast(company_id=company.id, now=NOW)
    visitor = member(client, company)
    assert "not yet calibrated" in text(visitor, "/")
    looked_back(company)
    publish_forecast(company_id=company.id, now=NOW + timedelta(minutes=1))
    assert "calibrated on its own past" in text(visitor, "/")
