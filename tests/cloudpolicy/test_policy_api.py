"""`/api/v1/policy` as a machine sees it."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.utils import timezone

from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy_text import read_yaml, write_yaml
from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.policy import PolicyVersion
from cloudpolicy.selectors.unplanned import unplanned_companies
from forecasting.selectors.forecasts import latest_forecast
from forecasting.services.publish import publish_forecast
from ledger.models.company import Company
from ledger.services.companies import create_company
from ledger.services.tokens import create_token
from tests.cloudpolicy.steered_company import NOW, steered_company

pytestmark = pytest.mark.django_db
URL = "/api/v1/policy"
JSON, YAML = "application/json", "application/yaml"
SLOWER = {**FOUNDING_LADDER, "pace": {"dwell_forecasts": 3, "cooldown_minutes": 1440}}


@pytest.fixture
def acme() -> Company:
    return create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)


def token(company: Company, *scopes: str) -> dict[str, str]:
    made = create_token(company_id=company.pk, name="test", scopes=scopes or ("policy",), now=timezone.now())
    return {"Authorization": f"Bearer {made}"}


def put(client: Client, company: Company, body: Any, kind: str = JSON, query: str = "") -> Any:
    return client.put(f"{URL}{query}", body, content_type=kind, headers=token(company))


def test_a_company_starts_with_the_founding_ladder(client: Client, acme: Company) -> None:
    said = client.get(URL, headers=token(acme)).json()
    assert (said["version"], said["name"], said["actor"]) == (1, "founding ladder", "capstack")
    assert said["document"] == FOUNDING_LADDER


def test_a_policy_is_put_in_force_once(client: Client, acme: Company) -> None:
    made = put(client, acme, SLOWER, query="?because=slower")
    assert (made.status_code, made.json()["version"]) == (201, 2)
    again = put(client, acme, SLOWER)
    assert (again.status_code, again.json()["status"]) == (200, "unchanged")
    versions = client.get(f"{URL}/versions", headers=token(acme)).json()["versions"]
    assert [(each["version"], each["because"]) for each in versions] == [
        (2, "slower"),
        (1, "every company starts with it"),
    ]
    assert versions[0]["actor"].startswith("token:")
    assert client.get(f"{URL}?version=1", headers=token(acme)).json()["document"] == FOUNDING_LADDER


def test_the_same_policy_without_its_defaults_is_the_same(client: Client, acme: Company) -> None:
    short = {key: value for key, value in FOUNDING_LADDER.items() if key not in ("pace", "quiet", "groups")}
    assert put(client, acme, short).json()["status"] == "unchanged"


def test_yaml_goes_in_and_comes_out(client: Client, acme: Company) -> None:
    assert put(client, acme, write_yaml(SLOWER), YAML).status_code == 201
    told = client.get(URL, headers={**token(acme), "Accept": YAML})
    assert told.headers["Content-Type"].startswith(YAML)
    assert read_yaml(told.content.decode()) == SLOWER


def test_every_fault_is_named_by_path_and_line(client: Client, acme: Company) -> None:
    text = write_yaml(SLOWER).replace("cooldown_minutes: 1440", "cooldown_minutes: long\n  hurry: true")
    answer = put(client, acme, text, YAML)
    assert answer.status_code == 422
    errors = {each["field"]: each["message"] for each in answer.json()["errors"]}
    line = text[: text.index("long")].count("\n") + 1
    assert errors == {
        "pace.cooldown_minutes": f"must be a whole number from 0 to 129600 (line {line})",
        "pace.hurry": f"is not a key of a policy (line {line + 1})",
    }
    assert PolicyVersion.objects.filter(version=2).count() == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("", JSON, 422),
        ("[]", JSON, 422),
        ("{", JSON, 422),
        (b"\xff", JSON, 422),
        ("a: *b", YAML, 422),
        ("x", "text/csv", 415),
        ("x" * 200_000, YAML, 413),
        ('{"name": "\\ud800"}', JSON, 422),
        ('{"floors": {"\\u0000": 1}}', JSON, 422),
    ],
)
def test_bad_input_is_a_clear_error(client: Client, acme: Company, body: Any, kind: str, status: int) -> None:
    assert put(client, acme, body, kind).status_code == status


@pytest.mark.parametrize("query", ["?because=", "?instead_of=0", "?instead_of=99999999999", "?because=%00"])
def test_a_bad_query_is_refused(client: Client, acme: Company, query: str) -> None:
    assert put(client, acme, SLOWER, query=query).status_code == 422


def test_it_does_not_overwrite_what_somebody_else_put_in_force(client: Client, acme: Company) -> None:
    assert put(client, acme, SLOWER, query="?instead_of=1").status_code == 201
    answer = put(client, acme, FOUNDING_LADDER, query="?instead_of=1")
    assert answer.status_code == 409
    assert "version 2 was put in force by token:" in answer.json()["detail"]


def test_the_scope_policy_is_needed_and_the_schema_needs_no_token(client: Client, acme: Company) -> None:
    assert client.get(URL).status_code == 401
    assert client.get(URL, headers=token(acme, "read", "ingest")).status_code == 403
    assert client.put(URL, SLOWER, content_type=JSON, headers=token(acme, "read")).status_code == 403
    schema = client.get(f"{URL}/schema.json")
    assert schema.json()["title"] == "capstack policy"


def test_a_token_sees_its_own_company_alone(client: Client, acme: Company) -> None:
    put(client, acme, SLOWER)
    other = create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    assert client.get(URL, headers=token(other)).json()["version"] == 1
    assert client.get(f"{URL}?version=2", headers=token(other)).status_code == 404


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cloudpolicy_policyversion SET because = 'x'",
        "DELETE FROM cloudpolicy_policyversion",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE cloudpolicy_policyversion CASCADE",
        "SET LOCAL session_replication_role = replica; UPDATE cloudpolicy_policyversion SET actor = 'x'",
    ],
)
def test_a_version_never_changes(client: Client, acme: Company, statement: str) -> None:
    put(client, acme, SLOWER)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_another_policy_has_the_groups_looked_at_again_even_if_the_wake_up_is_lost(client: Client) -> None:
    company = steered_company(days=80)
    publish_forecast(company_id=company.id, now=NOW)
    stored = latest_forecast(company_id=company.id)
    assert stored is not None
    PlanningCursor.objects.create(company_id=company.id, considered_run=stored.run_id, looked_at=NOW)
    assert unplanned_companies(now=NOW) == ()
    made = create_token(company_id=company.id, name="test", scopes=("policy",), now=timezone.now())
    client.put(URL, SLOWER, content_type=JSON, headers={"Authorization": f"Bearer {made}"})
    assert unplanned_companies(now=timezone.now()) == (company.id,)
