"""Several legs that are one leg together, and when that is plain."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import batches
from ledger.domain.batches import find_batches
from ledger.domain.transfer_matching import Leg

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = {1: ("bank", "bank"), 2: ("stripe", "processor"), 3: ("card-brex", "card")}


def leg(key: int, direction: str, amount: str, *, hours: int = 0, **changes: Any) -> Leg:
    account = changes.pop("account", 2 if direction == "out" else 1)
    fields = {
        "key": key,
        "account_id": account,
        "account": NAMES[account][0],
        "kind": NAMES[account][1],
        "event_type": "transfer",
        "direction": direction,
        "amount": Decimal(amount),
        "currency": "USD",
        "base_amount": Decimal(amount),
        "occurred_at": START + timedelta(hours=hours),
        "counterparty": "",
        **changes,
    }
    return Leg(**fields)


def found(legs: list[Leg]) -> list[tuple[str, bool]]:
    return [(batch.name, batch.sure) for batch in find_batches(legs)]


def test_payouts_that_arrive_as_one_deposit_are_a_batch() -> None:
    payouts = [leg(1, "out", "100.10"), leg(2, "out", "250", hours=24)]
    assert found([*payouts, leg(3, "in", "350.10", hours=48)]) == [("3-1-2", True)]


def test_a_payout_that_arrives_as_several_deposits_is_a_batch() -> None:
    deposits = [leg(2, "in", "60", hours=24), leg(3, "in", "40", hours=30)]
    assert found([leg(1, "out", "100"), *deposits]) == [("1-2-3", True)]


def test_a_deposit_called_income_is_a_batch_when_its_statement_names_the_processor() -> None:
    payouts = [leg(1, "out", "100"), leg(2, "out", "250")]
    named = {"event_type": "income", "hours": 24}
    assert found([*payouts, leg(3, "in", "350", counterparty="STRIPE TRANSFER", **named)]) == [("3-1-2", True)]
    assert found([*payouts, leg(3, "in", "350", counterparty="Globex", **named)]) == [("3-1-2", False)]


def test_two_solutions_are_both_asked_about() -> None:
    payouts = [leg(1, "out", "100"), leg(2, "out", "200"), leg(3, "out", "250"), leg(4, "out", "50")]
    assert found([*payouts, leg(5, "in", "300", hours=24)]) == [("5-1-2", False), ("5-3-4", False)]


def test_two_deposits_that_want_the_same_payouts_are_both_asked_about() -> None:
    payouts = [leg(1, "out", "100"), leg(2, "out", "200")]
    deposits = [leg(3, "in", "300", hours=24), leg(4, "in", "300", hours=48)]
    assert found([*payouts, *deposits]) == [("3-1-2", False), ("4-1-2", False)]


def test_what_cannot_be_one_transfer_is_no_batch() -> None:
    payout, deposit = leg(1, "out", "100"), leg(9, "in", "300", hours=24)
    for stranger in (
        leg(2, "out", "200", account=3),
        leg(2, "out", "200", account=1),
        leg(2, "out", "200", currency="EUR"),
        leg(2, "out", "199.99"),
        leg(2, "out", "200", hours=-24 * 7),
        leg(2, "in", "200"),
    ):
        assert found([payout, stranger, deposit]) == []


def test_a_sum_found_among_many_is_asked_about() -> None:
    payouts = [leg(n, "out", f"{n}.01") for n in range(1, batches.SURE_CANDIDATES + 2)]
    ((_, sure), *_) = found([*payouts, leg(99, "in", "17.02", hours=24)])
    assert not sure


def test_a_search_that_is_cut_short_is_never_sure(monkeypatch: Any) -> None:
    payouts = [leg(n, "out", amount) for n, amount in enumerate(("3", "5", "11", "20"))]
    deposit = leg(99, "in", "8", hours=1)
    answers = []
    for looks in range(1, 40):
        monkeypatch.setattr(batches, "MAX_LOOKS", looks)
        answers.append(found([*payouts, deposit]))
    assert answers[-1] == [("99-0-1", True)]
    assert [("99-0-1", False)] in answers


def test_a_part_belongs_to_a_batch_but_is_none() -> None:
    parts = [leg(1, "out", "100", part=1), leg(2, "out", "50", part=2)]
    assert found([*parts, leg(3, "in", "150", hours=1)]) == [("3-1.1-2.2", True)]
    assert found([leg(1, "out", "150", part=1), leg(2, "in", "100"), leg(3, "in", "50")]) == []


some_legs = st.lists(
    st.tuples(st.sampled_from(["out", "in"]), st.integers(1, 12), st.integers(0, 120), st.sampled_from([1, 2, 3])),
    max_size=9,
)


def made(rows: list[tuple[str, int, int, int]]) -> list[Leg]:
    return [
        leg(n, way, f"{amount}.50", hours=hours, account=account)
        for n, (way, amount, hours, account) in enumerate(rows)
    ]


@settings(deadline=None, max_examples=200)
@given(rows=some_legs, seed=st.randoms())
def test_a_sure_batch_adds_up_and_nothing_else_does(rows: Any, seed: Any) -> None:
    legs = made(rows)
    batches_found = find_batches(legs)
    shuffled = list(legs)
    seed.shuffle(shuffled)
    assert find_batches(shuffled) == batches_found
    sure = [batch for batch in batches_found if batch.sure]
    used = [each.name for batch in sure for each in (batch.one, *batch.many)]
    assert len(used) == len(set(used))
    for batch in batches_found:
        assert sum(each.amount for each in batch.many) == batch.one.amount
        assert len({each.account_id for each in batch.many}) == 1
    for batch in sure:
        assert [other for other in everything(legs) if not other.isdisjoint(names(batch))] == [names(batch)]


def names(batch: Any) -> set[str]:
    return {batch.one.name, *(each.name for each in batch.many)}


def everything(legs: list[Leg]) -> list[set[str]]:
    """Every way in which several legs are one, by brute force."""
    ways = []
    for one in legs:
        others = [each for each in legs if batches._may_belong(one, each)]
        for size in range(2, len(others) + 1):
            for many in combinations(others, size):
                one_account = len({each.account_id for each in many}) == 1
                if one_account and sum(each.amount for each in many) == one.amount:
                    ways.append({one.name, *(each.name for each in many)})
    return ways
