"""Companies, accounts, memberships, people and statements in the admin."""

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.account import Account
from ledger.models.company import Company, Membership
from ledger.models.statement import BalanceStatement, CreditGrantStatement
from ledger.models.user import User
from tests.ledger.admin.conftest import SignIn, person

pytestmark = pytest.mark.django_db


def test_an_operator_opens_a_company_with_its_bank_account(sign_in: SignIn) -> None:
    values = {"slug": "initech", "name": "Initech", "base_currency": "EUR", "timezone": "Europe/Berlin"}
    answer = sign_in("operator").post("/admin/ledger/company/add/", values)
    assert answer.status_code == 302, answer.context["errors"]
    opened = Company.objects.get(slug="initech")
    assert list(Account.objects.filter(company=opened).values_list("name", "currency")) == [("bank", "EUR")]


@pytest.mark.parametrize(
    "wrong", [{"slug": "acme"}, {"slug": "No Slug"}, {"base_currency": "XXX"}, {"timezone": "Mars"}, {"name": ""}]
)
def test_a_company_that_cannot_be_opened_is_explained(wrong: dict[str, str], sign_in: SignIn) -> None:
    values = {"slug": "initech", "name": "Initech", "base_currency": "EUR", "timezone": "Europe/Berlin"} | wrong
    answer = sign_in("operator").post("/admin/ledger/company/add/", values)
    assert answer.status_code == 200
    assert next(iter(wrong)) in answer.context["adminform"].form.errors


def test_an_admin_renames_a_company_and_changes_nothing_that_its_books_rest_on(
    company: CompanyRef, sign_in: SignIn
) -> None:
    values = {"name": "Acme Labs", "slug": "evil", "base_currency": "EUR", "timezone": "UTC"}
    assert sign_in("admin").post(f"/admin/ledger/company/{company.id}/change/", values).status_code == 302
    acme = Company.objects.get(pk=company.id)
    assert (acme.name, acme.slug, acme.base_currency, acme.timezone) == (
        "Acme Labs",
        "acme",
        "USD",
        "America/New_York",
    )
    assert sign_in("finance").post(f"/admin/ledger/company/{company.id}/change/", values).status_code == 403


def test_an_account_is_opened_and_keeps_its_kind_and_currency(company: CompanyRef, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    values = {"company": company.id, "name": "card", "kind": "card", "currency": "USD", "timezone": "UTC"}
    assert admin.post("/admin/ledger/account/add/", values).status_code == 302
    card = Account.objects.get(name="card")
    changed = values | {"name": "amex", "kind": "cloud", "currency": "EUR"}
    assert admin.post(f"/admin/ledger/account/{card.pk}/change/", changed).status_code == 302
    card.refresh_from_db()
    assert (card.name, card.kind, card.currency) == ("amex", "card", "USD")


def test_an_admin_lets_a_person_in_by_their_address(company: CompanyRef, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    mara = person("mara@example.com")
    values = {"company": company.id, "email": "Mara@example.com", "role": "finance"}
    assert admin.post("/admin/ledger/membership/add/", values).status_code == 302
    membership = Membership.objects.get(user=mara)
    mara.refresh_from_db()
    assert (membership.role, membership.company_id, mara.is_staff) == ("finance", company.id, True)

    address = f"/admin/ledger/membership/{membership.pk}/"
    assert admin.post(f"{address}change/", {"role": "founder"}).status_code == 302
    mara.refresh_from_db()
    assert not mara.is_staff
    assert admin.post(f"{address}delete/", {"post": "yes"}).status_code == 302
    assert not Membership.objects.filter(user=mara).exists()


@pytest.mark.parametrize("email", ["nobody@example.com", "finance@example.com", "not an address"])
def test_an_invitation_that_cannot_be_is_explained(email: str, company: CompanyRef, sign_in: SignIn) -> None:
    values = {"company": company.id, "email": email, "role": "admin"}
    answer = sign_in("admin").post("/admin/ledger/membership/add/", values)
    assert "email" in answer.context["adminform"].form.errors


def test_nobody_changes_their_own_role(company: CompanyRef, sign_in: SignIn) -> None:
    own = Membership.objects.get(user__email="admin@example.com")
    client = sign_in("admin")
    assert client.post(f"/admin/ledger/membership/{own.pk}/change/", {"role": "founder"}).status_code == 403
    assert client.post(f"/admin/ledger/membership/{own.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Membership.objects.get(pk=own.pk).role == "admin"


def test_an_operator_makes_a_person_who_can_sign_in(sign_in: SignIn, client) -> None:
    password = "correct horse battery"
    values = {
        "email": "new@example.com",
        "usable_password": "true",
        "password1": password,
        "password2": password,
    }
    answer = sign_in("operator").post("/admin/ledger/user/add/", values)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert User.objects.get(email="new@example.com").check_password(password)
    assert sign_in("operator").get(answer.url).status_code == 200


def test_a_balance_is_stated_and_said_again_as_a_new_revision(company: CompanyRef, sign_in: SignIn) -> None:
    finance = sign_in("finance")
    values = {"company": company.id, "currency": "USD", "amount": "2400000.00", "day": "2026-05-31"}
    assert finance.post("/admin/ledger/balancestatement/add/", values).status_code == 302
    assert finance.post("/admin/ledger/balancestatement/add/", values | {"amount": "5"}).status_code == 302
    stated = BalanceStatement.objects.order_by("revision")
    assert [(row.amount, row.origin, row.actor) for row in stated] == [
        (2400000, "admin", "admin:finance@example.com"),
        (5, "admin", "admin:finance@example.com"),
    ]
    assert finance.post(f"/admin/ledger/balancestatement/{stated[0].pk}/change/", values).status_code == 403


def test_a_balance_on_an_account_of_another_company_is_refused(
    company: CompanyRef, other: CompanyRef, sign_in: SignIn
) -> None:
    account = Account.objects.get(company_id=other.id)
    values = {"company": company.id, "account": account.pk, "currency": "USD", "amount": "1", "day": "2026-05-31"}
    answer = sign_in("operator").post("/admin/ledger/balancestatement/add/", values)
    assert "is not an account of Acme" in answer.content.decode()


def test_a_credit_grant_is_stated_and_is_never_below_zero(company: CompanyRef, sign_in: SignIn) -> None:
    values = {
        "company": company.id,
        "provider": "aws",
        "remaining": "92000",
        "expires_on": "2026-12-31",
        "day": "2026-05-31",
    }
    finance = sign_in("finance")
    assert finance.post("/admin/ledger/creditgrantstatement/add/", values).status_code == 302
    assert CreditGrantStatement.objects.get().remaining == 92000
    answer = finance.post("/admin/ledger/creditgrantstatement/add/", values | {"remaining": "-1"})
    assert "remaining" in answer.context["adminform"].form.errors
