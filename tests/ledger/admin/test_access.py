"""Who sees and does what: an operator, teammates by role, a stranger."""

from datetime import date
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponse
from django.urls import reverse

from ledger.admin.scope import CompanyScopedAdmin
from ledger.domain.company import CompanyRef
from ledger.models.account import Account
from ledger.models.category import CategoryAssignment, CategoryRule
from ledger.models.closed_month import MonthClosing
from ledger.models.company import Company, Membership
from ledger.models.delivery import Delivery
from ledger.models.endpoint import WebhookEndpoint
from ledger.models.event import CapitalEvent
from ledger.models.import_file import ImportFile
from ledger.models.import_memory import AccountNumber, SavedMapping
from ledger.models.pending_adjustment import PendingAdjustment
from ledger.models.plaid import PlaidItem, PlaidRefusal
from ledger.models.statement import BalanceStatement, CreditGrantStatement
from ledger.models.token import ApiToken
from ledger.models.user import User
from ledger.services.categorise import apply_rules
from ledger.services.closed_months import close_month
from ledger.services.endpoints import create_endpoint
from ledger.services.statements import state_balance, state_credit_grant
from ledger.services.tokens import create_token
from tests.ledger.admin.conftest import SignIn
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db

OF_FINANCE = {
    Company,
    Account,
    CapitalEvent,
    BalanceStatement,
    CreditGrantStatement,
    ImportFile,
    MonthClosing,
    PendingAdjustment,
    CategoryRule,
    CategoryAssignment,
    SavedMapping,
    AccountNumber,
    Delivery,
    PlaidItem,
    PlaidRefusal,
}
READABLE = {
    "operator": OF_FINANCE | {Membership, ApiToken, User, WebhookEndpoint},
    "admin": OF_FINANCE | {Membership, ApiToken, WebhookEndpoint},
    "finance": OF_FINANCE,
}
ADDABLE_BY_FINANCE = {BalanceStatement, CreditGrantStatement, ImportFile, CategoryRule}
ADDABLE_BY_ADMIN = ADDABLE_BY_FINANCE | {Account, Membership, ApiToken, MonthClosing, WebhookEndpoint, PlaidItem}
ADDABLE = {
    "operator": ADDABLE_BY_ADMIN | {Company, User},
    "admin": ADDABLE_BY_ADMIN,
    "finance": ADDABLE_BY_FINANCE,
}
MODELS = sorted(READABLE["operator"], key=lambda model: model.__name__)


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:ledger_{model.__name__.lower()}_{name}", args=args)


@pytest.fixture
def keys_of_acme(company: CompanyRef, event_key: str, sign_in: SignIn) -> dict[type[Model], str]:
    """One row of acme for each model, by its key in the admin."""
    said = {"company_id": company.id, "day": NOW.date(), "origin": "plan", "actor": "x", "now": NOW}
    state_balance(currency="USD", amount=Decimal(100), **said)
    state_credit_grant(provider="aws", remaining=Decimal(5), expires_on=NOW.date(), **said)
    create_token(company_id=company.id, name="feed", scopes=["ingest"], now=NOW)
    ImportFile.objects.create(
        company_id=company.id, name="march.csv", size_bytes=1, sha256=b"", format="csv", actor="x", uploaded_at=NOW
    )
    close_month(company_id=company.id, month=date(2026, 1, 1), reason="reported", actor="x", now=NOW)
    PendingAdjustment.objects.create(
        company_id=company.id,
        account=Account.objects.get(company_id=company.id),
        direction="out",
        amount=5000,
        currency="USD",
        base_amount=5000,
        occurred_at=NOW,
        reason="paid in cash",
        requested_by=User.objects.get(email="finance@example.com"),
        requested_at=NOW,
    )
    CategoryRule.objects.create(
        company_id=company.id, test="contains", pattern="blue", category="coffee", actor="x", changed_at=NOW
    )
    apply_rules(company_id=company.id, actor="x", now=NOW)
    SavedMapping.objects.create(
        company_id=company.id, name="bank", header=[], header_digest=b"", choices={}, actor="x", saved_at=NOW
    )
    account = Account.objects.filter(company_id=company.id)[0]
    AccountNumber.objects.create(
        company_id=company.id, fingerprint=b"", ending="4567", account=account, created_at=NOW
    )
    endpoint = create_endpoint(company_id=company.id, provider_name="generic", name="erp", actor="x", now=NOW)
    Delivery.objects.create(
        company_id=company.id,
        endpoint_id=endpoint.id,
        received_at=NOW,
        body=b"{}",
        size_bytes=2,
        sha256=b"",
        verdict="verified",
        state="waiting",
        due_at=NOW,
    )
    item = PlaidItem.objects.create(company_id=company.id, item_id="item", access_token=b"", created_at=NOW)
    PlaidRefusal.objects.create(
        company_id=company.id, item=item, transaction_id="t", row={}, reason="no currency", refused_at=NOW
    )
    scoped = (
        WebhookEndpoint,
        Delivery,
        PlaidItem,
        PlaidRefusal,
        Account,
        BalanceStatement,
        CreditGrantStatement,
        ApiToken,
        ImportFile,
        MonthClosing,
        PendingAdjustment,
        CategoryRule,
        CategoryAssignment,
        SavedMapping,
        AccountNumber,
    )
    keys = {
        model: str(model._default_manager.filter(company_id=company.id).values_list("pk", flat=True)[0])
        for model in scoped
    }
    finance = Membership.objects.get(company_id=company.id, role="finance")
    return {**keys, Company: str(company.id), CapitalEvent: event_key, Membership: str(finance.pk)}


