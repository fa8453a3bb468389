"""`/accuracy` and `/runway/replay`."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from forecasting.services.publish import publish_forecast
from forecasting.services.track_record import begin_backtest, continue_backtest, recalibrate
from ledger.domain.company import CompanyRef
from ledger.services.companies import create_company
from ledger.services.tokens import create_token
from tests.forecasting.long_company import NOW, long_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]


def get(company: CompanyRef, path: str, *, scopes: tuple[str, ...] = ("read",)) -> Any:
    token = create_token(company_id=company.id, name="t", scopes=scopes, now=timezone.now())
    return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def test_the_record_is_answered_with_every_past_forecast() -> None:
    company = long_company()
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    continue_backtest(backtest=backtest, company=company, now=NOW)
    recalibrate(company=company, backtest=backtest, now=NOW)
    body = get(company, "/accuracy?days_ahead=60").json()
    assert (body["company"], body["basis"], body["currency"], body["days_ahead"]) == ("acme", "bank", "USD", 60)
    assert [each["days_ahead"] for each in body["horizons"]] == [30, 60, 90, 180]
    of_60 = body["horizons"][1]
    assert len(body["past"]) == of_60["outcomes"]
    inside = sum(one["inside"] for one in body["past"])
    assert of_60["coverage"] == pytest.approx(inside / len(body["past"]))
    assert body["calibration"]["state"] == "calibrated"
    assert body["backtest"]["done"] == body["backtest"]["days"] == len(backtest.as_of_days)
    assert all(one["run_id"] is None for one in body["past"])


def test_without_a_record_it_says_that_there_is_none() -> None:
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    body = get(company, "/accuracy").json()
    assert (body["horizons"], body["past"], body["calibration"], body["backtest"]) == ([], [], None, None)


def test_the_runway_says_whether_it_is_calibrated() -> None:
    company = long_company()
    assert get(company, "/runway").json()["calibration"]["state"] == "uncalibrated"
    backtest = begin_backtest(company=company, now=NOW, actor="t")
    continue_backtest(backtest=backtest, company=company, now=NOW)
    version = recalibrate(company=company, backtest=backtest, now=NOW)
    publish_forecast(company_id=company.id, now=NOW)
    assert get(company, "/runway").json()["calibration"] == {
        "state": "calibrated",
        "dispersion": version.dispersion,
        "windows": version.windows,
    }


def test_a_past_day_is_replayed() -> None:
    company = long_company(days=200)
    publication = publish_forecast(company_id=company.id, now=NOW)
    body = get(company, f"/runway/replay?on={NOW.date() + timedelta(days=3)}&basis=bank").json()
    assert (body["published_run"], body["equals_published"], body["differs"]) == (
        publication.bank_run_id,
        True,
        "",
    )
    assert body["forecast"]["basis"] == "bank"
    assert body["position"] == publication.position


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("on=2999-01-01", "lies in the future"),
        ("on=0001-01-01", "nothing was recorded"),
        ("on=yesterday", "must be a day as yyyy-mm-dd"),
        ("on=1775001600", "must be a day as yyyy-mm-dd"),
        ("", "required"),
        ("on=2026-04-02&basis=gold", "free"),
    ],
)
def test_a_day_that_cannot_be_replayed_is_refused_by_field(query: str, words: str) -> None:
    answer = get(long_company(days=30), f"/runway/replay?{query}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert words in error["message"].lower()
    assert error["field"] in ("on", "basis")


def test_a_day_without_a_possible_forecast_is_a_conflict() -> None:
    from tests.forecasting.services.test_replay import write

    company = create_company(slug="young", name="Young", currency="USD", timezone="UTC", now=NOW)
    write(company, at=NOW, event_type="income", amount="5.00")
    answer = get(company, f"/runway/replay?on={NOW.date()}")
    assert answer.status_code == 409
    assert "no expense" in answer.json()["errors"][0]["message"]


def test_unknown_choices_are_refused_by_name() -> None:
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    for query, field in (("basis=gold", "basis"), ("days_ahead=45", "days_ahead")):
        answer = get(company, f"/accuracy?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("path", ["/accuracy", "/runway/replay?on=2026-04-01"])
def test_a_token_needs_the_scope_read_and_shows_its_own_company_only(path: str) -> None:
    company, stranger = long_company(days=30), long_company("stranger", days=30)
    assert get(company, path, scopes=("ingest",)).status_code == 403
    assert Client().get(f"/api/v1{path}").status_code == 401
    body = get(stranger, path).json()
    assert (body.get("company") or body["forecast"]["company"]) == "stranger"
