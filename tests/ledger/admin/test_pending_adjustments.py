"""Above a company's limit a second person approves; closed months are an admin's."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.models.closed_month import ClosedMonthEntry, MonthClosing
from ledger.models.company import Company
from ledger.models.event import CapitalEvent
from ledger.models.pending_adjustment import PendingAdjustment
from ledger.models.user import User
from ledger.services.closed_months import close_month
from tests.ledger.admin.conftest import SignIn
from tests.ledger.admin.test_adjustment import adjust
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def limited(company: CompanyRef) -> CompanyRef:
    """Acme, whose adjustments above 1,000 dollars need a second person."""
    Company.objects.filter(id=company.id).update(adjustment_limit=1000)
    return company


@pytest.fixture
def closed(company: CompanyRef) -> CompanyRef:
    """Acme with May 2026 closed."""
    close_month(company_id=company.id, month=date(2026, 5, 1), reason="reported", actor="a", now=NOW)
    return company


def decide(client: Client, pending: PendingAdjustment, decision: str, reason: str = "") -> object:
    address = f"/admin/ledger/pendingadjustment/{pending.pk}/decide/"
    return client.post(address, {"decision": decision, "reason": reason})


def test_up_to_the_limit_it_is_recorded_at_once(limited: CompanyRef, sign_in: SignIn) -> None:
    adjust(sign_in("finance"), limited, amount="1000.00")
    assert CapitalEvent.objects.count() == 1
    assert not PendingAdjustment.objects.exists()


def test_the_limit_is_one_in_the_currency_of_the_books(limited: CompanyRef, sign_in: SignIn) -> None:
    adjust(sign_in("finance"), limited, amount="999.99", currency="GBP", occurred_at="2024-06-03T12:00")
    pending = PendingAdjustment.objects.get()
    assert (pending.amount, pending.currency) == (Decimal("999.99"), "GBP")
    assert pending.base_amount > 1000


def test_above_it_waits_and_a_second_person_has_it_recorded(limited: CompanyRef, sign_in: SignIn) -> None:
    answer = adjust(sign_in("finance"), limited, amount="1000.01")
    pending = PendingAdjustment.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/admin/ledger/pendingadjustment/{pending.pk}/change/")
    assert not CapitalEvent.objects.exists()
    admin = sign_in_again("admin")
    page = admin.get(answer.url).content.decode()
    assert "Approve or reject" in page
    assert (
        "Paid in cash, no feed tells of it"
        in admin.get(f"{answer.url.removesuffix('change/')}decide/").content.decode()
    )
    answer = decide(admin, pending, "approve", "seen the receipt")
    event = CapitalEvent.objects.get()
    assert answer.url == f"/admin/ledger/capitalevent/{limited.id}-1/change/"
    assert (event.event_type, event.amount, event.source) == ("adjustment", Decimal("1000.01"), "admin")
    assert (event.actor, event.metadata["reason"]) == (
        "admin:finance@example.com",
        "Paid in cash, no feed tells of it",
    )
    pending.refresh_from_db()
    assert (pending.state, pending.requested_by.email, pending.decided_by.email, pending.decision_reason) == (
        "approved", "finance@example.com", "admin@example.com", "seen the receipt"
    )  # fmt: skip
    assert pending.decided_at is not None
    assert bytes(pending.event_id) == bytes(event.event_id)


def sign_in_again(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=f"{name}@example.com"))
    return client


def test_whoever_asked_cannot_decide(limited: CompanyRef, sign_in: SignIn) -> None:
    finance = sign_in("finance")
    answer = adjust(finance, limited, amount="5000")
    pending = PendingAdjustment.objects.get()
    assert "Approve or reject" not in finance.get(answer.url).content.decode()
    for decision in ("approve", "reject"):
        answer = decide(finance, pending, decision, "mine")
        assert answer.status_code == 422
        assert "cannot decide" in answer.content.decode()
    assert not CapitalEvent.objects.exists()
    # Nor by hand in the database.
    user = User.objects.get(email="finance@example.com")
    with pytest.raises(IntegrityError, match="nobody_approves_their_own"), transaction.atomic():
        PendingAdjustment.objects.update(state="rejected", decided_by=user, decided_at=NOW)


def test_a_rejection_needs_a_reason_and_records_nothing(limited: CompanyRef, sign_in: SignIn) -> None:
    adjust(sign_in("admin"), limited, amount="5000")
    pending = PendingAdjustment.objects.get()
    finance = sign_in_again("finance")
    assert "Say why" in decide(finance, pending, "reject", "  ").content.decode()
    assert decide(finance, pending, "reject", "paid twice").status_code == 302
    pending.refresh_from_db()
    assert (pending.state, pending.decision_reason, pending.event_id) == ("rejected", "paid twice", None)
    assert "decided already" in decide(finance, pending, "approve").content.decode()
    assert not CapitalEvent.objects.exists()


def test_asking_twice_waits_once(limited: CompanyRef, sign_in: SignIn) -> None:
    client = sign_in("finance")
    assert adjust(client, limited, amount="5000").url == adjust(client, limited, amount="5000").url
    assert PendingAdjustment.objects.count() == 1


@pytest.mark.parametrize("name", ["founder", "stranger"])
def test_nobody_else_sees_or_decides(limited: CompanyRef, sign_in: SignIn, name: str) -> None:
    adjust(sign_in("finance"), limited, amount="5000")
    pending = PendingAdjustment.objects.get()
    other = sign_in_again(name)
    assert decide(other, pending, "approve").status_code in {302, 403}
    assert other.get(f"/admin/ledger/pendingadjustment/{pending.pk}/change/").status_code in {302, 403}
    pending.refresh_from_db()
    assert pending.state == "waiting"


def test_admins_set_the_limit_and_finance_cannot(company: CompanyRef, sign_in: SignIn) -> None:
    address = f"/admin/ledger/company/{company.id}/change/"
    values = {"name": "Acme", "adjustment_limit": "2500"}
    assert sign_in("finance").post(address, values).status_code == 403
    assert sign_in_again("admin").post(address, values).status_code == 302
    assert Company.objects.get(id=company.id).adjustment_limit == 2500


# --- Closed months ----------------------------------------------------------------------------------------


def test_admins_close_a_month_and_finance_cannot(company: CompanyRef, sign_in: SignIn) -> None:
    values = {"company": company.id, "month": "2026-05", "step": "close", "reason": "reported to the board"}
    assert sign_in("finance").post("/admin/ledger/monthclosing/add/", values).status_code == 403
    admin = sign_in_again("admin")
    assert admin.post("/admin/ledger/monthclosing/add/", values).status_code == 302
    step = MonthClosing.objects.get()
    assert (step.month, step.closed, step.actor) == (date(2026, 5, 1), True, "admin:admin@example.com")
    assert "2026-05" in admin.get("/admin/ledger/monthclosing/").content.decode()
    again = admin.post("/admin/ledger/monthclosing/add/", values)
    assert (again.status_code, "is closed already" in again.content.decode()) == (422, True)
    assert admin.post("/admin/ledger/monthclosing/add/", {**values, "month": "May"}).status_code == 422
    assert admin.post("/admin/ledger/monthclosing/add/", {**values, "step": "reopen"}).status_code == 302
    assert admin.get(f"/admin/ledger/monthclosing/{step.pk}/delete/").status_code == 403


def test_an_adjustment_into_a_closed_month_is_an_admins_with_a_tick(closed: CompanyRef, sign_in: SignIn) -> None:
    finance = sign_in("finance")
    answer = adjust(finance, closed, occurred_at="2026-05-10T10:00")
    assert (answer.status_code, "which is closed" in str(answer.context["form"].errors["occurred_at"])) == (
        422,
        True,
    )
    answer = adjust(finance, closed, occurred_at="2026-05-10T10:00", into_closed_month="on")
    assert (answer.status_code, "Only an admin" in answer.content.decode()) == (422, True)
    assert not CapitalEvent.objects.exists()
    admin = sign_in_again("admin")
    assert adjust(admin, closed, occurred_at="2026-05-10T10:00").status_code == 422
    assert adjust(admin, closed, occurred_at="2026-05-10T10:00", into_closed_month="on").status_code == 302
    assert ClosedMonthEntry.objects.get().reason == "Paid in cash, no feed tells of it"


def test_a_reversal_into_a_closed_month_is_an_admins_with_a_tick(company: CompanyRef, sign_in: SignIn) -> None:
    finance = sign_in("finance")
    adjust(finance, company, occurred_at="2026-05-10T10:00")
    close_month(company_id=company.id, month=date(2026, 5, 1), reason="reported", actor="a", now=NOW)
    address = f"/admin/ledger/capitalevent/{company.id}-1/reverse/"
    assert "which is closed" in finance.post(address, {"reason": "wrong"}).content.decode()
    assert finance.post(address, {"reason": "wrong", "into_closed_month": "on"}).status_code == 422
    admin = sign_in_again("admin")
    assert admin.post(address, {"reason": "wrong", "into_closed_month": "on"}).status_code == 302
    assert CapitalEvent.objects.count() == 2


def test_an_approval_into_a_month_that_closed_meanwhile_is_refused(limited: CompanyRef, sign_in: SignIn) -> None:
    adjust(sign_in("finance"), limited, amount="5000", occurred_at="2026-05-10T10:00")
    close_month(company_id=limited.id, month=date(2026, 5, 1), reason="reported", actor="a", now=NOW)
    answer = decide(sign_in_again("admin"), PendingAdjustment.objects.get(), "approve")
    assert (answer.status_code, "which is closed" in answer.content.decode()) == (422, True)
    assert PendingAdjustment.objects.get().state == "waiting"