def test_every_model_of_the_ledger_in_the_admin_is_scoped_by_company_or_for_operators() -> None:
    registered = {model for model in admin.site._registry if model._meta.app_label == "ledger"}
    assert registered == set(MODELS)
    unscoped = {model for model in registered if not isinstance(admin.site._registry[model], CompanyScopedAdmin)}
    assert unscoped == {User}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["operator", "admin", "finance"])
def test_a_teammate_reads_the_lists_of_their_role(name: str, model: type[Model], sign_in: SignIn) -> None:
    expected = 200 if model in READABLE[name] else 403
    assert sign_in(name).get(page(model, "changelist")).status_code == expected


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["operator", "admin", "finance"])
def test_a_teammate_opens_the_forms_of_their_role(name: str, model: type[Model], sign_in: SignIn) -> None:
    answer = sign_in(name).get(page(model, "add"))
    if model in ADDABLE[name]:
        assert is_opened(answer, model)
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("model", [model for model in MODELS if model is not User])
def test_a_row_opens_for_its_company_and_for_no_stranger(
    model: type[Model], sign_in: SignIn, keys_of_acme: dict[type[Model], str]
) -> None:
    address = page(model, "change", keys_of_acme[model])
    assert is_opened(sign_in("admin").get(address), model)
    # Django answers a key that one cannot see as one that is not there.
    refusal = sign_in("stranger").get(address)
    assert (refusal.status_code, refusal["Location"]) == (302, reverse("admin:index"))
    answer = sign_in("finance").get(address)
    assert is_opened(answer, model) if model in READABLE["finance"] else answer.status_code == 403


def is_opened(answer: HttpResponse, model: type[Model]) -> bool:
    """Whether a form is shown; files are handed in and looked at on the import page."""
    if model is ImportFile:
        return answer.status_code == 302 and answer["Location"].startswith(reverse("imports"))
    return answer.status_code == 200


@pytest.mark.parametrize("model", [model for model in MODELS if model is not User])
def test_the_list_of_a_stranger_holds_nothing_of_the_company(
    model: type[Model], sign_in: SignIn, keys_of_acme: dict[type[Model], str]
) -> None:
    ours = sign_in("admin").get(page(model, "changelist"))
    theirs = sign_in("stranger").get(page(model, "changelist"))
    assert ours.context["cl"].result_count > 0
    shown = {getattr(row, "company_id", row.pk) for row in theirs.context["cl"].result_list}
    assert Company.objects.get(slug="acme").pk not in shown
    assert "Acme" not in theirs.content.decode()


@pytest.mark.parametrize(
    "path", ["", "ledger/capitalevent/", "ledger/capitalevent/adjust/", "ledger/importfile/add/"]
)
def test_a_founder_and_whoever_is_not_signed_in_stay_outside(path: str, sign_in: SignIn, client) -> None:
    for outsider in (sign_in("founder"), client):
        answer = outsider.get(f"/admin/{path}")
        assert answer.status_code == 302
        assert "login" in answer.url


def test_nobody_adds_changes_or_deletes_an_event(sign_in: SignIn, keys_of_acme: dict[type[Model], str]) -> None:
    operator = sign_in("operator")
    key = keys_of_acme[CapitalEvent]
    assert operator.get(page(CapitalEvent, "add")).status_code == 403
    assert operator.post(page(CapitalEvent, "change", key), {"category": "other"}).status_code == 403
    assert operator.post(page(CapitalEvent, "delete", key), {"post": "yes"}).status_code == 403
    assert CapitalEvent.objects.get().category == ""


def test_a_form_offers_only_companies_of_ones_own(sign_in: SignIn) -> None:
    for model in (Account, Membership, BalanceStatement, ApiToken):
        content = sign_in("admin").get(page(model, "add")).content.decode()
        assert ">Acme<" in content
        assert "Umbrella" not in content


def test_a_posted_company_of_somebody_else_is_refused(other: CompanyRef, sign_in: SignIn) -> None:
    answer = sign_in("admin").post(
        page(Account, "add"),
        {"company": other.id, "name": "bank-two", "kind": "bank", "currency": "EUR", "timezone": "UTC"},
    )
    assert "valid choice" in answer.content.decode()
    assert not Account.objects.filter(name="bank-two").exists()


def test_a_filter_by_company_cannot_reach_another(other: CompanyRef, event_key: str, sign_in: SignIn) -> None:
    address = page(CapitalEvent, "changelist")
    acme = event_key.partition("-")[0]
    assert sign_in("stranger").get(address, {"company": acme}).context["cl"].result_count == 0
    assert sign_in("stranger").get(address, {"company": "x' or 1=1"}).context["cl"].result_count == 0
    assert sign_in("admin").get(address, {"company": acme}).context["cl"].result_count == 1
