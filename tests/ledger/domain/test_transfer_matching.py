"""Pairing the legs of transfers: as many as possible, then as close as possible."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations, product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import transfer_matching
from ledger.domain.transfer_matching import Leg, match_legs

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = {1: ("bank", "bank"), 2: ("stripe", "processor"), 3: ("card-brex", "card")}


def leg(key: int, direction: str, *, account: int, hours: int = 0, amount: str = "100", **changes: Any) -> Leg:
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


def keys(legs: list[Leg]) -> list[tuple[int, int, bool]]:
    return [(pair.leaving.key, pair.arriving.key, pair.sure) for pair in match_legs(legs)]


def test_a_payout_and_its_deposit_are_one_transfer() -> None:
    assert keys([leg(1, "out", account=2), leg(2, "in", account=1, hours=48)]) == [(1, 2, True)]


def test_a_deposit_called_income_is_the_payout_when_its_statement_names_the_processor() -> None:
    payout = leg(1, "out", account=2)
    named = leg(2, "in", account=1, hours=30, event_type="income", counterparty="STRIPE TRANSFER ST-A1B2")
    assert keys([payout, named]) == [(1, 2, True)]
    nameless = leg(2, "in", account=1, hours=30, event_type="income", counterparty="Globex")
    assert keys([payout, nameless]) == [(1, 2, False)]


def test_income_and_expense_alone_are_no_transfer() -> None:
    assert (
        keys([leg(1, "out", account=2, event_type="expense"), leg(2, "in", account=1, event_type="income")]) == []
    )


def test_what_cannot_be_is_not_paired() -> None:
    out = leg(1, "out", account=2)
    for stranger in (
        leg(2, "in", account=2),
        leg(2, "in", account=1, amount="100.01"),
        leg(2, "in", account=1, hours=24 * 7 + 1),
        leg(2, "in", account=1, hours=-49),
        leg(2, "out", account=1),
    ):
        assert keys([out, stranger]) == []


def test_a_conversion_is_paired_by_its_worth() -> None:
    dollars = leg(1, "out", account=2, amount="1000")
    euros = {"currency": "EUR", "amount": "900"}
    assert keys([dollars, leg(2, "in", account=1, base_amount=Decimal(990), **euros)]) == [(1, 2, True)]
    assert keys([dollars, leg(2, "in", account=1, base_amount=Decimal(975), **euros)]) == [(1, 2, False)]
    assert keys([dollars, leg(2, "in", account=1, base_amount=Decimal(960), **euros)]) == []


def test_a_rate_that_the_sender_states_goes_before_the_rates_of_the_day() -> None:
    euros = {"currency": "EUR", "amount": "900", "base_amount": Decimal(800)}
    for rate in ("1.11111", "0.9"):
        dollars = leg(1, "out", account=2, amount="1000", stated_rate=Decimal(rate))
        assert keys([dollars, leg(2, "in", account=1, **euros)]) == [(1, 2, True)]


def test_the_nearest_pair_does_not_leave_another_leg_alone() -> None:
    # Greedy takes (2, 3), an hour apart, and leaves 1 and 4 with nobody.
    legs = [
        leg(1, "out", account=2, hours=0),
        leg(2, "out", account=2, hours=100),
        leg(3, "in", account=1, hours=101),
        leg(4, "in", account=1, hours=210),
    ]
    assert [pair[:2] for pair in keys(legs)] == [(1, 3), (2, 4)]


def test_a_group_cut_by_time_uses_no_leg_twice(monkeypatch: Any) -> None:
    monkeypatch.setattr(transfer_matching, "MAX_GROUP", 3)
    legs = [leg(n, "out", account=2, hours=24 * n) for n in range(20)]
    legs += [leg(100 + n, "in", account=1, hours=24 * n + 2) for n in range(20)]
    assert [pair[:2] for pair in keys(legs)] == [(n, 100 + n) for n in range(20)]


some_legs = st.lists(
    st.tuples(
        st.sampled_from(["out", "in"]),
        st.sampled_from([1, 2, 3]),
        st.integers(0, 240),
        st.sampled_from(["100", "200"]),
        st.sampled_from(["transfer", "transfer", "own"]),
    ),
    max_size=8,
)


def made(rows: list[tuple[str, int, int, str, str]]) -> list[Leg]:
    own = {"in": "income", "out": "expense"}
    return [
        leg(n, way, account=account, hours=hours, amount=amount, event_type=own[way] if kind == "own" else kind)
        for n, (way, account, hours, amount, kind) in enumerate(rows)
    ]


@settings(deadline=None, max_examples=150)
@given(rows=some_legs, seed=st.randoms())
def test_the_order_of_the_legs_does_not_matter_and_none_is_used_twice(rows: Any, seed: Any) -> None:
    legs = made(rows)
    expected = keys(legs)
    seed.shuffle(legs)
    assert keys(legs) == expected
    used = [key for pair in expected for key in pair[:2]]
    assert len(used) == len(set(used))


@settings(deadline=None, max_examples=100)
@given(rows=some_legs)
def test_no_other_way_pairs_more_legs_or_as_many_at_a_lower_cost(rows: Any) -> None:
    legs = made(rows)
    pairs = match_legs(legs)
    sure = [pair for pair in pairs if pair.sure]
    used = {key for pair in sure for key in (pair.leaving.key, pair.arriving.key)}
    assert counted(sure) == best_of(legs, transfer_matching._is_sure)
    rest = [each for each in legs if each.key not in used]
    assert counted([pair for pair in pairs if not pair.sure]) == best_of(rest, lambda _out, _into: True)


def counted(pairs: list[Any]) -> tuple[int, int]:
    return -len(pairs), sum(worth(pair.leaving, pair.arriving) or 0 for pair in pairs)


def best_of(legs: list[Leg], fits: Any) -> tuple[int, int]:
    outs = [each for each in legs if each.direction == "out"]
    ins = [each for each in legs if each.direction == "in"]
    possible = {
        (o.key, i.key): cost for o, i in product(outs, ins) if (cost := worth(o, i)) is not None and fits(o, i)
    }
    return min((score(way, possible) for way in ways(outs, ins)), default=(0, 0))


def worth(out: Leg, into: Leg) -> int | None:
    gap = into.occurred_at - out.occurred_at
    if not timedelta(days=-2) <= gap <= timedelta(days=7):
        return None
    return transfer_matching._cost(out, into)


def ways(outs: list[Leg], ins: list[Leg]) -> Any:
    """Every way to give each leaving leg one arriving leg or none."""
    padded = [each.key for each in ins] + [None] * len(outs)
    seen = set()
    for order in permutations(padded, len(outs)):
        if order not in seen:
            seen.add(order)
            yield list(zip((each.key for each in outs), order, strict=True))


def score(way: list[tuple[int, int | None]], possible: dict) -> tuple[int, int]:
    pairs = [pair for pair in way if pair in possible]
    return -len(pairs), sum(possible[pair] for pair in pairs)
