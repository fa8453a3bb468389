"""The same money told by two sources."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ledger.domain.twins import Sighting, suspected_twins

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def seen(key: int, source: str, *, days: float = 0, amount: str = "42.10", **changes: Any) -> Sighting:
    fields = {
        "key": key,
        "account_id": 1,
        "source": source,
        "event_type": "expense",
        "direction": "out",
        "amount": Decimal(amount),
        "currency": "USD",
        "occurred_at": START + timedelta(days=days),
        "counterparty": "",
        **changes,
    }
    return Sighting(**fields)


def keys(*sightings: Sighting) -> list[tuple[int, int]]:
    found = suspected_twins(sightings)
    assert found == suspected_twins(sightings[::-1])
    return [(twins.first.key, twins.second.key) for twins in found]


def test_two_sources_that_say_the_same_are_suspected() -> None:
    assert keys(seen(7, "plaid", days=1), seen(3, "csv")) == [(3, 7)]


def test_one_source_may_buy_two_coffees() -> None:
    assert keys(seen(1, "plaid"), seen(2, "plaid")) == []


def test_two_coffees_on_both_sides_are_two_pairs() -> None:
    assert keys(
        seen(1, "csv"), seen(2, "csv", days=1), seen(3, "plaid", days=1.1), seen(4, "plaid", days=0.1)
    ) == [(1, 4), (2, 3)]


def test_another_account_amount_direction_or_week_is_no_twin() -> None:
    for other in ({"account_id": 2}, {"amount": "42.11"}, {"direction": "in"}, {"days": 3.5}, {"currency": "EUR"}):
        assert keys(seen(1, "csv"), seen(2, "plaid", **other)) == []


def test_names_without_a_common_word_speak_against_a_pair_days_apart() -> None:
    gusto, uber = {"counterparty": "Gusto"}, {"counterparty": "UBER TRIP"}
    assert keys(seen(1, "csv", **gusto), seen(2, "plaid", days=2, **uber)) == []
    assert keys(seen(1, "csv", **gusto), seen(2, "plaid", days=0.5, **uber)) == [(1, 2)]
    assert keys(seen(1, "csv", **gusto), seen(2, "plaid", days=2, counterparty="GUSTO PAY 123456")) == [(1, 2)]
