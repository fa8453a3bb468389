"""Adjustments by hand."""

import pytest
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.models.account import Account
from ledger.models.event import CapitalEvent
from tests.ledger.admin.conftest import SignIn

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/ledger/capitalevent/adjust/"


def adjust(client: Client, company: CompanyRef, **changes: object) -> object:
    values = {
        "company": company.id,
        "account": Account.objects.get(company_id=company.id).pk,
        "direction": "out",
        "amount": "1250.00",
        "currency": "",
        "occurred_at": "2026-06-01T09:30",
        "category": "legal",
        "counterparty": "Notary",
        "reason": "Paid in cash, no feed tells of it",
        **changes,
    }
    return client.post(ADDRESS, {name: value for name, value in values.items() if value is not None})


@pytest.mark.parametrize("name", ["finance", "admin", "operator"])
def test_finance_and_admins_record_an_adjustment_with_reason_and_name(
    name: str, company: CompanyRef, sign_in: SignIn
) -> None:
    answer = adjust(sign_in(name), company)
    event = CapitalEvent.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/admin/ledger/capitalevent/{company.id}-1/change/")
    assert (event.event_type, event.direction, event.amount, event.currency) == ("adjustment", "out", 1250, "USD")
    assert (event.source, event.actor) == ("admin", f"admin:{name}@example.com")
    assert event.metadata == {"reason": "Paid in cash, no feed tells of it"}
    # 9:30 in New York, where the company is.
    assert event.occurred_at.isoformat() == "2026-06-01T13:30:00+00:00"


def test_saving_twice_records_once(company: CompanyRef, sign_in: SignIn) -> None:
    client = sign_in("finance")
    first, second = adjust(client, company), adjust(client, company)
    assert first.url == second.url
    assert "recorded already" in client.get(second.url).content.decode()
    assert CapitalEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("reason", "", "This field is required"),
        ("reason", "   ", "This field is required"),
        ("amount", "-5", "Amount must be greater than zero"),
        ("amount", "0", "Amount must be greater than zero"),
        ("amount", "1e3", "Amount must be written without an exponent"),
        ("amount", "1.1234567", "Amount has more than 6 decimals"),
        ("currency", "XXX", "Currency is not a currency code"),
        ("occurred_at", "2026-06-01T09:30+02:00", "Enter a date and time such as"),
        ("occurred_at", "1990-06-01T09:30", "When lies before 1999-01-01"),
        ("occurred_at", "0001-01-01T00:00", "lies before 1999-01-01"),
        ("occurred_at", "2026-03-08T02:30", "clocks in America/New_York never showed 02:30"),
        ("direction", "sideways", "valid choice"),
        ("account", "999999", "valid choice"),
        ("counterparty", "x\x00y", "Null characters"),
        ("currency", "KPW", "currency"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    field: str, value: str, message: str, company: CompanyRef, sign_in: SignIn
) -> None:
    answer = adjust(sign_in("finance"), company, **{field: value})
    assert answer.status_code == 422
    assert message.lower() in " ".join(answer.context["form"].errors[field]).lower()
    assert not CapitalEvent.objects.exists()


def test_a_stranger_cannot_adjust_another_company(company: CompanyRef, other: CompanyRef, sign_in: SignIn) -> None:
    stranger = sign_in("stranger")
    assert adjust(stranger, company).status_code == 422
    theirs = Account.objects.get(company_id=company.id)
    assert adjust(stranger, other, account=theirs.pk).status_code == 422
    assert not CapitalEvent.objects.exists()


def test_an_account_of_another_of_ones_companies_is_refused(
    company: CompanyRef, other: CompanyRef, sign_in: SignIn
) -> None:
    account = Account.objects.get(company_id=other.id)
    answer = adjust(sign_in("operator"), company, account=account.pk)
    assert "is not an account of Acme" in answer.content.decode()


def test_it_needs_the_token_of_its_own_form(company: CompanyRef, sign_in: SignIn) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in("finance").cookies
    assert adjust(client, company).status_code == 403
