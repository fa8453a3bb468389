"""What a company's own data warns of, from its journal."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.domain.data_warning import (
    ACCOUNT_SILENT,
    FEED_SILENT,
    PAYROLL_MISSING,
    SPENDING_BELOW_ZERO,
    DataWarning,
)
from ledger.selectors.data_warnings import data_warnings
from ledger.services.daily_flows import catch_up
from ledger.services.match import follow_journal
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft, open_company

pytestmark = pytest.mark.django_db


def write(company: CompanyRef, day: str, **changes: Any) -> None:
    draft = make_draft(external_ref=f"{day}{changes}", occurred_at=f"{day}T14:00:00Z", **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded", outcome


def warned(company: CompanyRef, *, day: int = 15) -> dict[str, DataWarning]:
    catch_up(company_id=company.id)
    follow_journal(company_id=company.id, now=NOW)
    now = datetime(2026, 6, day, 18, tzinfo=UTC)
    found = data_warnings(company_id=company.id, timezone=company.timezone, now=now)
    return {warning.code: warning for warning in found}


def test_refunds_of_many_months_in_one_are_named(company: CompanyRef) -> None:
    for month in (4, 5, 6):
        write(company, f"2026-0{month}-05", amount="100", category="saas", counterparty="Segment")
    refund = {"event_type": "adjustment", "direction": "in", "category": "saas", "counterparty": "Segment"}
    write(company, "2026-06-12", amount="150", **refund)
    write(company, "2026-06-13", amount="500", event_type="income", category="sales", counterparty="Globex")
    warning = warned(company)[SPENDING_BELOW_ZERO]
    assert (warning.since, warning.rows.text, warning.amount) == (date(2026, 6, 1), "saas", -50)
    assert [(cause.counterparty, cause.returned) for cause in warning.causes] == [("Segment", 150)]


def test_a_vendor_credit_beside_its_bill_and_a_reversed_refund_are_no_warning(company: CompanyRef) -> None:
    write(company, "2026-06-10", amount="10", category="cloud")
    write(company, "2026-06-12", amount="900", event_type="credit", category="cloud")
    assert warned(company) == {}


def test_the_events_of_another_company_are_none_of_its_own(company: CompanyRef) -> None:
    other = open_company("other")
    write(other, "2026-05-05", amount="100", category="saas")
    write(other, "2026-06-05", amount="150", event_type="adjustment", direction="in", category="saas")
    write(company, "2026-06-12")
    assert warned(company) == {}
    assert set(warned(other)) == {SPENDING_BELOW_ZERO}


def test_a_month_without_payroll_is_named(company: CompanyRef) -> None:
    for month in (1, 2, 3, 4):
        write(company, f"2026-0{month}-28", amount="9000", category="payroll")
        write(company, f"2026-0{month}-28", amount="2000", category="payroll_tax")
    write(company, "2026-06-12")
    assert warned(company)[PAYROLL_MISSING].since == date(2026, 5, 1)
    write(company, "2026-05-28", amount="9000", category="payroll")
    assert PAYROLL_MISSING not in warned(company)


def test_a_silent_account_and_a_feed_that_fell_silent_beside_another_are_named(company: CompanyRef) -> None:
    for day in range(1, 11):
        write(company, f"2026-05-{day:02}", account="card")
        write(company, f"2026-05-{day:02}", source="plaid", account="bank")
    for day in range(1, 31):
        write(company, f"2026-05-{day:02}", source="csv", account="bank", amount="7")
    found = warned(company, day=1)
    assert found[ACCOUNT_SILENT].rows.account == "card"
    assert (found[FEED_SILENT].rows.source, found[FEED_SILENT].since) == ("plaid", date(2026, 5, 10))
