"""Restricted cash: withheld tax until it is passed on, deposits until they are given back."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.domain.company import CompanyRef
from ledger.selectors.restricted_cash import RestrictedCash, restricted_cash
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft, open_company

pytestmark = pytest.mark.django_db


def book(company: CompanyRef, **changes: object) -> str:
    (outcome,) = record(
        company_id=company.id, drafts=[make_draft(**changes)], actor="t", now=NOW, create_accounts=True
    )
    assert outcome.status == "recorded", outcome
    return outcome.event_id


def tax(company: CompanyRef, amount: str, *, paid: str, check_date: str, line: str = "employee_taxes") -> str:
    return book(
        company,
        amount=amount,
        category="payroll_tax",
        occurred_at=f"{paid}T12:00:00-04:00",
        external_ref=f"run:{line}:{paid}",
        metadata={"line": line, "check_date": check_date},
    )


def held(company: CompanyRef, day: int) -> RestrictedCash:
    catch_up(company_id=company.id)
    return restricted_cash(company_id=company.id, timezone=company.timezone, at=date(2026, 6, day))


def test_withheld_tax_is_held_from_pay_day_until_it_is_paid(company: CompanyRef) -> None:
    tax(company, "300", paid="2026-06-12", check_date="2026-06-05")
    tax(company, "80", paid="2026-06-12", check_date="2026-06-05", line="employer_taxes")
    assert [(held(company, day).withheld_tax, held(company, day).employer_tax) for day in (4, 5, 11, 12)] == [
        (0, 0),
        (300, 80),
        (300, 80),
        (0, 0),
    ]
    assert held(company, 5).total == 300


def test_a_payroll_taken_back_holds_nothing(company: CompanyRef) -> None:
    event_id = tax(company, "300", paid="2026-06-12", check_date="2026-06-05")
    reverse(company_id=company.id, event_id=event_id, reason="cancelled", actor="t", now=NOW)
    assert held(company, 6).withheld_tax == 0


def test_a_tax_payment_that_names_no_pay_day_is_not_guessed_at(company: CompanyRef) -> None:
    book(company, category="payroll_tax", occurred_at="2026-06-12T16:00:00Z", metadata={"check_date": "soon"})
    book(company, category="payroll_tax", occurred_at="2026-06-12T16:00:00Z", external_ref="2")
    assert held(company, 6).withheld_tax == 0


def test_a_deposit_is_held_until_it_is_given_back(company: CompanyRef) -> None:
    deposit = {"event_type": "adjustment", "category": "customer_deposit"}
    book(company, **deposit, direction="in", amount="500", occurred_at="2026-06-02T16:00:00Z", external_ref="d1")
    book(company, **deposit, direction="out", amount="200", occurred_at="2026-06-08T16:00:00Z", external_ref="d2")
    assert [held(company, day).customer_deposits for day in (1, 2, 8)] == [0, 500, 300]
    assert held(company, 8).total == Decimal(300)


def test_it_is_each_companys_own(company: CompanyRef) -> None:
    tax(company, "300", paid="2026-06-12", check_date="2026-06-05")
    assert held(open_company("other"), 6).total == 0
