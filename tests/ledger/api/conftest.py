"""A client with a token, and answers that are easy to look at."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.services.tokens import create_token
from tests.ledger.conftest import NOW

EVENTS = "/api/v1/events"
BULK = "/api/v1/events/bulk"
INGEST = "/events/ingest"


class ApiClient:
    """Speaks JSON with a token of its own."""

    def __init__(self, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = Client(headers=headers)

    def post(
        self, path: str, body: Any, *, content_type: str = "application/json", **headers: str
    ) -> HttpResponse:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return self._client.post(path, data, content_type=content_type, headers=headers)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self._client.get(path, query)

    def request(self, method: str, path: str) -> HttpResponse:
        return self._client.generic(method, path)


@pytest.fixture
def client_with(company: CompanyRef) -> Callable[..., ApiClient]:
    def make(*scopes: str) -> ApiClient:
        return ApiClient(create_token(company_id=company.id, name="ci", scopes=scopes, now=NOW))

    return make


@pytest.fixture
def api(client_with: Callable[..., ApiClient]) -> ApiClient:
    """May record and read."""
    return client_with("ingest", "read")


def problem(response: HttpResponse, status: int) -> dict[str, str]:
    """Check that an answer is a problem document of a status; return {field: message}."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return {error["field"]: error["message"] for error in body["errors"]}
