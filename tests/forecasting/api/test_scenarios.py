"""What-ifs over the API: run, keep, revise, archive, run again."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from forecasting.models.scenario import ScenarioVersion
from ledger.domain.company import CompanyRef
from ledger.services.companies import create_company
from ledger.services.tokens import create_token
from tests.forecasting.small_company import NOW, small_company, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]

CUT = {"kind": "cost_cut", "start": "2026-04-15", "share": 0.2}
LOST = {"kind": "lost_tranche", "tranche": "Second closing"}


class Api:
    def __init__(self, company: CompanyRef, *, scopes: tuple[str, ...] = ("read", "ingest")) -> None:
        token = create_token(company_id=company.id, name="test", scopes=scopes, now=NOW)
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str = "", body: Any = None) -> Any:
        return Client().generic(
            method,
            f"/api/v1/scenarios{path}",
            data=b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=self.headers,
        )


def test_a_what_if_is_run_beside_the_base_and_not_kept():
    api = Api(small_company(), scopes=("read",))
    answer = api("POST", body={"changes": [CUT]})
    assert answer.status_code == 200
    body = answer.json()
    assert body["scenario"] is None
    assert body["days_gained"]["mean"] > 0
    assert body["days_gained"]["p50"] == body["changed"]["p50_days"] - body["base"]["p50_days"]
    assert body["balance_gained"]["p50"][-1] > 0
    assert body["sentences"] == [
        "Cut all costs by 20\N{NO-BREAK SPACE}% from 15\N{NO-BREAK SPACE}Apr\N{NO-BREAK SPACE}2026"
    ]
    assert api("GET").json() == {"scenarios": []}


def test_the_base_is_the_runway_in_force():
    company = small_company()
    api = Api(company)
    told = Client().get("/api/v1/runway", headers=api.headers).json()
    base = api("POST", body={"changes": []}).json()["base"]
    assert {name: told[name] for name in base if name != "mean_days"} == {
        name: value for name, value in base.items() if name != "mean_days"
    }


def test_nothing_changed_gains_nothing():
    body = Api(small_company())("POST", body={"changes": []}).json()
    assert body["base"] == body["changed"]
    assert set(body["balance_gained"]["p5"]) == {0.0}


def test_a_named_one_is_kept_revised_run_again_and_archived():
    company = small_company()
    api = Api(company)
    made = api("POST", body={"name": "Lean", "changes": [CUT]})
    assert made.status_code == 201
    number = made.json()["scenario"]["scenario_id"]
    assert api("GET", f"/{number}").json()["version"] == 1

    same = api("PUT", f"/{number}", {"name": "Lean", "changes": [CUT]})
    assert same.json()["version"] == 1
    revised = api("PUT", f"/{number}", {"name": "Leaner", "changes": [CUT, LOST]}).json()
    assert (revised["version"], revised["name"]) == (2, "Leaner")

    before = api("POST", f"/{number}/run").json()
    spend(company, "60000.00")
    after = api("POST", f"/{number}/run").json()
    assert after["position"] > before["position"]
    assert after["changed"]["p50_days"] < before["changed"]["p50_days"]

    assert api("DELETE", f"/{number}").status_code == 204
    assert api("GET", f"/{number}").status_code == 404
    assert api("DELETE", f"/{number}").status_code == 404
    assert api("GET").json() == {"scenarios": []}
    assert ScenarioVersion.objects.filter(scenario_id=number).count() == 2
    assert api("POST", body={"name": "Leaner", "changes": []}).status_code == 201


def test_a_name_is_unique_whatever_its_case():
    api = Api(small_company())
    assert api("POST", body={"name": "Lean", "changes": [CUT]}).status_code == 201
    again = api("POST", body={"name": " LEAN ", "changes": []})
    assert again.status_code == 409
    assert again.json()["errors"] == [{"field": "name", "message": "is taken"}]
    other = api("POST", body={"name": "Other", "changes": []}).json()["scenario"]["scenario_id"]
    assert api("PUT", f"/{other}", {"name": "lean", "changes": []}).status_code == 409


def test_another_company_sees_and_touches_none_of_it():
    number = Api(small_company())("POST", body={"name": "Lean", "changes": []}).json()["scenario"]["scenario_id"]
    stranger = Api(small_company("globex"))
    assert stranger("GET").json() == {"scenarios": []}
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "Mine", "changes": []}),
        ("DELETE", "", None),
        ("POST", "/run", None),
    ):
        assert stranger(method, f"/{number}{path}", body).status_code == 404


def test_a_reader_runs_and_keeps_nothing():
    company = small_company()
    number = Api(company)("POST", body={"name": "Lean", "changes": [CUT]}).json()["scenario"]["scenario_id"]
    reader = Api(company, scopes=("read",))
    assert reader("POST", f"/{number}/run").status_code == 200
    assert reader("POST", body={"name": "Mine", "changes": []}).status_code == 403
    assert reader("PUT", f"/{number}", {"name": "Mine", "changes": []}).status_code == 403
    assert reader("DELETE", f"/{number}").status_code == 403


def test_a_refusal_names_change_and_field():
    api = Api(small_company())
    unread = api("POST", body={"changes": [CUT, CUT | {"share": 7}]})
    assert unread.status_code == 422
    assert [error["field"] for error in unread.json()["errors"]] == ["changes[1].share"]
    unfit = api("POST", body={"changes": [CUT, LOST | {"tranche": "Third"}]})
    assert unfit.status_code == 422
    assert [error["field"] for error in unfit.json()["errors"]] == ["changes[1].tranche"]


def test_a_refused_one_is_not_kept():
    api = Api(small_company())
    assert api("POST", body={"name": "Odd", "changes": [LOST | {"tranche": "Third"}]}).status_code == 422
    assert api("GET").json() == {"scenarios": []}


def test_without_a_forecast_it_says_what_is_missing():
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    answer = Api(company)("POST", body={"changes": []})
    assert answer.status_code == 409
    assert "no events are recorded" in answer.json()["errors"][0]["message"]


def test_the_database_keeps_every_version_as_it_was():
    Api(small_company())("POST", body={"name": "Lean", "changes": [CUT]})
    for statement in (
        "UPDATE forecasting_scenarioversion SET changes = '[]'",
        "DELETE FROM forecasting_scenarioversion",
        "TRUNCATE forecasting_scenarioversion",
    ):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute(statement)


def test_a_huge_body_is_refused_by_its_size():
    answer = Api(small_company())("POST", body={"changes": [], "name": "a" * 3_000_000})
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"changes": [], "basis": "bank", "basis": "free"}', 'the key "basis" stands twice'),
        ('{"changes": [{"kind": "cost_cut", "share": 0.1, "share": 0.9}]}', 'the key "share" stands twice'),
        ('{"changes": [{"kind": "cost_cut", "share": NaN}]}', "NaN is not a JSON number"),
        ('{"changes": [', "line 1, column"),
        ("[" * 100_000, "is nested too deeply"),
        (b'{"name": "\xff"}', "is not UTF-8"),
    ],
)
def test_a_body_that_means_nothing_certain_is_refused_and_says_why(text, said):
    api = Api(small_company())
    answer = Client().post("/api/v1/scenarios", data=text, content_type="application/json", headers=api.headers)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
