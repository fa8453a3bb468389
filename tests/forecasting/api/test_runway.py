"""GET /api/v1/runway and /runway/bands."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from forecasting.models.run import ForecastRun
from forecasting.services import in_force
from forecasting.services.explain import explain_forecasts
from forecasting.services.lease import claim_lease
from forecasting.services.publish import publish_forecast
from ledger.domain.company import CompanyRef
from ledger.services.companies import create_company
from ledger.services.tokens import create_token
from tests.forecasting.small_company import AS_OF, NOW, small_company, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]

SECTION_4 = {
    *("company", "as_of", "currency", "basis", "balance", "horizon_days", "paths", "seed"),
    *("p5_days", "p50_days", "p95_days", "p5_date", "p50_date", "p95_date", "beyond_horizon", "determined"),
    *("quantile_days", "probability_of_zero_by", "bands", "burn", "drivers", "engine_version", "input_digest"),
}


def get(company: CompanyRef, path: str, *, scopes: tuple[str, ...] = ("read",)) -> Any:
    token = create_token(company_id=company.id, name="test", scopes=scopes, now=NOW)
    return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def test_it_answers_the_forecast_in_force() -> None:
    company = small_company()
    publication = publish_forecast(company_id=company.id, now=NOW)
    answer = get(company, "/runway")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) >= SECTION_4
    assert (body["company"], body["basis"], body["as_of"]) == ("acme", "free", AS_OF.isoformat())
    assert (body["run_id"], body["position"], body["events_behind"]) == (
        publication.free_run_id,
        publication.position,
        0,
    )
    assert len(body["quantile_days"]) == 99
    assert set(body["probability_of_zero_by"]) == {"30", "60", "90", "180", "365"}
    assert body["tranches"][0]["received"]["p5_days"] >= body["tranches"][0]["not_received"]["p5_days"]


def test_it_computes_at_once_when_nothing_is_stored() -> None:
    company = small_company()
    answer = get(company, "/runway")
    assert answer.status_code == 200
    assert ForecastRun.objects.filter(basis="free").count() == 1


def test_both_bases_are_served() -> None:
    company = small_company()
    assert get(company, "/runway?basis=bank").json()["basis"] == "bank"
    assert get(company, "/runway?basis=free").json()["basis"] == "free"


def test_it_says_how_far_it_lags_behind() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    spend(company, "5.00")
    assert get(company, "/runway").json()["events_behind"] == 1


def test_the_bands_come_with_what_really_was() -> None:
    company = small_company()
    body = get(company, "/runway/bands").json()
    assert body["history"][-1] == {"day": AS_OF.isoformat(), "balance": body["balance"]}
    bands = body["bands"]
    assert len({len(bands[name]) for name in ("days", "p5", "p25", "p50", "p75", "p95")}) == 1
    assert all(low <= high for low, high in zip(bands["p5"], bands["p95"], strict=True))


@pytest.mark.parametrize("path", ["/runway", "/runway/bands", "/runway/explanation"])
def test_without_data_it_is_a_conflict_that_names_what_is_missing(path: str) -> None:
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    answer = get(company, path)
    assert answer.status_code == 409
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert "no events" in answer.json()["errors"][0]["message"]


def test_an_unknown_basis_is_refused_by_name() -> None:
    answer = get(small_company(), "/runway?basis=gold")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "basis"


def test_a_token_needs_the_scope_read() -> None:
    company = small_company()
    assert get(company, "/runway", scopes=("ingest",)).status_code == 403
    assert Client().get("/api/v1/runway").status_code == 401


def test_a_token_shows_its_own_company_only() -> None:
    company, stranger = small_company(), small_company("stranger")
    publish_forecast(company_id=company.id, now=NOW)
    assert get(stranger, "/runway").json()["company"] == "stranger"


def test_while_another_process_computes_the_first_forecast_it_asks_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = small_company()
    claim_lease(company_id=company.id, owner="somebody")
    monkeypatch.setattr(in_force, "LONGEST_WAIT_SECONDS", 0.1)
    answer = get(company, "/runway")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_a_refusal_after_a_published_forecast_is_told_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from forecasting.fit.history import MissingInputs

    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)

    def impossible(**_: Any) -> None:
        raise MissingInputs(("no exchange rate from XXX to USD",))

    monkeypatch.setattr("forecasting.services.publish.gather_history", impossible)
    with pytest.raises(MissingInputs):
        publish_forecast(company_id=company.id, now=timezone.now() + timedelta(hours=2))
    assert "XXX" in get(company, "/runway").json()["refusal"]


def test_an_explanation_is_pending_until_it_is_worked_out() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    pending = get(company, "/runway/explanation").json()
    assert (pending["state"], pending["drivers"], pending["explained_at"]) == ("pending", None, None)
    assert pending["tranches"][0]["label"] == "Tranche: Second closing"
    assert pending["lowest"]["day"] >= 1
    explain_forecasts(company_id=company.id, now=NOW)
    for basis in ("free", "bank"):
        told = get(company, f"/runway/explanation?basis={basis}").json()
        assert (told["state"], told["basis"], told["company"]) == ("explained", basis, "acme")
        assert told["run_id"] == get(company, f"/runway?basis={basis}").json()["run_id"]
        assert told["drivers"][0].keys() >= {"name", "label", "p5_days", "p50_days", "doubt_p5_days"}
        assert told["levers"][0].keys() >= {"kind", "label", "p5_days", "p50_days", "runway"}
        assert set(told["changes"]) == {"yesterday", "last_week", "first_forecast"}


def test_a_token_shows_its_own_company_s_explanation_only() -> None:
    company, other = small_company(), small_company("globex")
    for each in (company, other):
        publish_forecast(company_id=each.id, now=NOW)
    explain_forecasts(company_id=other.id, now=NOW)
    assert get(company, "/runway/explanation").json()["state"] == "pending"
    assert get(company, "/runway/explanation", scopes=("ingest",)).status_code == 403
