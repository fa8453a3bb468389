"""The ledger's pages over HTTP: who may see and do what, and what they say."""

import html
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.models.company import Membership
from ledger.models.event import CapitalEvent
from ledger.models.matching import TransferMatch
from ledger.models.review import ReviewItem
from ledger.models.seal import Seal
from ledger.models.statement import BalanceStatement
from ledger.models.user import User
from ledger.selectors import journal_page
from ledger.services import daily_flows
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.sealing import seal
from ledger.services.statements import state_balance
from tests.ledger.conftest import NOW, make_draft, open_company

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
PAGES = ["/ledger", "/reconcile", "/reconcile/review"]


def write(company: CompanyRef, *, ref: str, **changes: Any) -> str:
    draft = make_draft(external_ref=ref, **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded"
    return outcome.event_id


def signed_in(client: Client, *companies: CompanyRef, role: str = "founder") -> Client:
    user = User.objects.create_user(f"{role}@example.com", "correct horse battery staple")
    for company in companies:
        Membership.objects.create(company_id=company.id, user=user, role=role)
    client.force_login(user)
    return client


def text(client: Client, path: str, **extra: str) -> str:
    response = client.get(path, **extra)
    assert response.status_code == 200, response.content.decode()[:500]
    return response.content.decode()


@pytest.fixture
def twins(company: CompanyRef) -> ReviewItem:
    write(company, ref="a", source="plaid", amount="42", account="bank", counterparty="Gusto")
    write(company, ref="b", source="csv", amount="42", account="bank", counterparty="Gusto")
    follow_journal(company_id=company.id, now=NOW)
    return ReviewItem.objects.get()


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_door_and_a_person_of_no_company_finds_nothing(
    client: Client, company: CompanyRef, path: str
) -> None:
    assert client.get(path)["Location"].startswith("/sign-in")
    assert client.get(path, **HTMX)["HX-Redirect"] == "/sign-in"
    assert signed_in(client).get(path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_company_has_pages_that_say_what_to_do(client: Client, company: CompanyRef, path: str) -> None:
    assert "Acme" in text(signed_in(client, company, role="finance"), path)


def test_another_companys_event_and_question_do_not_exist(
    client: Client, company: CompanyRef, twins: ReviewItem
) -> None:
    event_id = bytes(CapitalEvent.objects.order_by("position").first().event_id).hex()
    globex = open_company("globex")
    signed_in(client, globex, role="finance")
    assert client.get(f"/ledger/events/{event_id}").status_code == 404
    assert client.get("/ledger?company=acme").status_code == 404
    assert client.post(f"/ledger/events/{event_id}/reverse", {"reason": "x"}).status_code == 404
    assert client.post(f"/reconcile/review/{twins.id}", {"action": "dismiss"}).status_code == 404
    assert "Gusto" not in text(client, "/ledger")


def test_a_founder_reads_and_acts_on_nothing(client: Client, company: CompanyRef, twins: ReviewItem) -> None:
    signed_in(client, company)
    event_id = bytes(CapitalEvent.objects.order_by("position").first().event_id).hex()
    assert '<form method="post" action="/ledger' not in text(client, f"/ledger/events/{event_id}")
    assert 'name="action"' not in text(client, "/reconcile/review")
    for path, data in (
        (f"/ledger/events/{event_id}/reverse", {"reason": "x"}),
        (f"/reconcile/review/{twins.id}", {"action": "dismiss"}),
        ("/reconcile/statements", {"account": "bank", "day": "2026-06-01", "amount": "1"}),
        ("/reconcile/breaks", {}),
        ("/reconcile/matches/1/end", {}),
    ):
        assert client.post(path, data).status_code == 403, path
    twins.refresh_from_db()
    assert twins.state == "open"


def test_the_journal_shows_a_month_with_its_totals_and_finds(client: Client, company: CompanyRef) -> None:
    write(company, ref="1", amount="4.50", counterparty="Blue Bottle", category="coffee")
    write(company, ref="2", amount="1200", event_type="income", counterparty="Globex")
    write(company, ref="3", amount="7", occurred_at="2026-05-01T14:00:00Z", counterparty="Old & <b>")
    client = signed_in(client, company)
    page = text(client, "/ledger")
    assert "June 2026" in page
    assert "+1,200.00" in page
    assert "−4.50" in page
    assert "Old &amp;" not in page
    assert "Old &amp; &lt;b&gt;" in text(client, "/ledger?month=2026-05")
    found = text(client, "/ledger?month=2026-06&q=blue")
    assert "Blue Bottle" in found
    assert "Globex" not in found
    assert "Blue Bottle" in text(client, "/ledger?month=2026-06&q=4.50")
    assert "Totals are kept by" in text(client, "/ledger?month=2026-06&q=4.50")
    assert "Blue Bottle" not in text(client, "/ledger?month=2026-06&q=%25")
    assert "Globex" in text(client, "/ledger?month=2026-06&type=income&account=bank&source=bank-feed&currency=usd")


def test_a_page_waits_for_no_long_sum_and_says_so(
    client: Client, company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_flows, "POSITIONS_PER_STEP", 1)
    for n in range(3):
        write(company, ref=f"{n}")
    client = signed_in(client, company)
    assert "still being added up" in text(client, "/ledger")
    assert "still being added up" in text(client, "/reconcile")
    assert "still being added up" not in text(client, "/ledger")


def test_pages_of_a_month_follow_each_other_without_a_gap(
    client: Client, company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_page, "ROWS_PER_PAGE", 4)
    for n in range(11):
        write(
            company,
            ref=f"{n}",
            source=f"feed-{n % 3}",
            counterparty=f"Shop {n:02}",
            occurred_at=f"2026-06-0{1 + n // 4}T14:00:00Z",
        )
    client = signed_in(client, company)
    for limit in (40, 1):
        monkeypatch.setattr(journal_page, "MAX_SOURCES", limit)
        path, seen = "/ledger", []
        while path:
            page = text(client, path, **HTMX)
            assert "<html" not in page
            seen += [part[:2] for part in page.split(">Shop ")[1:]]
            links = [part.split('"')[0] for part in page.split('href="')[1:] if "before=" in part.split('"')[0]]
            path = links[-1].replace("&amp;", "&") if links else ""
        assert seen == [f"{n:02}" for n in reversed(range(11))]


@pytest.mark.parametrize(
    "query",
    [
        "month=2026-13",
        "month=x",
        "month=9999-12",
        "month=0001-01",
        "before=1",
        "before=9999999999999999999-1",
        "type=gold",
        "q=%00",
        "account=" + "x" * 101,
    ],
)
def test_a_query_that_says_nothing_is_a_bad_request(client: Client, company: CompanyRef, query: str) -> None:
    response = signed_in(client, company).get(f"/ledger?{query}")
    assert response.status_code == 400
    # The page says which part of the address it is.
    assert f"<p>{query.partition('=')[0]}: " in response.content.decode()


def test_an_events_page_tells_its_story_and_takes_it_back(client: Client, company: CompanyRef) -> None:
    event_id = write(company, ref="tx-77", metadata={"memo": "<script>", "n": 1.10}, counterparty="Hooli")
    client = signed_in(client, company, role="finance")
    page = text(client, f"/ledger/events/{event_id}")
    for part in ("Hooli", "tx-77", "&lt;script&gt;", event_id, "1.1", "it is the first"):
        assert part in page
    refused = client.post(f"/ledger/events/{event_id}/reverse", {"reason": " "})
    assert refused.status_code == 422
    assert "characters" in refused.content.decode()
    done = client.post(f"/ledger/events/{event_id}/reverse", {"reason": "paid twice"}, follow=True)
    assert "This takes back" in done.content.decode()
    assert "Taken back" in text(client, f"/ledger/events/{event_id}")
    assert CapitalEvent.objects.get(reverses__isnull=False).actor == "page:finance@example.com"
    for missing in ("0" * 64, "abc", "z" * 64):
        assert client.get(f"/ledger/events/{missing}").status_code == 404


def test_an_events_page_shows_its_place_in_the_chain_once_it_is_sealed(
    client: Client, company: CompanyRef
) -> None:
    signed_in(client, company)
    write(company, ref="first")
    event_id = write(company, ref="second")
    assert "not yet: the sealer follows" in text(client, f"/ledger/events/{event_id}")
    seal(company_id=company.id, now=NOW)
    block = Seal.objects.get()
    page = text(client, f"/ledger/events/{event_id}")
    assert "with events 1 to 2 of the chain" in page
    assert bytes(block.digests)[32:].hex() in page
    assert bytes(block.head).hex() in page


def test_a_broken_balance_is_named_explained_and_then_accepted(client: Client, company: CompanyRef) -> None:
    today = date.today()
    start = today - timedelta(days=20)
    for n in range(20):
        write(company, ref=f"{n}", amount="10", occurred_at=f"{start + timedelta(days=n)}T15:00:00Z")
    client = signed_in(client, company, role="finance")
    for day, amount in ((0, "1,000.00"), (5, "950"), (10, "893.5")):
        data = {"account": "bank", "day": f"{start + timedelta(days=day)}", "amount": amount}
        assert client.post("/reconcile/statements", data).status_code == 302
    page = text(client, "/reconcile")
    assert "typed in states 893.50" in page
    assert "6.50\N{NARROW NO-BREAK SPACE}USD too much in the ledger" in page
    step = BalanceStatement.objects.get(amount=Decimal("893.5"))
    data = {
        "account": f"{step.account_id}",
        "currency": "USD",
        "day": f"{step.day}",
        "step": "-6.500000",
        "reason": "a fee without receipt",
    }
    assert client.post("/reconcile/breaks", {**data, "reason": ""}).status_code == 422
    moved = client.post("/reconcile/breaks", {**data, "step": "-7"}, follow=True).content.decode()
    assert "moved meanwhile" in moved
    done = client.post("/reconcile/breaks", data, follow=True).content.decode()
    assert "typed in states" not in done
    assert "explained" in done
    assert client.post("/reconcile/breaks", data).status_code == 404


def test_balances_are_told_for_an_instant_on_both_clocks(client: Client, company: CompanyRef) -> None:
    write(company, ref="1", amount="1234.5", event_type="income")
    client = signed_in(client, company)
    assert "1,234.50" in text(client, "/reconcile?at=2026-06-01T10:00:00")
    before = text(client, "/reconcile?at=2026-06-01T09:59:59")
    assert "Cash in USD" in before
    assert before.count("1,234.50") == 1
    assert "Nothing was known then" in text(client, "/reconcile?at=2026-06-02T10:00&known=2026-06-15T07:59:59")
    assert "1,234.50" in text(client, "/reconcile?at=2026-06-02T13:59%2B23:59")
    for query in ("at=soon", "at=2026-13-01T00:00", "at=0001-01-01T00:00", "at=2026-06-01T10:00&known=x"):
        assert client.get(f"/reconcile?{query}").status_code == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "nowhere"),
        ("account", "bank\0"),
        ("day", "soon"),
        ("day", "2999-01-01"),
        ("amount", "much"),
        ("amount", "NaN"),
        ("amount", "1.234,56"),
        ("amount", "12,34"),
    ],
)
def test_a_balance_that_cannot_be_is_refused_beside_its_field(
    client: Client, company: CompanyRef, field: str, value: str
) -> None:
    client = signed_in(client, company, role="finance")
    data = {"account": "bank", "day": "2026-01-31", "amount": "5", field: value}
    response = client.post("/reconcile/statements", data)
    assert response.status_code == 422
    assert 'id="state-error"' in response.content.decode()
    assert not BalanceStatement.objects.exists()


