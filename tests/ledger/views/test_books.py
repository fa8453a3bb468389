"""The page of the books over HTTP: its figures, its days, its refusals, and whose they are."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger.domain.company import CompanyRef
from ledger.models.chain_verdict import ChainVerdict
from ledger.services import daily_flows
from ledger.services.statements import state_credit_grant
from tests.ledger.conftest import NOW, open_company
from tests.ledger.views.test_ledger_pages import HTMX, signed_in, text, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let today be 15 June 2026 for whoever asks the clock."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def words(page: str) -> str:
    """The page as somebody reads it: without markup, every kind of space a plain one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def acme(company: CompanyRef) -> CompanyRef:
    write(company, ref="1", event_type="income", amount="5000", account="bank", counterparty="Initech")
    contract = {"contract": "c", "term_months": 12, "deferred": True}
    write(
        company,
        ref="2",
        event_type="income",
        amount="3650",
        account="bank",
        counterparty="Globex",
        metadata=contract,
    )
    write(company, ref="3", amount="80", account="card", counterparty="AWS", category="cloud")
    write(company, ref="4", amount="1200", event_type="credit", account="cloud-aws", counterparty="AWS")
    write(company, ref="5", event_type="income", amount="400", currency="EUR", account="bank-eur")
    write(
        company,
        ref="6",
        amount="300",
        category="payroll_tax",
        occurred_at="2026-06-19T16:00:00Z",
        metadata={"line": "employee_taxes", "check_date": "2026-06-12"},
    )
    state_credit_grant(
        company_id=company.id,
        provider="AWS",
        remaining=Decimal(5000),
        expires_on=date(2026, 9, 30),
        day=date(2026, 5, 1),
        origin="plan",
        actor="t",
        now=NOW,
    )
    return company


def test_it_leads_from_cash_to_free_cash_item_by_item(client: Client, acme: CompanyRef) -> None:
    page = words(text(signed_in(client, acme), "/books"))
    assert "8,650.00 USD" in page
    assert (
        "Withheld payroll tax taken from pay and not passed on yet, as far as payrolls announced it −300.00"
        in page
    )
    assert "Unearned revenue paid for time that is still to come −3,500.00 USD" in page
    assert "400.00 EUR" in page
    assert "no opening balance stated" in page
    assert "Globex 3,500.00 USD of 3,650.00 USD for 1 Jun 2026" in page
    assert "AWS 3,800.00 USD of 5,000.00 USD stated; can be used until 30 Sep 2026" in page
    assert "Jun 2026 AWS 0.00 USD 1,200.00 USD 80.00 USD" in page
    assert "chain not verified yet" in page


def test_its_fragment_is_the_same_without_the_frame(client: Client, acme: CompanyRef) -> None:
    signed_in(client, acme)
    fragment = text(client, "/books", **HTMX)
    assert fragment.lstrip().startswith('<div id="books"')
    assert "<title>Books · Acme · capstack</title>" in fragment
    assert "3,500.00" in fragment
    assert "HX-Request" in client.get("/books")["Vary"]


def test_an_earlier_day_tells_what_was_then(client: Client, acme: CompanyRef) -> None:
    signed_in(client, acme)
    assert "Free cash 0.00 USD" in words(text(client, "/books?day=2026-05-31"))
    of_june = words(text(client, "/books?day=2026-06-01"))
    assert "Unearned revenue paid for time that is still to come −3,640.00 USD" in of_june
    # The payroll of 12 June had not been paid then.
    assert "as far as payrolls announced it 0.00 USD" in of_june


def test_accounts_are_told_as_known_with_what_came_since(client: Client, acme: CompanyRef) -> None:
    signed_in(client, acme)
    assert "Nothing of it was known at the end of 14 Jun 2026" in words(text(client, "/books?known=2026-06-14"))
    page = words(text(client, "/books?day=2026-06-10&known=2026-06-15"))
    assert "Accounts are told as they were known at the end of 15 Jun 2026" in page
    assert "Recorded since" in page


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("day=2026-06-16", "The day must lie from 1999-01-01 to today, 2026-06-15, not 2026-06-16."),
        ("day=1998-01-01", "The day must lie from 1999-01-01"),
        ("day=soon", "The day must be a day such as 2026-03-31, not soon."),
        ("known=2026-02-30", "The day must be a day such as 2026-03-31, not 2026-02-30."),
        ("known=%00", "The day must be a day such as 2026-03-31"),
        ("day=" + "9" * 5000, "The day must be a day such as 2026-03-31"),
    ],
)
def test_a_day_that_cannot_be_is_named_at_its_field(
    client: Client, acme: CompanyRef, query: str, problem: str
) -> None:
    signed_in(client, acme)
    response = client.get(f"/books?{query}")
    assert response.status_code == 422
    field = query.partition("=")[0]
    assert f'id="{field}-error"' in response.content.decode()
    assert problem in words(response.content.decode())
    # htmx swaps no refusal in, so the fragment is an answer.
    assert client.get(f"/books?{query}", **HTMX).status_code == 200


