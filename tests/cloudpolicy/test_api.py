"""`/api/v1/policy/plans` as a machine sees it."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from capstack.demo.cloud import seed_groups
from cloudpolicy.services.planning import plan_scaling
from ledger.domain.company import CompanyRef
from ledger.services.tokens import create_token
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steer, steered_company

pytestmark = pytest.mark.django_db
URL = "/api/v1/policy/plans"


def headers(company: CompanyRef, *scopes: str) -> dict[str, str]:
    token = create_token(company_id=company.id, name="test", scopes=scopes, now=timezone.now())
    return {"Authorization": f"Bearer {token}"}


def problem(response: Any) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["status"] == response.status_code
    return content


def test_a_new_plan_is_201_and_the_same_one_again_200(client: Client, aws: RecordingProxy) -> None:
    seed_groups(endpoint=aws.url, region="us-east-1")
    aws.actions.clear()
    token = headers(steered_company(days=80), "policy")
    made = client.post(URL, content_type="application/json", headers=token)
    assert made.status_code == 201, made.content
    again = client.post(URL, content_type="application/json", headers=token)
    assert again.status_code == 200
    assert again.json()["plan_id"] == made.json()["plan_id"]
    assert not aws.mutating
    listed = client.get(URL, headers=token).json()
    assert [plan["plan_id"] for plan in listed["plans"]] == [made.json()["plan_id"]]
    assert listed["plans"][0]["calls"] == made.json()["calls"]
    assert listed["next_before"] is None


def test_plans_are_paged_newest_first(client: Client, aws: RecordingProxy) -> None:
    company = steered_company(days=30)
    for days in (40, 80, 200):
        steer(company, days=days)
        plan_scaling(company_id=company.id, now=NOW)
    token = headers(company, "policy")
    first = client.get(f"{URL}?limit=2", headers=token).json()
    second = client.get(f"{URL}?limit=2&before={first['next_before']}", headers=token).json()
    ids = [plan["plan_id"] for page in (first, second) for plan in page["plans"]]
    assert len(ids) == 3
    assert ids == sorted(ids, reverse=True)


def test_a_token_sees_the_plans_of_its_own_company_alone(client: Client, aws: RecordingProxy) -> None:
    acme, other = steered_company(days=30), steered_company(days=30, slug="other")
    plan_scaling(company_id=acme.id, now=NOW)
    assert client.get(URL, headers=headers(other, "policy")).json()["plans"] == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_scope_policy_is_needed(client: Client, method: str) -> None:
    company = steered_company(days=30)
    assert problem(getattr(client, method)(URL))["status"] == 401
    assert problem(getattr(client, method)(URL, headers=headers(company, "read", "ingest")))["status"] == 403


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "before=0"])
def test_a_bad_page_is_refused_by_field(client: Client, query: str) -> None:
    content = problem(client.get(f"{URL}?{query}", headers=headers(steered_company(days=30), "policy")))
    assert content["status"] == 422
    assert content["errors"][0]["field"].endswith(query.split("=")[0])


def test_a_body_is_refused(client: Client) -> None:
    token = headers(steered_company(days=30), "policy")
    answer = client.post(URL, data={"p5_days": 400}, content_type="application/json", headers=token)
    assert problem(answer)["status"] == 422


def test_a_cloud_that_does_not_answer_is_503(client: Client, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    content = problem(
        client.post(URL, content_type="application/json", headers=headers(steered_company(days=30), "policy"))
    )
    assert content["status"] == 503
    assert "AWS cannot be reached" in content["detail"]
