"""The idempotency key: golden vectors that must never change, and what makes two events one."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.identity import encoding, event_id, utc_text
from ledger.domain.money import canonical

COFFEE: dict[str, Any] = {
    "company_id": 7,
    "source": "stripe",
    "event_type": "expense",
    "direction": "out",
    "account_id": 42,
    "amount": Decimal(1250),
    "currency": "USD",
    "occurred_at": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    "external_ref": "ch_1",
}

# Change one of these and every repeat of every company counts as new.
GOLDEN = [
    ({}, "90c02bcfa06058a3cbfe1ed9058b817bb689a554a56bb6833a7d2b9c83ae83c5"),
    ({"external_ref": ""}, "df0777aa3456a6abf85c83d2dd10f328a268aedc592e42f7cb6419bdba39b78a"),
    ({"revision": 1}, "9969ca1e4a393c7b9109b1ab884e61b23b0c2b4bcc4d499f859ded1a2c770cb7"),
    ({"reverses": "ab" * 32}, "ee6b6f40d28c3f98b15f28833f1ccced9347e557604a3a448483208c7a111c8c"),
    (
        {"source": "zürich-bank", "external_ref": "café ☕"},
        "407b58152b1ea935e125d59c14dce71a530af83e68f853300177361b92db49d7",
    ),
    (
        {"amount": Decimal("0.000001"), "currency": "JPY"},
        "780161724d10fdb8bdf4bded37b3b42697f0f55167172617ba57067f2e8820cd",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), GOLDEN)
def test_it_gives_the_id_it_always_gave(changes: dict[str, Any], expected: str) -> None:
    assert event_id(**{**COFFEE, **changes}).hex() == expected


def test_its_bytes_are_those_of_the_documentation() -> None:
    assert encoding(
        **{**COFFEE, "amount": canonical(COFFEE["amount"]), "occurred_at": utc_text(COFFEE["occurred_at"])}
    ) == (
        b"capstack.event.1\n"
        b"1:76:stripe7:expense3:out2:4211:1250.0000003:USD27:2026-03-01T09:30:00.000000Z4:ch_11:00:"
    )


def test_a_text_of_several_bytes_counts_bytes() -> None:
    text = encoding(
        **{**COFFEE, "source": "é", "amount": "1.000000", "occurred_at": utc_text(COFFEE["occurred_at"])}
    )
    assert b"2:\xc3\xa97:expense" in text


def test_it_digests_the_documented_bytes() -> None:
    text = encoding(
        **{**COFFEE, "amount": canonical(COFFEE["amount"]), "occurred_at": utc_text(COFFEE["occurred_at"])}
    )
    assert event_id(**COFFEE) == sha256(text).digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"company_id": 8},
        {"source": "plaid"},
        {"event_type": "income"},
        {"direction": "in"},
        {"account_id": 43},
        {"amount": Decimal("1250.000001")},
        {"currency": "EUR"},
        {"occurred_at": datetime(2026, 3, 1, 9, 30, 0, 1, tzinfo=UTC)},
        {"external_ref": "ch_2"},
        {"revision": 1},
        {"reverses": "00" * 32},
    ],
)
def test_every_field_makes_another_event(changes: dict[str, Any]) -> None:
    assert event_id(**{**COFFEE, **changes}) != event_id(**COFFEE)


def test_equal_amounts_are_one_however_written() -> None:
    ids = {event_id(**{**COFFEE, "amount": Decimal(text)}) for text in ("1", "1.0", "1.000000", "01.00")}
    assert len(ids) == 1


def test_equal_instants_are_one_in_every_zone() -> None:
    instant = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    zones = (UTC, timezone(timedelta(hours=5, minutes=30)), ZoneInfo("America/New_York"))
    ids = {event_id(**{**COFFEE, "occurred_at": instant.astimezone(zone)}) for zone in zones}
    assert len(ids) == 1


def test_it_refuses_a_naive_datetime() -> None:
    with pytest.raises(ValueError, match="naive"):
        event_id(**{**COFFEE, "occurred_at": datetime(2026, 3, 1)})


texts = st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)


@given(first=st.tuples(texts, texts), second=st.tuples(texts, texts))
def test_no_text_can_pass_for_part_of_another_field(first: tuple[str, str], second: tuple[str, str]) -> None:
    def encoded(pair: tuple[str, str]) -> bytes:
        fields = {**COFFEE, "amount": "1.000000", "occurred_at": utc_text(COFFEE["occurred_at"])}
        return encoding(**{**fields, "source": pair[0], "external_ref": pair[1]})

    assert (encoded(first) == encoded(second)) == (first == second)


@given(
    instant=st.datetimes(min_value=datetime(1999, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.timezones())
)
def test_an_instant_is_spelled_with_microseconds_and_a_z(instant: datetime) -> None:
    text = utc_text(instant)
    assert len(text) == 27
    assert datetime.fromisoformat(text) == instant.astimezone(UTC)