def test_a_form_acts_on_the_company_it_was_shown_for(client: Client, company: CompanyRef) -> None:
    globex = open_company("globex")
    client = signed_in(client, company, globex, role="finance")
    actions = [
        re.search(f'action="([^"]*{path}[^"]*)"', text(client, f"{page}?company={company.slug}"))
        for page, path in (("/reconcile", "/reconcile/statements"), ("/imports", "/imports"))
    ]
    # In another tab the person goes to the other company meanwhile.
    text(client, "/ledger?company=globex")
    state, imports = [html.unescape(action[1]) for action in actions if action]
    assert client.post(state, {"account": "bank", "day": "2026-01-31", "amount": "5"}).status_code == 302
    assert set(BalanceStatement.objects.values_list("company_id", flat=True)) == {company.id}
    text(client, "/ledger?company=globex")
    assert f"A file for {company.name}" in client.post(imports, {"format": "auto"}).content.decode()


def test_every_form_of_an_event_and_of_the_queue_names_its_company(
    client: Client, company: CompanyRef, twins: ReviewItem
) -> None:
    client = signed_in(client, company, open_company("globex"), role="finance")
    event_id = write(company, ref="c")
    text(client, f"/ledger?company={company.slug}")
    for page in (f"/ledger/events/{event_id}", f"/ledger/events/{event_id}/split", "/reconcile/review"):
        main = text(client, page).partition("<main")[2]
        actions = re.findall('method="post" action="([^"]*)"', main)
        assert actions, page
        assert all(f"?company={company.slug}" in action for action in actions), (page, actions)


