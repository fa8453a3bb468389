"""What only a real server shows: bodies in chunks, bodies without end, connections that break."""

import http.client
import json
import socket
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
    app: LiveApp, path: str, body: bytes | Iterator[bytes], token: str, content_type: str, **more: str
) -> tuple[int, dict]:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type, **more}
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


def break_off(app: LiveApp, token: str, head: str, body: bytes) -> None:
    """Send the beginning of a bulk request, then close the connection."""
    address = urlsplit(app.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        lines = (
            f"POST {BULK} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/x-ndjson\r\nIdempotency-Key: k\r\n{head}\r\n\r\n"
        )
        connection.sendall(lines.encode() + body)


def reached(company_id: int, position: int) -> bool:
    deadline = time.monotonic() + 30
    while journal_position(company_id=company_id) < position and time.monotonic() < deadline:
        time.sleep(0.05)
    return journal_position(company_id=company_id) == position


def test_a_chunked_stream_that_broke_off_is_taken_whole_when_it_comes_again(
    live_app: LiveApp, company_and_token: tuple[int, str]
) -> None:
    company_id, token = company_and_token
    whole = b"".join(pieces(6000))
    begun = whole[: whole.index(b"\n", len(whole) // 2) + 20]
    break_off(live_app, token, "Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(begun), begun))
    assert reached(company_id, begun.count(b"\n"))

    def send_whole(body: bytes) -> tuple[int, dict]:
        return send(live_app, BULK, iter([body]), token, "application/x-ndjson", **{"Idempotency-Key": "k"})

    deadline = time.monotonic() + 30
    while (answer := send_whole(whole))[0] == 409 and time.monotonic() < deadline:
        time.sleep(0.05)
    status, report = answer
    assert (status, report["read"], report["duplicates"]) == (200, 6000, begun.count(b"\n"))
    assert journal_position(company_id=company_id) == 6000
    assert send_whole(whole) == answer
    assert send_whole(whole[:-5])[0] == 422
    assert send_whole(b"x" + whole)[0] == 422


def test_a_body_that_falls_short_of_its_length_keeps_no_answer(
    live_app: LiveApp, company_and_token: tuple[int, str]
) -> None:
    company_id, token = company_and_token
    whole = b"".join(pieces(6000))
    break_off(live_app, token, f"Content-Length: {len(whole)}", whole[:-10])
    assert reached(company_id, 1000), "the transaction that was full"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status, report = send(live_app, BULK, whole, token, "application/x-ndjson", **{"Idempotency-Key": "k"})
        if status != 409:
            break
        time.sleep(0.05)
    assert (status, report["duplicates"], report["recorded"]) == (200, 1000, 5000)


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