def test_a_broken_chain_stands_at_the_top(client: Client, acme: CompanyRef) -> None:
    kept = {
        "company_id": acme.id,
        "verified_at": NOW,
        "took_seconds": 1,
        "position": 6,
        "sealed": 6,
        "exported": 0,
    }
    verdict = ChainVerdict.objects.create(**kept)
    signed_in(client, acme)
    assert "chain verified 08:00 EDT, 6 events" in words(text(client, "/books"))
    verdict.broken_at, verdict.kind, verdict.detail = 4, "edited", "the row at 4 is not the one that was recorded"
    verdict.save()
    assert "chain broken, edited at position 4" in words(text(client, "/books"))


def test_a_page_waits_for_no_long_sum_and_says_so(
    client: Client, acme: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_flows, "POSITIONS_PER_STEP", 1)
    signed_in(client, acme)
    assert "still being added up" in text(client, "/books")
    assert "still being added up" in text(client, "/ledger/warnings")


def test_how_many_queries_it_needs_does_not_grow_with_what_it_shows(client: Client, company: CompanyRef) -> None:
    signed_in(client, company)
    write(company, ref="0")
    text(client, "/books")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            text(client, "/books")
        return len(asked)

    before = queries()
    for number in range(12):
        write(
            company,
            ref=f"{number + 1}",
            event_type="income",
            amount=f"{number + 100}",
            account=f"bank-{number}",
            counterparty=f"Customer {number}",
            metadata={"contract": f"c{number}", "term_months": 12, "deferred": True},
        )
    text(client, "/books")
    # Refunds are looked for as soon as there is a payment that could have one.
    assert queries() <= before + 1


@pytest.mark.parametrize("path", ["/books", "/ledger/warnings"])
def test_it_is_for_members_only_and_each_companys_own(client: Client, acme: CompanyRef, path: str) -> None:
    assert client.get(path)["Location"].startswith("/sign-in")
    assert client.get(path, **HTMX)["HX-Redirect"] == "/sign-in"
    globex = open_company("hooli")
    signed_in(client, globex)
    page = text(client, path)
    assert "Initech" not in page
    assert "3,650" not in page
    assert client.get(f"{path}?company=acme").status_code == 404


def test_a_person_of_no_company_finds_nothing(client: Client, company: CompanyRef) -> None:
    signed_in(client)
    assert client.get("/books").status_code == 404
    assert client.get("/ledger/warnings").status_code == 404


def test_what_the_data_warns_of_names_the_rows_and_stands_on_the_ledger(
    client: Client, company: CompanyRef
) -> None:
    signed_in(client, company)
    assert "The data warns of nothing" in text(client, "/ledger/warnings", **HTMX)
    assert "Looked for: spending below zero" in text(client, "/ledger/warnings")
    write(
        company, ref="1", amount="100", category="saas", counterparty="Segment", occurred_at="2026-05-05T14:00:00Z"
    )
    write(
        company,
        ref="2",
        amount="150",
        category="saas",
        counterparty="Segment",
        event_type="adjustment",
        direction="in",
    )
    for page in (text(client, "/ledger/warnings"), text(client, "/ledger/warnings", **HTMX)):
        assert "Spending on saas came out below zero in June 2026: Segment gave back more than was paid." in page
        assert "150.00" in page
        (rows,) = re.findall(r'href="(/ledger\?[^"]+)">See the rows', page)
    assert rows == "/ledger?month=2026-06&amp;q=saas"
    found = text(client, rows.replace("&amp;", "&"))
    assert "Segment" in found
    assert 'hx-get="/ledger/warnings"' in found
