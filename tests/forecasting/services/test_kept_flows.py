"""Daily flows are read again whenever they would come out otherwise, and only then."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from forecasting.services import kept_flows as module
from forecasting.services.kept_flows import kept_flows
from ledger.domain.company import CompanyRef
from ledger.domain.flows import DailyFlows
from ledger.models.account import Account
from ledger.selectors.flows import daily_flows
from ledger.selectors.journal import list_events
from ledger.services.daily_flows import catch_up
from ledger.services.readings import NameReading, read_names
from tests.forecasting.small_company import AS_OF, small_company, spend

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> CompanyRef:
    monkeypatch.setattr(module, "daily_flows", counted)
    counted.asked = 0
    company = small_company()
    catch_up(company_id=company.id)
    return company


class _Counted:
    asked = 0

    def __call__(self, **question: Any) -> DailyFlows:
        self.asked += 1
        return daily_flows(**question)


counted = _Counted()


def again(company: CompanyRef, *, reads: bool) -> None:
    """Ask, and see that the answer is that of the books and whether it was read from them."""
    before = counted.asked
    got, expected = kept_flows(company_id=company.id, until=AS_OF), daily_flows(company_id=company.id, until=AS_OF)
    for field in fields(expected):
        one, other = getattr(got, field.name), getattr(expected, field.name)
        assert np.array_equal(one, other) if isinstance(other, np.ndarray) else one == other
    assert counted.asked - before == reads


def test_what_has_not_changed_is_not_read_again(company: CompanyRef) -> None:
    again(company, reads=True)
    again(company, reads=False)
    catch_up(company_id=company.id)
    again(company, reads=False)


def test_an_event_is_seen(company: CompanyRef) -> None:
    again(company, reads=True)
    spend(company, "17.00")
    catch_up(company_id=company.id)
    again(company, reads=True)


def test_an_event_that_is_read_otherwise_is_seen(company: CompanyRef) -> None:
    again(company, reads=True)
    event = list_events(company_id=company.id).entries[0]
    reading = NameReading(bytes.fromhex(event.event_id), event.occurred_at, "travel", "Somebody else")
    read_names(company_id=company.id, readings=[reading])
    again(company, reads=True)


def test_an_account_that_holds_no_cash_any_more_is_seen(company: CompanyRef) -> None:
    again(company, reads=True)
    Account.objects.filter(company_id=company.id).update(kind="cloud")
    again(company, reads=True)


def test_another_day_and_another_company_are_other_questions(company: CompanyRef) -> None:
    again(company, reads=True)
    other = small_company("other")
    catch_up(company_id=other.id)
    again(other, reads=True)
    again(company, reads=False)
    kept_flows(company_id=company.id, until=AS_OF - timedelta(days=1))
    again(company, reads=True)


def test_it_keeps_no_more_than_it_may_and_lets_go_of_what_was_not_asked_for_the_longest(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = small_company("other")
    catch_up(company_id=other.id)
    again(company, reads=True)
    again(other, reads=True)
    monkeypatch.setattr(module, "MAX_BYTES", sum(kept.nbytes for kept in module._kept.values()) + 10)
    again(company, reads=False)
    third = small_company("third")
    catch_up(company_id=third.id)
    again(third, reads=True)
    again(company, reads=False)
    again(other, reads=True)