def test_what_a_page_asks_for_is_about_its_own_company(client: Client, company: CompanyRef) -> None:
    write(company, ref="1", counterparty="Hooli")
    client = signed_in(client, company, open_company("globex"))
    own = f"""hx-headers:inherited='{{"Capstack-Company": "{company.slug}"}}'"""
    assert own in text(client, f"/ledger?company={company.slug}")
    # In another tab the person goes to the other company meanwhile.
    text(client, "/ledger?company=globex")
    asked = {**HTMX, "HTTP_CAPSTACK_COMPANY": company.slug}
    assert "Hooli" in text(client, "/ledger?month=2026-06", **asked) + text(client, "/ledger?q=Hooli", **asked)
    assert "globex" in text(client, "/ledger"), "a fragment of one tab moved the other"
    assert client.get("/ledger", headers={"Capstack-Company": "umbrella"}).status_code == 404


def test_a_link_to_an_event_leads_to_its_company(client: Client, company: CompanyRef) -> None:
    globex = open_company("globex")
    event_id = write(company, ref="1")
    client = signed_in(client, company, globex)
    text(client, "/ledger?company=globex")
    response = client.get(f"/ledger/events/{event_id}")
    assert response.status_code == 302
    assert response.headers["Location"] == f"/ledger/events/{event_id}?company={company.slug}"
    assert company.name in text(client, response.headers["Location"])
    Membership.objects.filter(company_id=company.id).delete()
    assert client.get(f"/ledger/events/{event_id}").status_code == 404


