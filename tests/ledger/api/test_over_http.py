"""What only a real server shows: bodies in chunks, bodies without end, connections that break."""

import http.client
import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from ledger.models.event import CapitalEvent
from ledger.selectors.journal import journal_position
from ledger.services.tokens import create_token
from tests.conftest import LiveApp
from tests.ledger.api.conftest import BULK, EVENTS
from tests.ledger.api.test_bulk import event
from tests.ledger.conftest import NOW, open_company


@pytest.fixture
def company_and_token(live_app: LiveApp) -> tuple[int, str]:
    company = open_company()
    return company.id, create_token(company_id=company.id, name="ci", scopes=["ingest", "read"], now=NOW)


def send(
    app: LiveApp, path: str, body: bytes | Iterator[bytes], token: str, content_type: str
) -> tuple[int, dict]:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
    chunked = not isinstance(body, bytes)
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    connection.request("POST", path, body=body, headers=headers, encode_chunked=chunked)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def pieces(count: int) -> Iterator[bytes]:
    for number in range(count):
        line = json.dumps(event(f"{number}")).encode() + b"\n"
        yield line[:50]
        yield line[50:]


def test_a_chunked_body_is_read_to_its_end(live_app: LiveApp, company_and_token: tuple[int, str]) -> None:
    company_id, token = company_and_token
    status, report = send(live_app, BULK, pieces(12_000), token, "application/x-ndjson")
    assert (status, report["read"], report["recorded"]) == (200, 12_000, 12_000)
    status, report = send(live_app, BULK, pieces(12_000), token, "application/x-ndjson")
    assert (status, report["duplicates"]) == (200, 12_000)
    assert journal_position(company_id=company_id) == 12_000
    in_order = CapitalEvent.objects.order_by("position").values_list("position", "external_ref")
    assert list(in_order) == [(number + 1, f"{number}") for number in range(12_000)]


def test_what_came_before_a_broken_connection_stays_and_the_rest_follows(
    live_app: LiveApp, company_and_token: tuple[int, str]
) -> None:
    company_id, token = company_and_token

    def broken() -> Iterator[bytes]:
        yield from pieces(12_000)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        send(live_app, BULK, broken(), token, "application/x-ndjson")
    deadline = time.monotonic() + 30
    while (kept := journal_position(company_id=company_id)) < 10_000 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert kept == 10_000, "two transactions of 5,000 lines"
    status, report = send(live_app, BULK, pieces(12_000), token, "application/x-ndjson")
    assert (status, report["duplicates"], report["recorded"]) == (200, 10_000, 2_000)


def test_a_single_event_and_an_array_may_be_chunked_too(
    live_app: LiveApp, company_and_token: tuple[int, str]
) -> None:
    _, token = company_and_token
    one = json.dumps(event("1")).encode()
    assert send(live_app, EVENTS, iter([one[:20], one[20:]]), token, "application/json")[0] == 201
    many = json.dumps([event("1"), event("2")]).encode()
    status, report = send(live_app, BULK, iter([many[:20], many[20:]]), token, "application/json")
    assert (status, report["recorded"], report["duplicates"]) == (200, 1, 1)


def test_a_chunked_body_has_the_same_limit(live_app: LiveApp, company_and_token: tuple[int, str]) -> None:
    _, token = company_and_token
    status, answer = send(live_app, EVENTS, iter([b" " * 40_000] * 2), token, "application/json")
    assert (status, answer["status"]) == (413, 413)
