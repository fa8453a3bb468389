"""`/api/v1/events/bulk`: many at once, each judged by itself."""

import json
from typing import Any

import pytest
from django.db import OperationalError

from ledger.api import bulk, bulk_report, events
from ledger.api.bulk_items import line_batches
from ledger.domain.company import CompanyRef
from ledger.selectors.journal import journal_position
from tests.ledger.api.conftest import BULK, EVENTS, ApiClient, problem

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


def batches(pieces: list[bytes], *, most_lines: int = 100, most_bytes: int = 1 << 20) -> list[list]:
    taken = list(line_batches(pieces, most_lines=most_lines, most_bytes=most_bytes))
    assert [batch.is_last for batch in taken] == [False] * (len(taken) - 1) + [True]
    return [batch.lines for batch in taken]


def test_lines_arrive_in_any_pieces() -> None:
    body = lines(event("1"), event("é☕"), event("3")).encode()
    for size in (1, 2, 7, 1000):
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        (batch,) = batches(pieces)
        assert [json.loads(line)["external_ref"] for _, line in batch] == ["1", "é☕", "3"]


def test_a_line_without_end_is_dropped_as_it_comes() -> None:
    piece = b"x" * 100_000
    pieces = [b'{"a":1}\n', *[piece] * 30, b"\n" + b'{"b":2}\n', b'{"c":3}']
    assert batches(pieces) == [[(0, b'{"a":1}'), (1, None), (2, b'{"b":2}'), (3, b'{"c":3}')]]


def test_a_transaction_takes_some_lines_or_some_bytes() -> None:
    assert [len(batch) for batch in batches([b"1\n2\n\n3\n4\n5"], most_lines=2)] == [2, 2, 1]
    assert [len(batch) for batch in batches([b"11111\n2\n3\n4"], most_bytes=5)] == [1, 3]


def test_a_line_that_is_too_long_is_reported(api: ApiClient) -> None:
    report = answer(api.post(BULK, lines(event("1"), "x" * 300_000, event("2")), content_type=NDJSON))
    assert report["recorded"] == 2
    assert report["rejected"] == [{"index": 1, "field": "", "message": "is longer than 256 KB"}]


def test_the_list_of_rejected_items_is_cut_and_says_so(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_report, "MAX_REJECTED", 3)
    monkeypatch.setattr(bulk, "ITEMS_PER_TRANSACTION", 2)
    items = [event(f"{n}", amount="0") for n in range(5)]
    report = answer(api.post(BULK, lines(*items, event("9")), content_type=NDJSON))
    assert (report["read"], report["recorded"], report["rejected_omitted"]) == (6, 1, 2)
    assert [error["index"] for error in report["rejected"]] == [0, 1, 2]


def test_more_results_than_an_answer_holds_are_refused(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_report, "MAX_RESULTS", 2)
    items = [event(f"{n}") for n in range(3)]
    problem(api.post(f"{BULK}?results=all", lines(*items), content_type=NDJSON), 413)
    assert answer(api.post(BULK, lines(*items), content_type=NDJSON))["duplicates"] == 3


def test_repeats_between_new_events_are_told_from_them(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """All new, then mixed, then all new again: the fast way is left and found again."""
    monkeypatch.setattr(bulk, "ITEMS_PER_TRANSACTION", 2)
    references = ["1", "2", "2", "3", "1", "4", "5", "6", "7", "8", "8"]
    body = lines(*map(event, references), event("1", amount="9"))
    report = answer(api.post(f"{BULK}?results=all", body, content_type=NDJSON))
    statuses = [result["status"] for result in report["results"]]
    seen: set[str] = set()
    expected = []
    for reference in references:
        expected.append("duplicate" if reference in seen else "recorded")
        seen.add(reference)
    assert statuses == [*expected, "conflict"]
    listed = answer(api.get(f"{EVENTS}?limit=100"))["events"]
    assert [(e["position"], e["external_ref"]) for e in listed] == [(n, f"{n}") for n in range(1, 9)]


# --- Idempotency-Key --------------------------------------------------------------------------------------

KEY = {"Idempotency-Key": "k1"}


def test_a_key_replays_the_answer_to_a_stream(api: ApiClient) -> None:
    body = lines(event("1"), event("2", amount="0"))
    first = api.post(BULK, body, content_type=NDJSON, **KEY)
    second = api.post(BULK, body, content_type=NDJSON, **KEY)
    assert (second.status_code, second.content) == (200, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert answer(api.post(BULK, body, content_type=NDJSON))["duplicates"] == 1


def test_a_key_with_another_stream_is_422_and_records_nothing(api: ApiClient, company: CompanyRef) -> None:
    api.post(BULK, lines(event("1")), content_type=NDJSON, **KEY)
    response = api.post(BULK, lines(event("2")), content_type=NDJSON, **KEY)
    assert set(problem(response, 422)) == {"Idempotency-Key"}
    assert journal_position(company_id=company.id) == 1


def test_a_refused_stream_is_replayed_as_refused(api: ApiClient) -> None:
    first, second = (api.post(BULK, "no json", content_type=NDJSON, **KEY) for _ in range(2))
    assert problem(first, 400) == problem(second, 400)
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_key_whose_stream_is_still_read_is_409(
    api: ApiClient, company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = lines(event("1"))
    during: list[Any] = []
    honest = events.record_lines

    def asked_meanwhile(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(events, "record_lines", honest)
        during.extend(api.post(BULK, text, content_type=NDJSON, **KEY) for text in (body, lines(event("2"))))
        during.append(api.post(BULK, [event("3")], **KEY))
        return honest(*args, **kwargs)

    monkeypatch.setattr(events, "record_lines", asked_meanwhile)
    assert api.post(BULK, body, content_type=NDJSON, **KEY).status_code == 200
    for response in during:
        problem(response, 409)
    assert journal_position(company_id=company.id) == 1


def test_a_failure_gives_the_key_back(
    api: ApiClient, company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise failure

    failure: Exception = RuntimeError("a bug of ours")
    with monkeypatch.context() as broken:
        broken.setattr(events, "record_lines", fail)
        problem(api.post(BULK, lines(event("1")), content_type=NDJSON, **KEY), 500)
        failure = OperationalError("terminating connection due to administrator command")
        problem(api.post(BULK, lines(event("1")), content_type=NDJSON, **KEY), 503)
    assert answer(api.post(BULK, lines(event("1")), content_type=NDJSON, **KEY))["recorded"] == 1
