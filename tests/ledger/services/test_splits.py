"""An event read as parts: what it counts as, whom it is matched with, and how it becomes one thing again."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.company import CompanyRef
from ledger.domain.split import CannotSplit, Part
from ledger.models.company import Company
from ledger.models.daily_flow import DailyFlow
from ledger.models.event import CapitalEvent
from ledger.models.matching import EventPart, EventSplit, TransferLeg, TransferMatch
from ledger.models.review import ReviewItem
from ledger.selectors.audit import audit
from ledger.services.daily_flows import catch_up
from ledger.services.match import follow_journal
from ledger.services.pairing import take_apart
from ledger.services.reverse import reverse
from ledger.services.review import CannotDecide, Decision, decide, reopen
from ledger.services.splits import WantedPart, put_together, split_by_hand
from tests.ledger.conftest import NOW
from tests.ledger.services.test_match import by_type, cash, deposit, follow, payout, sale, write

pytestmark = pytest.mark.django_db


def split(company: CompanyRef, position: int, *parts: tuple[Any, ...]) -> EventSplit:
    """Split into (amount, type, category, other leg)."""
    wanted = []
    for amount, *rest in parts:
        event_type, category, other = (*rest, *("", "", None)[len(rest) :])
        wanted.append(WantedPart(Part(Decimal(amount), event_type, category), other))
    return split_by_hand(company_id=company.id, position=position, wanted=wanted, actor="ann", now=NOW)


def together(company: CompanyRef, made: EventSplit) -> bool:
    return put_together(company_id=company.id, split_id=made.pk, actor="ann", reason="no", now=NOW)


def matched() -> list[tuple[str, str]]:
    found = TransferMatch.objects.filter(ended_at=None).order_by("out_position", "out_part", "in_position")
    return [(f"{each.out_position}.{each.out_part}", f"{each.in_position}.{each.in_part}") for each in found]


def flows() -> dict[tuple[str, str], Decimal]:
    rows = DailyFlow.objects.exclude(amount=0).values_list("event_type", "category", "direction", "amount")
    sums: dict[tuple[str, str], Decimal] = {}
    for event_type, category, direction, amount in rows:
        sums[event_type, category] = sums.get((event_type, category), Decimal(0)) + (
            amount if direction == "in" else -amount
        )
    return sums


def holds(company: CompanyRef) -> None:
    assert [finding.difference for finding in audit(companies=[company]) if finding.difference] == []


@pytest.mark.parametrize("summed", ["before", "after"])
def test_a_payment_that_is_part_transfer_and_part_expense_counts_as_both(company: CompanyRef, summed: str) -> None:
    write(company, event_type="expense", amount="1000", account="bank", category="card bill")
    write(
        company, event_type="transfer", direction="in", amount="950", account="card", source="brex",
        occurred_at="2026-06-02T10:00:00Z",
    )  # fmt: skip
    if summed == "before":
        catch_up(company_id=company.id)
    follow(company)
    made = split(company, 1, ("950", "transfer", "", (2, 0)), ("50", "", "fees"))
    catch_up(company_id=company.id)
    assert flows() == {("expense", "fees"): -50, ("transfer", "card bill"): -950, ("transfer", ""): 950}
    assert matched() == [("1.1", "2.0")]
    assert cash(company) == -50
    holds(company)
    assert together(company, made)
    assert not together(company, made)
    assert flows() == {("expense", "card bill"): -1000, ("transfer", ""): 950}
    assert matched() == []
    holds(company)


def test_the_journal_is_untouched_and_what_was_split_stays_readable(company: CompanyRef) -> None:
    write(company, amount="100", account="bank")
    before = list(CapitalEvent.objects.values())
    made = split(company, 1, ("60", "", "rent"), ("40", "", "coffee"))
    together(company, made)
    assert list(CapitalEvent.objects.values()) == before
    made.refresh_from_db()
    assert (made.ended_by, made.end_reason, made.origin) == ("ann", "no", "ann")
    assert list(made.parts.values_list("amount", "category", "in_force")) == [
        (60, "rent", False),
        (40, "coffee", False),
    ]


def test_days_cut_anew_and_a_reversal_know_of_the_parts(company: CompanyRef) -> None:
    gone = write(company, amount="100", account="bank", category="misc")
    catch_up(company_id=company.id)
    split(company, 1, ("60", "", "rent"), ("40", "transfer"))
    Company.objects.filter(id=company.id).update(timezone="Asia/Tokyo")
    catch_up(company_id=company.id)
    assert flows() == {("expense", "rent"): -60, ("transfer", "misc"): -40}
    reverse(company_id=company.id, event_id=gone, reason="x", actor="t", now=NOW)
    catch_up(company_id=company.id)
    follow(company)
    assert flows() == {}
    assert not TransferLeg.objects.filter(reversed=False).exists()
    holds(company)


def test_parts_in_foreign_money_share_its_worth_to_the_last_digit(company: CompanyRef) -> None:
    write(company, amount="100", currency="EUR", account="bank-eur")
    catch_up(company_id=company.id)
    (worth,) = DailyFlow.objects.values_list("base_amount", flat=True)
    split(company, 1, ("33.33", "", "a"), ("33.33", "", "b"), ("33.34", "", "c"))
    assert sum(EventPart.objects.values_list("base_amount", flat=True)) == worth
    holds(company)


def test_what_cannot_be_split_is_refused(company: CompanyRef) -> None:
    write(company, amount="100", account="cloud-aws")
    write(company, amount="100", account="bank", event_type="credit")
    write(company, event_type="income", amount="100", account="bank", metadata={"contract": "c"})
    gone = write(company, amount="100", account="bank")
    reverse(company_id=company.id, event_id=gone, reason="x", actor="t", now=NOW)
    halves = (("50",), ("50",))
    for position, said in (
        (1, "no cash"),
        (2, "no cash"),
        (3, "contract"),
        (4, "reversed"),
        (5, "reversal"),
        (9, "no such"),
    ):
        with pytest.raises(CannotSplit, match=said):
            split(company, position, *halves)
    write(company, amount="100", account="bank", counterparty="Twice")
    split(company, 6, *halves)
    with pytest.raises(CannotSplit, match="split already"):
        split(company, 6, *halves)
    with pytest.raises(CannotSplit, match="no such"):
        split_by_hand(company_id=company.id + 1, position=6, wanted=[], actor="a", now=NOW)
    assert EventSplit.objects.count() == 1


def test_an_other_side_must_wait_and_have_the_amount_of_its_part(company: CompanyRef) -> None:
    write(company, amount="100", account="bank")
    payout(company, "60", direction="in")
    payout(company, "40")
    follow(company)
    for parts, said in (
        ([("70", "transfer", "", (2, 0)), ("30",)], "its other side is 60.00"),
        ([("60", "", "", (2, 0)), ("40",)], "only a transfer"),
        ([("60", "transfer", "", (9, 0)), ("40",)], "not wait"),
        ([("60", "transfer"), ("40", "transfer", "", (3, 0))], "leaves one account"),
        ([("50", "transfer", "", (2, 0)), ("50", "transfer", "", (2, 0))], "other side is"),
    ):
        with pytest.raises(CannotSplit, match=said), transaction.atomic():
            split(company, 1, *parts)
    assert not EventSplit.objects.exists()


def test_a_matched_event_is_taken_apart_before_it_is_split(company: CompanyRef) -> None:
    payout(company)
    deposit(company)
    follow(company)
    with pytest.raises(CannotSplit, match="take the two apart"):
        split(company, 1, ("500",), ("500",))


def test_a_part_that_waits_is_matched_when_its_other_side_comes(company: CompanyRef) -> None:
    write(company, amount="1000", account="bank", counterparty="Brex")
    split(company, 1, ("950", "transfer"), ("50", "", "fees"))
    follow(company)
    write(company, event_type="transfer", direction="in", amount="950", account="card", source="brex")
    follow(company)
    assert matched() == [("1.1", "2.0")]
    assert by_type(company) == {"expense": -50.0}
    holds(company)


def test_a_part_whose_other_side_stays_away_is_asked_about_alone(company: CompanyRef) -> None:
    write(company, amount="1000", account="bank")
    split(company, 1, ("600", "transfer"), ("300", "transfer"), ("100",))
    follow(company, now=NOW)
    asked = ReviewItem.objects.filter(state="open").values_list("subject", "amount")
    assert sorted(asked) == [("1.1", 600), ("1.2", 300)]
    payout(company, "600", direction="in", at="2026-06-01T14:00:00Z")
    follow(company, now=NOW)
    assert list(ReviewItem.objects.filter(state="open").values_list("subject", flat=True)) == ["1.2"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_payouts_and_the_one_deposit_their_bank_saw_count_once(
    company: CompanyRef, order: tuple[int, ...]
) -> None:
    sale(company)
    steps = [
        lambda: payout(company, "300"),
        lambda: payout(company, "700", at="2026-06-02T11:00:00Z"),
        lambda: deposit(company, "1000"),
    ]
    for place in order:
        steps[place]()
        follow(company)
        catch_up(company_id=company.id)
    assert by_type(company) == {"income": 1000.0}
    assert cash(company) == 1000
    assert len(matched()) == 2
    assert not ReviewItem.objects.filter(state="open").exists()
    holds(company)


def test_a_deposit_of_the_very_amount_goes_before_a_sum(company: CompanyRef) -> None:
    payout(company, "300")
    payout(company, "700", at="2026-06-02T11:00:00Z")
    deposit(company, "1000")
    follow(company)
    assert len(matched()) == 2
    deposit(company, "300", event_type="transfer", direction="in", at="2026-06-03T10:00:00Z")
    deposit(company, "700", event_type="transfer", direction="in", at="2026-06-03T11:00:00Z")
    follow(company)
    assert matched() == [("1.0", "4.0"), ("2.0", "5.0")]
    assert EventSplit.objects.get().end_reason == "another match fits better"
    assert by_type(company) == {"income": 1000.0}
    holds(company)


def test_a_batch_in_doubt_is_asked_about_and_accepted_once(company: CompanyRef) -> None:
    for n, amount in enumerate(("100", "200", "250", "50")):
        payout(company, amount, at=f"2026-06-02T1{n}:00:00Z")
    deposit(company, "300")
    follow(company)
    one, other = ReviewItem.objects.filter(kind="batch", state="open").order_by("subject")
    assert (one.subject, other.subject) == ("5-1-2", "5-3-4")
    assert matched() == []
    decide(company_id=company.id, item_id=one.id, decision=Decision("accepted"), actor="ann", now=NOW)
    assert [pair[0] for pair in matched()] == ["1.0", "2.0"]
    other.refresh_from_db()
    assert other.state == "closed"
    with pytest.raises(CannotDecide):
        decide(company_id=company.id, item_id=other.id, decision=Decision("accepted"), actor="bob", now=NOW)
    follow(company)
    assert by_type(company) == {"transfer": -300.0}
    holds(company)


def test_a_batch_taken_apart_stays_apart_until_somebody_asks_again(company: CompanyRef) -> None:
    payout(company, "300")
    payout(company, "700", at="2026-06-02T11:00:00Z")
    deposit(company, "1000")
    follow(company)
    match = TransferMatch.objects.filter(ended_at=None).first()
    assert match is not None
    assert take_apart(company_id=company.id, match_id=match.pk, actor="ann", reason="other bank", now=NOW)
    assert matched() == []
    payout(company, "1", at="2026-06-02T12:00:00Z")
    follow(company)
    assert matched() == []
    assert by_type(company) == {"transfer": -1001.0, "income": 1000.0}
    item = ReviewItem.objects.get(kind="batch")
    assert (item.state, item.actor, item.reason) == ("dismissed", "ann", "other bank")
    assert reopen(company_id=company.id, item_id=item.id, now=NOW)
    decide(company_id=company.id, item_id=item.id, decision=Decision("accepted"), actor="ann", now=NOW)
    assert len(matched()) == 2
    holds(company)


@pytest.mark.parametrize("gone", [0, 2])
def test_reversing_any_side_of_a_batch_frees_the_others(company: CompanyRef, gone: int) -> None:
    ids = [payout(company, "300"), payout(company, "700", at="2026-06-02T11:00:00Z"), deposit(company, "1000")]
    follow(company)
    assert len(matched()) == 2
    reverse(company_id=company.id, event_id=ids[gone], reason="x", actor="t", now=NOW)
    follow(company)
    assert matched() == []
    assert TransferLeg.objects.filter(match=None, reversed=False, is_split=False).count() == 2
    holds(company)


def test_another_companys_split_does_not_exist(company: CompanyRef) -> None:
    write(company, amount="100", account="bank")
    made = split(company, 1, ("50",), ("50",))
    assert not put_together(company_id=company.id + 1, split_id=made.pk, actor="a", reason="x", now=NOW)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cents=st.lists(st.integers(1, 50_000), min_size=2, max_size=6),
    kinds=st.lists(st.sampled_from(["", "transfer", "expense"]), min_size=6, max_size=6),
    summed=st.booleans(),
    undone=st.booleans(),
)
def test_the_sums_are_those_of_the_journal_however_an_event_is_split(
    company: CompanyRef, cents: list[int], kinds: list[str], summed: bool, undone: bool
) -> None:
    with transaction.atomic():
        amount = Decimal(sum(cents)) / 100
        write(company, amount=f"{amount:.2f}", account="bank-eur", currency="EUR")
        if summed:
            catch_up(company_id=company.id)
        parts = [(f"{Decimal(each) / 100:.2f}", kind) for each, kind in zip(cents, kinds, strict=False)]
        made = split(company, 1, *parts)
        follow_journal(company_id=company.id, now=NOW)
        if undone:
            together(company, made)
        catch_up(company_id=company.id)
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(amount), sum(base_amount) FROM ledger_dailyflow")
            summed_up = cursor.fetchone()
            cursor.execute("SELECT sum(amount), sum(base_amount) FROM ledger_capitalevent")
            assert cursor.fetchone() == summed_up
        holds(company)
        transaction.set_rollback(True)
