"""A plan from a company whose books are doubtful: read-only, with the reason, until they are in order."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django.fixtures import Settings

from capstack.demo.cloud import seed_groups
from cloudpolicy.selectors.plans import StoredPlan
from cloudpolicy.selectors.unplanned import LOOK_AGAIN_AFTER, unplanned_companies
from cloudpolicy.services.planning import plan_scaling, replan_scaling
from cloudpolicy.services.trusted_again import trusted_again
from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.models.account import Account
from ledger.models.chain_verdict import ChainVerdict
from ledger.selectors.account_books import account_books
from ledger.services.chain_verdicts import verify_and_keep
from ledger.services.match import follow_journal
from ledger.services.record import record
from ledger.services.review import explain_break
from ledger.services.statements import state_balance
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import AS_OF, NOW, steered_company

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def company(aws: RecordingProxy, settings: Settings, tmp_path: object) -> CompanyRef:
    """Spends 1,000 a day on its bank account and has cash for 80 days; its chain is verified."""
    settings.CHAIN_HEADS_PATH = str(tmp_path)
    seed_groups(endpoint=aws.url, region="us-east-1")
    made = steered_company(days=80)
    verify_and_keep(company_id=made.id, now=NOW)
    return made


def codes(plan: StoredPlan) -> list[str]:
    return [reason.code for reason in plan.read_only_because]


def state(company: CompanyRef, day: date, amount: int, *, account: str = "bank") -> None:
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(amount),
        day=day,
        account=account,
        origin="ofx",
        actor="t",
        now=NOW,
    )


def spend(company: CompanyRef, *days: date, **changes: str) -> None:
    fields = {"source": "card", "event_type": "expense", "currency": "USD", **changes}
    drafts = [
        EventDraft(
            amount=Decimal(10),
            occurred_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            external_ref=f"more-{day}-{changes}",
            **fields,  # type: ignore[arg-type]
        )
        for day in days
    ]
    record(company_id=company.id, drafts=drafts, actor="t", now=NOW, create_accounts=True)


def test_books_in_order_are_acted_on(company: CompanyRef) -> None:
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert codes(plan) == []
    assert plan.calls


def test_a_broken_chain_makes_the_next_plan_read_only_without_waiting_for_a_forecast(company: CompanyRef) -> None:
    assert codes(plan_scaling(company_id=company.id, now=NOW)) == []
    assert unplanned_companies(now=NOW + 20 * MINUTE) == ()
    ChainVerdict.objects.update(
        verified_at=NOW + 10 * MINUTE, broken_at=7, kind="removed", detail="the row at 7 is gone"
    )
    assert unplanned_companies(now=NOW + LOOK_AGAIN_AFTER - MINUTE) == ()
    assert unplanned_companies(now=NOW + 11 * MINUTE) == (company.id,)
    plan = replan_scaling(company_id=company.id, now=NOW + 11 * MINUTE)
    assert plan is not None
    assert codes(plan) == ["chain_broken"]
    assert "removed at position 7: the row at 7 is gone" in (plan.read_only_text or "")
    assert unplanned_companies(now=NOW + 30 * MINUTE) == ()


def test_an_old_verdict_makes_the_plan_read_only(company: CompanyRef) -> None:
    ChainVerdict.objects.update(verified_at=NOW - timedelta(days=4))
    assert codes(plan_scaling(company_id=company.id, now=NOW)) == ["chain_check_stale"]


def test_an_unreconciled_account_makes_the_plan_read_only_until_it_is_explained(company: CompanyRef) -> None:
    state(company, AS_OF - timedelta(days=20), 100_000)
    state(company, AS_OF - timedelta(days=10), 89_500)
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert codes(plan) == ["account_unreconciled"]
    assert "bank is unreconciled since 2026-03-21: it is off by -500 USD" in (plan.read_only_text or "")
    (book,) = (
        each
        for each in account_books(company_id=company.id, timezone="UTC", now=NOW)
        if each.account_id == Account.objects.get(name="bank").pk
    )
    assert book.reconciliation is not None
    broken = book.reconciliation.first_break
    assert broken is not None
    turns = [NOW + timedelta(seconds=10 * turn) for turn in range(6)]
    assert [trusted_again(now=turn) for turn in turns] == [()] * 6
    explain_break(
        company_id=company.id,
        account_id=book.account_id,
        currency="USD",
        day=broken.day,
        origin=broken.origin,
        step=broken.step,
        reason="a fee without a receipt",
        actor="ann",
        now=NOW,
    )
    # Nothing was published, and the sweep finds the company all the same: once a minute, and once only.
    assert sorted(trusted_again(now=turn) for turn in turns) == [()] * 5 + [(company.id,)]
    plan = replan_scaling(company_id=company.id, now=NOW + MINUTE)
    assert plan is not None
    assert codes(plan) == []
    assert [trusted_again(now=turn) for turn in turns] == [()] * 6


def test_a_silent_account_makes_the_plan_read_only_unless_it_is_empty_and_given_up(company: CompanyRef) -> None:
    days = [AS_OF - timedelta(days=each) for each in range(140, 160)]
    state(company, days[-1] - timedelta(days=1), 200, account="bank")
    spend(company, *days, account="card-old")
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert codes(plan) == ["account_silent"]
    assert "card-old is silent" in (plan.read_only_text or "")
    # Stated as empty, it holds nothing that could be missing.
    state(company, AS_OF, 0, account="card-old")
    assert codes(plan_scaling(company_id=company.id, now=NOW + MINUTE)) == []


def test_a_feed_that_fell_silent_beside_another_makes_the_plan_read_only(company: CompanyRef) -> None:
    spend(company, *(AS_OF - timedelta(days=each) for each in range(30, 60)), source="plaid")
    follow_journal(company_id=company.id, now=NOW)
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert codes(plan) == ["account_silent"]
    assert "the feed plaid has fallen silent on bank" in (plan.read_only_text or "")


def test_an_account_that_holds_no_cash_does_not_stop_the_policy(company: CompanyRef) -> None:
    spend(company, *(AS_OF - timedelta(days=each) for each in range(40, 60)), account="cloud-aws")
    assert codes(plan_scaling(company_id=company.id, now=NOW)) == []
