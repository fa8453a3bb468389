"""`/api/v1/events/bulk`: many at once, each judged by itself."""

import json
from typing import Any

import pytest

from ledger.api import bulk
from ledger.api.bulk_items import MAX_LINE_BYTES, line_items
from ledger.domain.company import CompanyRef
from ledger.selectors.journal import journal_position
from tests.ledger.api.conftest import BULK, ApiClient, problem

pytestmark = pytest.mark.django_db

NDJSON = "application/x-ndjson"


def event(reference: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": "card",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-06-01T10:00:00Z",
        "external_ref": reference,
        **changes,
    }


def lines(*items: Any) -> str:
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in items) + "\n"


def answer(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    return json.loads(response.content)


MIXED = [event("1"), event("2", amount="0"), event("1"), event("1", amount="9"), event("3", account="x"), "text"]
REPORT = {
    "read": 6,
    "recorded": 1,
    "duplicates": 1,
    "conflicts": 1,
    "rejected": [
        {"index": 1, "field": "amount", "message": "must be greater than zero"},
        {"index": 4, "field": "account", "message": "is not an account of this company; it has bank"},
        {"index": 5, "field": "", "message": "must be a JSON object"},
    ],
}


def test_a_bad_item_does_not_sink_the_rest(api: ApiClient) -> None:
    assert answer(api.post(BULK, MIXED)) == REPORT


def test_lines_are_read_as_an_array_is(api: ApiClient) -> None:
    body = lines(*MIXED[:5], '"text"')
    assert answer(api.post(BULK, body, content_type=NDJSON)) == REPORT


def test_every_item_s_result_is_there_on_request(api: ApiClient) -> None:
    report = answer(api.post(f"{BULK}?results=all", MIXED))
    assert [result["status"] for result in report["results"]] == [
        "recorded", "rejected", "duplicate", "conflict", "rejected", "rejected"
    ]  # fmt: skip
    assert [result["index"] for result in report["results"]] == list(range(6))
    assert report["results"][0]["event_id"] == report["results"][2]["event_id"]
    assert report["results"][3]["errors"][0]["field"] == "amount"
    assert report["results"][1]["event_id"] is None


def test_it_refuses_an_unknown_wish(api: ApiClient) -> None:
    assert set(problem(api.post(f"{BULK}?results=some", MIXED), 422)) == {"results"}


def test_a_line_that_is_no_json_is_reported_with_its_line(api: ApiClient) -> None:
    body = lines(event("1"), "", "{broken", event("2"))
    report = answer(api.post(BULK, body, content_type=NDJSON))
    assert (report["read"], report["recorded"]) == (3, 2)
    assert [(error["index"], "not JSON" in error["message"]) for error in report["rejected"]] == [(2, True)]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_marks_do_not_matter(api: ApiClient, end: str, mark: str) -> None:
    body = mark + json.dumps(event("1")) + (end or "\n") + json.dumps(event("2")) + end
    assert answer(api.post(BULK, body.encode(), content_type=NDJSON))["recorded"] == 2


def test_lines_named_json_are_read_too(api: ApiClient) -> None:
    assert answer(api.post(BULK, lines(event("1"), event("2"))))["recorded"] == 2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("", "application/json"),
        ("[]", "application/json"),
        ('[{"a": 1', "application/json"),
        ('"text"', "application/json"),
        ("7", "application/json"),
        ("", NDJSON),
        ("\n\n", NDJSON),
        ("no json\nnone at all\n", NDJSON),
        ("\x89PNG\r\n", NDJSON),
    ],
)
def test_what_is_no_json_at_all_is_refused_whole(
    api: ApiClient, company: CompanyRef, body: str, content_type: str
) -> None:
    assert set(problem(api.post(BULK, body, content_type=content_type), 400)) == {"body"}
    assert journal_position(company_id=company.id) == 0


def test_it_works_in_batches_and_counts_over_all(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ITEMS_PER_TRANSACTION", 4)
    items = [event(f"{n}", amount="0" if n % 5 == 0 else "1") for n in range(22)]
    report = answer(api.post(BULK, lines(*items, items[1]), content_type=NDJSON))
    assert (report["read"], report["recorded"], report["duplicates"]) == (23, 17, 1)
    assert [error["index"] for error in report["rejected"]] == [0, 5, 10, 15, 20]


def test_it_refuses_another_type(api: ApiClient) -> None:
    problem(api.post(BULK, "a,b", content_type="text/csv"), 415)


def test_lines_arrive_in_any_pieces() -> None:
    body = lines(event("1"), event("é☕"), event("3")).encode()
    for size in (1, 2, 7, 1000):
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        assert [item.value["external_ref"] for item in line_items(pieces)] == ["1", "é☕", "3"]


def test_a_line_without_end_is_dropped_as_it_comes() -> None:
    piece = b"x" * 100_000
    pieces = [b'{"a":1}\n', *[piece] * 30, b"\n" + b'{"b":2}\n', b'{"c":3}']
    first, too_long, second, last = line_items(pieces)
    assert (first.value, second.value, last.value) == ({"a": 1}, {"b": 2}, {"c": 3})
    assert too_long.problem == f"is longer than {MAX_LINE_BYTES // 1024} KB"
    assert [item.index for item in (first, too_long, second, last)] == [0, 1, 2, 3]
