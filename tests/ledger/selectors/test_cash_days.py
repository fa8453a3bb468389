"""Cash per day."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.domain.company import CompanyRef
from ledger.selectors.cash_days import CashDay, cash_days
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db


def test_a_day_says_what_came_and_went_without_transfers_and_reversed_events(company: CompanyRef) -> None:
    drafts = [
        make_draft(external_ref="1", amount="10.25"),
        make_draft(external_ref="2", event_type="income", amount="100"),
        make_draft(external_ref="3", event_type="transfer", direction="out", amount="7"),
        make_draft(external_ref="4", amount="3"),
        make_draft(external_ref="5", amount="5", occurred_at="2026-06-03T12:00:00Z"),
        # Late in the evening in New York.
        make_draft(external_ref="6", amount="2", occurred_at="2026-06-02T03:00:00Z"),
        make_draft(external_ref="7", amount="9", occurred_at="2026-05-31T12:00:00Z"),
    ]
    outcomes = record(company_id=company.id, drafts=drafts, actor="t", now=NOW)
    reverse(company_id=company.id, event_id=outcomes[3].event_id, reason="wrong", actor="t", now=NOW)
    catch_up(company_id=company.id)
    days = cash_days(company_id=company.id, start=date(2026, 6, 1), before=date(2026, 6, 3))
    assert days == (CashDay(date(2026, 6, 1), Decimal(100), Decimal("12.25")),)