def test_a_name_written_from_right_to_left_turns_no_amount_around(client: Client, company: CompanyRef) -> None:
    write(company, ref="1", counterparty="\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe")
    event_id = write(company, ref="2", counterparty="Hooli")
    client = signed_in(client, company)
    for path in ("/ledger?month=2026-06", f"/ledger/events/{event_id}"):
        shown = text(client, path)
        assert shown.count("\N{RIGHT-TO-LEFT OVERRIDE}") == shown.count("<bdi>\N{RIGHT-TO-LEFT OVERRIDE}") > 0


def test_a_question_is_answered_once(client: Client, company: CompanyRef, twins: ReviewItem) -> None:
    client = signed_in(client, company, role="finance")
    assert "Is this the same money twice?" in text(client, "/reconcile/review")
    refused = client.post(f"/reconcile/review/{twins.id}", {"action": "explain", "reason": ""})
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    data = {"action": "accept", "position": f"{twins.positions[0]}", "reason": ""}
    fragment = client.post(f"/reconcile/review/{twins.id}", data, **HTMX).content.decode()
    assert "<html" not in fragment
    assert "Nothing waits" in fragment
    assert CapitalEvent.objects.get(reverses__isnull=False).source == "plaid"
    again = client.post(f"/reconcile/review/{twins.id}", data)
    assert again.status_code == 422
    assert "settled meanwhile" in again.content.decode()
    for bad in ({"action": "burn"}, {"action": "accept", "position": "x"}):
        assert client.post(f"/reconcile/review/{twins.id}", bad).status_code in {400, 422}
    assert client.get("/reconcile/review?state=x").status_code == 400
    assert client.get("/reconcile/review?kind=x").status_code == 400
    assert client.get("/reconcile/review?before=x").status_code == 400


def test_a_lone_leg_is_matched_by_hand_and_taken_apart(client: Client, company: CompanyRef) -> None:
    write(company, ref="o", event_type="transfer", direction="out", amount="100", account="stripe")
    write(company, ref="i", event_type="transfer", direction="in", amount="98", account="bank")
    follow_journal(company_id=company.id, now=NOW)
    client = signed_in(client, company, role="finance")
    assert "Where is the other side?" in text(client, "/reconcile/review?kind=leg")
    item = ReviewItem.objects.filter(kind="leg").order_by("id").first()
    (other,) = {1, 2} - set(item.positions)
    answer = client.post(f"/reconcile/review/{item.id}", {"action": "match", "position": f"{other}"}, follow=True)
    assert "one transfer" in answer.content.decode()
    match = TransferMatch.objects.get()
    assert match.origin == "page:finance@example.com"
    assert not ReviewItem.objects.filter(state="open").exists()
    assert (
        "no longer one transfer"
        in client.post(f"/reconcile/matches/{match.id}/end", {"reason": "no"}, follow=True).content.decode()
    )


def test_no_query_hides_in_a_loop(client: Client, company: CompanyRef, django_assert_max_num_queries: Any) -> None:
    for n in range(30):
        write(company, ref=f"{n}", counterparty=f"Shop {n}")
        write(company, ref=f"t{n}", event_type="transfer", direction="out", amount=f"{n + 1}", account="stripe")
    follow_journal(company_id=company.id, now=NOW)
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(1),
        day=date(2026, 6, 1),
        origin="t",
        actor="t",
        now=NOW,
    )
    client = signed_in(client, company, role="finance")
    for path in PAGES:
        with django_assert_max_num_queries(24):
            assert client.get(path).status_code == 200
