"""The matcher on a real journal: one transfer counts once, and what is doubtful waits for a person."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.domain.flows import EVENT_TYPES
from ledger.models.company import Company
from ledger.models.event import CapitalEvent
from ledger.models.matching import AccountFeed, TransferLeg, TransferMatch
from ledger.models.review import ReviewItem, ReviewState
from ledger.selectors.balances import cash_by_currency
from ledger.selectors.flows import daily_flows
from ledger.services import match
from ledger.services.daily_flows import catch_up
from ledger.services.match import companies_to_match, follow_journal
from ledger.services.pairing import CannotMatch, match_by_hand, take_apart
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.review import CannotDecide, Decision, decide, reopen
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db
UNTIL = date(2026, 12, 31)


def write(company: CompanyRef, **changes: Any) -> str:
    draft = make_draft(external_ref=f"{sorted(changes.items())}", **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded", outcome
    return outcome.event_id


def sale(company: CompanyRef, amount: str = "1000") -> str:
    return write(
        company, source="stripe", event_type="income", amount=amount, account="stripe", counterparty="Globex"
    )


def payout(company: CompanyRef, amount: str = "1000", **changes: Any) -> str:
    fields = {"source": "stripe", "event_type": "transfer", "direction": "out", "account": "stripe", **changes}
    return write(company, amount=amount, occurred_at=fields.pop("at", "2026-06-02T10:00:00Z"), **fields)


def deposit(company: CompanyRef, amount: str = "1000", **changes: Any) -> str:
    fields = {
        "source": "bank-feed",
        "event_type": "income",
        "account": "bank",
        "counterparty": "STRIPE TRANSFER ST-A1",
        **changes,
    }
    return write(company, amount=amount, occurred_at=fields.pop("at", "2026-06-04T10:00:00Z"), **fields)


def follow(company: CompanyRef, *, now: datetime = NOW - timedelta(days=10)) -> None:
    follow_journal(company_id=company.id, now=now)


def by_type(company: CompanyRef) -> dict[str, float]:
    catch_up(company_id=company.id)
    flows = daily_flows(company_id=company.id, until=UNTIL)
    sums: dict[str, float] = {}
    for code, amount in zip(flows.event_type, flows.amount, strict=True):
        sums[EVENT_TYPES[code]] = sums.get(EVENT_TYPES[code], 0.0) + float(amount)
    return {name: amount for name, amount in sums.items() if amount}


def cash(company: CompanyRef) -> Decimal:
    catch_up(company_id=company.id)
    return cash_by_currency(company_id=company.id, at=UNTIL)["USD"]


@pytest.mark.parametrize("summed", ["before", "after"])
@pytest.mark.parametrize("first", ["payout", "deposit"])
def test_a_payout_and_the_income_its_bank_saw_count_once(company: CompanyRef, summed: str, first: str) -> None:
    sale(company)
    for each in (payout, deposit) if first == "payout" else (deposit, payout):
        each(company)
        if summed == "before":
            catch_up(company_id=company.id)
        follow(company)
    assert by_type(company) == {"income": 1000.0}
    assert cash(company) == 1000
    assert CapitalEvent.objects.get(source="bank-feed").event_type == "income"
    assert not ReviewItem.objects.filter(state=ReviewState.OPEN).exists()


def test_the_days_cut_anew_know_of_the_match(company: CompanyRef) -> None:
    sale(company)
    payout(company)
    deposit(company)
    catch_up(company_id=company.id)
    follow(company)
    Company.objects.filter(id=company.id).update(timezone="Asia/Tokyo")
    assert by_type(company) == {"income": 1000.0}


def test_steps_of_one_position_find_the_same(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "POSITIONS_PER_STEP", 1)
    sale(company)
    payout(company)
    deposit(company)
    follow(company)
    assert by_type(company) == {"income": 1000.0}
    assert companies_to_match(now=NOW - timedelta(days=10)) == ()


def test_a_later_leg_that_fits_better_takes_the_place(company: CompanyRef) -> None:
    late = deposit(company, event_type="transfer", direction="in", at="2026-06-05T10:00:00Z")
    payout(company)
    follow(company)
    near = deposit(company, event_type="transfer", direction="in", at="2026-06-02T12:00:00Z")
    follow(company)
    matched = TransferLeg.objects.filter(match__isnull=False, direction="in").values_list("event_id", flat=True)
    assert [bytes(event_id).hex() for event_id in matched] == [near]
    assert late != near


def test_reversing_a_leg_frees_the_other(company: CompanyRef) -> None:
    sale(company)
    gone = payout(company)
    deposit(company)
    follow(company)
    reverse(company_id=company.id, event_id=gone, reason="payout failed", actor="t", now=NOW)
    follow(company)
    assert by_type(company) == {"income": 2000.0}
    assert TransferMatch.objects.get().end_reason == "the event was reversed"


def test_reversing_the_deposit_takes_it_out_of_the_transfers(company: CompanyRef) -> None:
    sale(company)
    payout(company)
    gone = deposit(company)
    catch_up(company_id=company.id)
    follow(company)
    reverse(company_id=company.id, event_id=gone, reason="bounced", actor="t", now=NOW)
    assert by_type(company) == {"income": 1000.0, "transfer": -1000.0}
    follow(company)
    assert by_type(company) == {"income": 1000.0, "transfer": -1000.0}


def test_a_deposit_that_does_not_name_the_processor_is_asked_about(company: CompanyRef) -> None:
    sale(company)
    payout(company)
    deposit(company, counterparty="Initech")
    follow(company)
    item = ReviewItem.objects.get(kind="pair")
    assert by_type(company)["income"] == 2000
    decide(company_id=company.id, item_id=item.id, decision=Decision("accepted"), actor="ann", now=NOW)
    assert by_type(company) == {"income": 1000.0}
    item.refresh_from_db()
    assert (item.state, item.actor) == ("accepted", "ann")


def test_a_refused_pair_is_not_suggested_again(company: CompanyRef) -> None:
    payout(company)
    deposit(company, counterparty="Initech")
    follow(company)
    item = ReviewItem.objects.get(kind="pair")
    decide(company_id=company.id, item_id=item.id, decision=Decision("dismissed"), actor="ann", now=NOW)
    deposit(company, counterparty="Hooli", at="2026-06-03T10:00:00Z")
    follow(company)
    assert [each.state for each in ReviewItem.objects.filter(kind="pair").order_by("id")] == ["dismissed", "open"]


def test_a_pair_taken_apart_stays_apart(company: CompanyRef) -> None:
    sale(company)
    payout(company)
    deposit(company)
    follow(company)
    (found,) = TransferMatch.objects.all()
    assert take_apart(company_id=company.id, match_id=found.id, actor="ann", reason="no", now=NOW)
    assert not take_apart(company_id=company.id, match_id=found.id, actor="bob", reason="no", now=NOW)
    write(company, event_type="transfer", direction="in", amount="5", account="stripe")
    follow(company)
    assert TransferMatch.objects.filter(ended_at=None).count() == 0
    assert by_type(company)["income"] == 2000


def test_an_overdue_leg_is_asked_about_until_its_other_side_arrives(company: CompanyRef) -> None:
    payout(company)
    follow(company, now=datetime.fromisoformat("2026-06-05T00:00:00Z"))
    assert not ReviewItem.objects.exists()
    later = datetime.fromisoformat("2026-06-10T00:00:00Z")
    assert companies_to_match(now=later) == (company.id,)
    follow(company, now=later)
    assert companies_to_match(now=later) == ()
    item = ReviewItem.objects.get(kind="leg")
    assert (item.amount, item.currency, item.day) == (1000, "USD", date(2026, 6, 2))
    deposit(company)
    follow(company, now=later)
    item.refresh_from_db()
    assert (item.state, item.actor) == ("closed", "matcher")


def test_two_sources_on_one_account_are_suspected_and_one_is_reversed(company: CompanyRef) -> None:
    write(company, source="plaid", amount="42", account="bank", counterparty="Gusto")
    write(company, source="csv", amount="42", account="bank", counterparty="GUSTO PAY 123456")
    write(company, source="csv", amount="43", account="bank")
    follow(company)
    follow(company)
    item = ReviewItem.objects.get()
    assert (item.kind, item.positions, item.state) == ("twins", [1, 2], "open")
    decide(company_id=company.id, item_id=item.id, decision=Decision("accepted"), actor="ann", now=NOW)
    assert by_type(company) == {"expense": -85.0}
    assert CapitalEvent.objects.get(reverses__isnull=False).reason == "the same money as event 1"
    with pytest.raises(CannotDecide, match="meanwhile"):
        decide(company_id=company.id, item_id=item.id, decision=Decision("dismissed"), actor="bob", now=NOW)
    follow(company)
    assert ReviewItem.objects.get().state == "accepted"


def test_a_reversal_is_looked_for_among_reversals_and_not_among_all_events_of_an_instant(
    company: CompanyRef,
) -> None:
    values = {"company": company.id, "after": 0, "until": 9, "accounts": [1], "near": timedelta(days=3)}
    with connection.cursor() as cursor:
        # A month of a few events, once it is analysed, is read whole at less cost than by any index.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (COSTS OFF) {match._SIGHTINGS}", values)
        scans = [line for (line,) in cursor.fetchall() if re.search(r"ledger_capitalevent\w* b_?", line)]
    assert scans
    assert all("reverses_idx on" in scan for scan in scans), scans


def test_reversing_a_twin_elsewhere_settles_the_question(company: CompanyRef) -> None:
    one = write(company, source="plaid", amount="42", account="bank")
    write(company, source="csv", amount="42", account="bank")
    follow(company)
    reverse(company_id=company.id, event_id=one, reason="double", actor="t", now=NOW)
    follow(company)
    assert ReviewItem.objects.get().state == "closed"


def test_an_explanation_needs_a_reason_and_can_be_taken_back(company: CompanyRef) -> None:
    payout(company)
    follow(company, now=NOW)
    item = ReviewItem.objects.get()
    for state, reason in (("explained", " "), ("accepted", ""), ("open", ""), ("explained", "x" * 256)):
        decision = Decision(state, reason)
        with pytest.raises(CannotDecide):
            decide(company_id=company.id, item_id=item.id, decision=decision, actor="ann", now=NOW)
    item.refresh_from_db()
    assert item.state == "open"
    decide(company_id=company.id, item_id=item.id, decision=Decision("explained", "cheque"), actor="a", now=NOW)
    follow(company, now=NOW)
    item.refresh_from_db()
    assert (item.state, item.reason) == ("explained", "cheque")
    assert reopen(company_id=company.id, item_id=item.id, now=NOW)


def test_another_companys_question_does_not_exist(company: CompanyRef) -> None:
    payout(company)
    follow(company, now=NOW)
    item = ReviewItem.objects.get()
    with pytest.raises(CannotDecide, match="no such"):
        decide(company_id=company.id + 1, item_id=item.id, decision=Decision("dismissed"), actor="a", now=NOW)


def test_only_two_waiting_sides_can_be_matched_by_hand(company: CompanyRef) -> None:
    payout(company)
    payout(company, at="2026-06-02T11:00:00Z")
    deposit(company, "999", event_type="transfer", direction="in")
    follow(company)
    for other in (2, 99):
        with pytest.raises(CannotMatch):
            match_by_hand(company_id=company.id, legs=((1, 0), (other, 0)), actor="ann", now=NOW)
    match_by_hand(company_id=company.id, legs=((3, 0), (1, 0)), actor="ann", now=NOW)
    found = TransferMatch.objects.get()
    assert (found.out_position, found.in_position, found.origin) == (1, 3, "ann")


def test_feeds_are_told_apart_by_source(company: CompanyRef) -> None:
    write(company, source="plaid", amount="1", account="bank")
    write(company, source="plaid", amount="2", account="bank", occurred_at="2026-06-09T10:00:00Z")
    write(company, source="csv", amount="3", account="bank")
    follow(company)
    feeds = {feed.source: (feed.events, feed.last_occurred_at.date()) for feed in AccountFeed.objects.all()}
    assert feeds == {"plaid": (2, date(2026, 6, 9)), "csv": (1, date(2026, 6, 1))}


def test_the_sums_stay_equal_to_the_journal_whatever_was_matched(company: CompanyRef) -> None:
    sale(company)
    payout(company)
    gone = deposit(company)
    catch_up(company_id=company.id)
    follow(company)
    reverse(company_id=company.id, event_id=gone, reason="x", actor="t", now=NOW)
    catch_up(company_id=company.id)
    follow(company)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(CASE direction WHEN 'in' THEN amount ELSE -amount END), sum(count) FROM ledger_dailyflow"
        )
        summed = cursor.fetchone()
        cursor.execute(
            "SELECT sum(CASE direction WHEN 'in' THEN amount ELSE -amount END),"
            " sum(CASE WHEN reverses IS NULL THEN 1 ELSE -1 END) FROM ledger_capitalevent"
        )
        assert cursor.fetchone() == summed
