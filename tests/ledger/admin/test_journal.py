"""The list and the page of events."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger.admin import events
from ledger.domain.company import CompanyRef
from ledger.services.record import record
from tests.ledger.admin.conftest import SignIn
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db
LIST = "/admin/ledger/capitalevent/"


@pytest.fixture
def three_hundred(company: CompanyRef) -> None:
    drafts = [
        make_draft(
            external_ref=f"txn-{number}",
            occurred_at=f"2026-0{1 + number % 6}-01T14:00:00Z",
            source="stripe" if number % 3 == 0 else "bank",
            counterparty=f"Vendor {number}",
        )
        for number in range(300)
    ]
    record(company_id=company.id, drafts=drafts, actor="token:feed", now=NOW)


def test_it_lists_the_latest_positions_first(three_hundred: None, sign_in: SignIn) -> None:
    listed = sign_in("finance").get(LIST).context["cl"].result_list
    assert [event.position for event in listed] == list(range(300, 200, -1))
    second = sign_in("finance").get(LIST, {"p": 2}).context["cl"].result_list
    assert second[0].position == 200


def test_it_counts_up_to_its_last_page_and_no_further(
    three_hundred: None, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_COUNTED_EVENTS", 150)
    monkeypatch.setattr(events.BoundedCountPaginator, "counted_events", 150)
    client = sign_in("finance")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(LIST)
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"] and "capitalevent" in query["sql"]]
    assert len(counting) == 1
    assert "LIMIT 151" in counting[0]
    assert "More than 150 events: filter to see the older ones" in answer.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_list(company: CompanyRef, sign_in: SignIn) -> None:
    client = sign_in("finance")

    def queries_with(events_recorded: int) -> int:
        drafts = [make_draft(external_ref=f"{events_recorded}-{number}") for number in range(events_recorded)]
        record(company_id=company.id, drafts=drafts, actor="x", now=NOW)
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    assert queries_with(2) == queries_with(40)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"source": "stripe"}, 100),
        ({"event_type__exact": "income"}, 0),
        ({"q": "Vendor 29"}, 11),
        ({"q": "txn-7"}, 1),
        ({"occurred_at__gte": "2026-03-01 00:00:00+00:00", "occurred_at__lt": "2026-05-01 00:00:00+00:00"}, 100),
        ({"o": "1.2.3", "source": "stripe"}, 100),
    ],
)
def test_it_filters_and_searches(query: dict[str, str], found: int, three_hundred: None, sign_in: SignIn) -> None:
    assert sign_in("finance").get(LIST, query).context["cl"].result_count == found


def test_an_event_shows_everything_that_is_known_of_it(event_key: str, sign_in: SignIn) -> None:
    content = sign_in("finance").get(f"{LIST}{event_key}/change/").content.decode()
    for shown in ("−4.50", "Blue Bottle", "&quot;cups&quot;: 1", "token:feed", "txn-1", "bank-feed", "4.50 USD"):
        assert shown in content
    assert "Save" not in content
    assert reverse("admin:ledger_capitalevent_reverse", args=(event_key,)) in content


@pytest.mark.parametrize("key", ["1", "1-", "x-1", "1-999999", f"{'9' * 30}-1", "1-1-1", "%00"])
def test_a_key_that_names_no_event_is_not_found(key: str, event_key: str, sign_in: SignIn) -> None:
    assert sign_in("finance").get(f"{LIST}{key}/change/").status_code in {302, 404}


def test_no_page_of_the_admin_carries_inline_script_or_style(event_key: str, sign_in: SignIn) -> None:
    client = sign_in("operator")
    paths = ["", "ledger/", "ledger/capitalevent/", f"ledger/capitalevent/{event_key}/change/",
             f"ledger/capitalevent/{event_key}/reverse/", "ledger/capitalevent/adjust/", "ledger/company/add/",
             "ledger/account/", "ledger/membership/add/", "ledger/user/add/", "ledger/apitoken/add/",
             "ledger/balancestatement/add/", "ledger/creditgrantstatement/", "ledger/importfile/"]  # fmt: skip
    for path in paths:
        answer = client.get(f"/admin/{path}")
        content = answer.content.decode()
        assert answer.status_code == 200, path
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "<style" not in content, path
        assert ' style="' not in content, path
        assert " onclick=" not in content, path
        for script in content.split("<script")[1:]:
            head, _, rest = script.partition(">")
            assert "src=" in head or "application/json" in head, (path, head)
            assert "src=" not in head or rest.startswith(("</script>", "\n")), path
