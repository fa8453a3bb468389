"""`/api/v1/books` over HTTP: the figures of the page, each company's own, and refusals that name the parameter."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ledger.domain.company import CompanyRef
from ledger.models.chain_verdict import ChainVerdict
from ledger.services import daily_flows
from ledger.services.record import record
from ledger.services.statements import state_balance, state_credit_grant
from ledger.services.tokens import create_token
from tests.ledger.conftest import NOW, make_draft, open_company

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 15)
PATHS = ("", "/cash-days", "/unearned", "/credits", "/cloud", "/fx", "/warnings", "/chain")


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let today be 15 June 2026 for whoever asks the clock."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def token_of(company: CompanyRef, *scopes: str) -> str:
    return create_token(company_id=company.id, name="t", scopes=scopes or ("read",), now=NOW)


def ask(client: Client, company: CompanyRef, path: str = "", status: int = 200, **query: str) -> dict[str, Any]:
    response = client.get(f"/api/v1/books{path}", query, headers={"Authorization": f"Bearer {token_of(company)}"})
    assert response.status_code == status, response.content
    found: dict[str, Any] = json.loads(response.content)
    return found


def write(company: CompanyRef, at: str, amount: str, *, now: Any = NOW, **changes: Any) -> None:
    draft = make_draft(external_ref=f"{at}{amount}{changes}", occurred_at=at, amount=amount, **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=now, create_accounts=True)
    assert outcome.status == "recorded", outcome


@pytest.fixture
def acme(company: CompanyRef) -> CompanyRef:
    """1,000 in bank from May on, a card, euros, a prepaid year, a deposit, a withheld tax, a grant and a bill."""
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(100_000),
        day=date(2026, 4, 30),
        account="bank",
        origin="ofx",
        actor="t",
        now=NOW,
    )
    state_credit_grant(
        company_id=company.id,
        provider="AWS",
        remaining=Decimal(5000),
        expires_on=date(2026, 9, 30),
        day=date(2026, 4, 30),
        origin="plan",
        actor="t",
        now=NOW,
    )
    contract = {"contract": "c-1", "term_months": 12, "deferred": True}
    write(
        company,
        "2026-06-01T16:00:00Z",
        "3650",
        event_type="income",
        counterparty="Globex",
        metadata=contract,
    )
    write(company, "2026-06-02T16:00:00Z", "70", account="card")
    write(company, "2026-05-04T16:00:00Z", "400", event_type="income", currency="EUR", account="bank-eur")
    write(
        company,
        "2026-06-03T16:00:00Z",
        "500",
        event_type="adjustment",
        direction="in",
        category="customer_deposit",
    )
    write(
        company,
        "2026-06-19T16:00:00Z",
        "300",
        category="payroll_tax",
        metadata={"line": "employee_taxes", "check_date": "2026-06-12"},
    )
    write(
        company,
        "2026-06-05T16:00:00Z",
        "1200",
        event_type="credit",
        counterparty="AWS",
        account="cloud-aws",
    )
    write(company, "2026-06-06T16:00:00Z", "80", counterparty="AWS", category="cloud")
    return company


def test_free_cash_is_cash_less_what_is_not_ours_item_by_item(client: Client, acme: CompanyRef) -> None:
    found = ask(client, acme)
    accounts = {(each["account"], each["currency"]): each for each in found["accounts"]}
    assert accounts["bank", "USD"]["amount"] == "104070.00"  # 100,000 + 3,650 + 500 - 80; the tax leaves later
    assert accounts["bank", "USD"]["opened_on"] == "2026-04-30"
    assert accounts["bank", "USD"]["badge"]["reconciled_to"] == "2026-04-30"
    assert accounts["card", "USD"]["amount"] == "-70.00"
    euros = accounts["bank-eur", "EUR"]
    rate = Decimal(euros["rate"])
    assert Decimal(euros["base_amount"]) == (400 * rate).quantize(Decimal("0.000001"))
    assert found["restricted"] == {
        "withheld_tax": "300.00",
        "customer_deposits": "500.00",
        "total": "800.00",
        "employer_tax": "0.00",
    }
    # 15 days of 365 have been earned.
    assert found["unearned"] == "3500.00"
    assert Decimal(found["cash"]) == Decimal(104070) - 70 + Decimal(euros["base_amount"])
    assert Decimal(found["free"]) == Decimal(found["cash"]) - 800 - 3500
    assert found["known"] is None
    assert euros["recorded_since"] is None


def test_accounts_are_told_as_they_were_known(client: Client, acme: CompanyRef) -> None:
    write(acme, "2026-05-20T16:00:00Z", "25", account="card", now=NOW + timedelta(days=3))
    then = {each["account"]: each for each in ask(client, acme, day="2026-06-10", known="2026-06-15")["accounts"]}
    assert (then["card"]["amount"], then["card"]["recorded_since"]) == ("-70.00", "-25.00")
    now = {each["account"]: each for each in ask(client, acme, day="2026-06-10")["accounts"]}
    assert now["card"]["amount"] == "-95.00"
    assert ask(client, acme, day="2026-06-10", known="2026-06-14")["accounts"] == []


def test_unearned_revenue_has_a_curve_that_earns_all_of_it(client: Client, acme: CompanyRef) -> None:
    found = ask(client, acme, "/unearned")
    assert found["months"][0] == {"month": "2026-06-01", "earned": "150.00", "unearned": "3350.00"}
    assert found["months"][-1]["month"] == "2027-05-01"
    assert found["months"][-1]["unearned"] == "0.00"
    assert sum(Decimal(each["earned"]) for each in found["months"]) == Decimal(found["unearned"])
    (payment,) = found["payments"]
    assert (payment["customer"], payment["start"], payment["end"]) == ("Globex", "2026-06-01", "2027-06-01")
    # Before the money came, nothing was owed.
    assert ask(client, acme, "/unearned", day="2026-05-31")["unearned"] == "0.00"


def test_a_grant_is_drawn_down_and_lapses_in_a_lump(client: Client, acme: CompanyRef) -> None:
    found = ask(client, acme, "/credits")
    assert found["grants"] == [
        {
            "provider": "AWS",
            "expires_on": "2026-09-30",
            "stated": "5000.00",
            "remaining": "3800.00",
            "lapses": "3800.00",
        }
    ]
    (curve,) = found["curves"]
    steps = {each["day"]: each["remaining"] for each in curve["curve"]}
    assert (steps["2026-04-30"], steps["2026-06-05"], steps["2026-10-01"]) == ("5000.00", "3800.00", "0.00")
    assert "2026-06-06" not in steps
    assert ask(client, acme, "/credits", day="2026-06-04")["remaining"] == "5000.00"
    assert ask(client, acme, "/credits", day="2026-04-29")["grants"] == []


def test_a_month_of_the_cloud_says_how_it_was_paid(client: Client, acme: CompanyRef) -> None:
    assert ask(client, acme, "/cloud")["months"] == [
        {"provider": "AWS", "month": "2026-06-01", "charged": "0.00", "credited": "1200.00", "paid": "80.00"}
    ]
    assert ask(client, acme, "/cloud", day="2026-05-31")["months"] == []


def test_exchange_gains_are_apart_from_every_flow(client: Client, acme: CompanyRef) -> None:
    write(acme, "2026-06-10T16:00:00Z", "400", currency="EUR", account="bank-eur")
    found = ask(client, acme, "/fx")
    assert found["pools"] == []
    assert found["unrealised"] == "0.00"
    assert Decimal(found["realised"]) == sum(Decimal(each["realised"]) for each in found["months"])
    assert [each["month"] for each in found["months"]] == ["2026-05-01", "2026-06-01"]
    held = ask(client, acme, "/fx", day="2026-06-09")
    assert [pool["currency"] for pool in held["pools"]] == ["EUR"]


def test_cash_days_are_asked_for_by_a_range(client: Client, acme: CompanyRef) -> None:
    found = ask(client, acme, "/cash-days", start="2026-06-01", before="2026-06-04")
    assert found["days"] == [
        {"day": "2026-06-01", "money_in": "3650.00", "money_out": "0.00"},
        {"day": "2026-06-02", "money_in": "0.00", "money_out": "70.00"},
        {"day": "2026-06-03", "money_in": "500.00", "money_out": "0.00"},
    ]


def test_warnings_name_the_rows_as_the_ledger_page_takes_them(client: Client, company: CompanyRef) -> None:
    write(company, "2026-05-05T16:00:00Z", "100", category="saas", counterparty="Segment")
    write(
        company,
        "2026-06-05T16:00:00Z",
        "150",
        category="saas",
        counterparty="Segment",
        event_type="adjustment",
        direction="in",
    )
    (warning,) = ask(client, company, "/warnings")["warnings"]
    assert warning["code"] == "spending_below_zero"
    assert warning["rows"] == {"month": "2026-06", "q": "saas", "account": "", "source": ""}
    assert warning["causes"] == [{"counterparty": "Segment", "category": "saas", "returned": "150.00"}]


def test_the_chain_is_told_as_it_was_found_last(client: Client, company: CompanyRef) -> None:
    assert ask(client, company, "/chain")["holds"] is None
    ChainVerdict.objects.create(
        company_id=company.id,
        verified_at=NOW,
        took_seconds=1,
        position=9,
        sealed=9,
        exported=0,
        broken_at=4,
        kind="edited",
        detail="the row at 4 is not the one that was recorded",
    )
    found = ask(client, company, "/chain")
    assert (found["holds"], found["broken_at"], found["position"]) == (False, 4, 9)
    assert found["broken"].startswith("edited at position 4")


@pytest.mark.parametrize(
    ("path", "query", "field", "words"),
    [
        ("", {"day": "2026-06-16"}, "day", "to today, 2026-06-15"),
        ("", {"day": "1998-12-31"}, "day", "from 1999-01-01"),
        ("", {"day": "yesterday"}, "day", "date"),
        ("", {"known": "2027-01-01"}, "known", "to today"),
        ("/unearned", {"day": "9999-12-31"}, "day", "to today"),
        ("/credits", {"day": "2026-13-01"}, "day", "date"),
        ("/cash-days", {"start": "2026-06-02", "before": "2026-06-02"}, "start", "the day before"),
        ("/cash-days", {"start": "2020-01-01", "before": "2026-06-02"}, "start", "731 days"),
        ("/cash-days", {"before": "1999-01-01"}, "before", "after 1999-01-01"),
    ],
)
def test_a_day_that_cannot_be_is_refused_by_its_name(
    client: Client, company: CompanyRef, path: str, query: dict[str, str], field: str, words: str
) -> None:
    (error,) = ask(client, company, path, status=422, **query)["errors"]
    assert error["field"] == field
    assert words in error["message"]


@pytest.mark.parametrize("path", PATHS)
def test_it_needs_the_scope_read_and_tells_an_empty_company_so(
    client: Client, company: CompanyRef, path: str
) -> None:
    assert client.get(f"/api/v1/books{path}").status_code == 401
    headers = {"Authorization": f"Bearer {token_of(company, 'ingest')}"}
    assert client.get(f"/api/v1/books{path}", headers=headers).status_code == 403
    assert ask(client, company, path)["company"] == "acme"


def test_every_figure_is_the_tokens_companys_own(client: Client, acme: CompanyRef) -> None:
    other = open_company("other")
    assert ask(client, other)["accounts"] == []
    assert ask(client, other)["free"] == "0.00"
    assert ask(client, other, "/unearned")["payments"] == []
    assert ask(client, other, "/credits")["grants"] == []
    assert ask(client, other, "/cloud")["months"] == []
    assert ask(client, other, "/cash-days")["days"] == []


def test_it_answers_later_while_many_events_are_being_added_up(
    client: Client, acme: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily_flows, "POSITIONS_PER_STEP", 1)
    assert "added up" in ask(client, acme, status=503)["detail"]
