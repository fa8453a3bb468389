"""Bills of cloud providers as plain values."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.cloud_bill import (
    BillChange,
    BillDigest,
    BillEvent,
    BillKey,
    ChargeSum,
    StandingEvent,
    bill_change,
    bill_events,
    event_name,
)

KEY = BillKey("AWS", "100", date(2025, 11, 1))
END = date(2025, 12, 1)
WHEN = datetime(2025, 12, 1, 12, tzinfo=UTC)
DAYS = [date(2025, 11, 3), date(2025, 11, 4)]
SUMS = st.lists(
    st.builds(
        ChargeSum,
        day=st.sampled_from(DAYS),
        service=st.sampled_from(["EC2", "S3", "x" * 255]),
        charge_type=st.sampled_from(["usage", "tax", "credit", "refund"]),
        billed=st.decimals(min_value=-1000, max_value=1000, places=12),
        lines=st.integers(1, 5),
    ),
    max_size=20,
)


def charge(billed: str, *, day: date = DAYS[0], service: str = "EC2", charge_type: str = "usage") -> ChargeSum:
    return ChargeSum(day, service, charge_type, Decimal(billed), 1)


def standing(change: BillChange, before: dict[str, StandingEvent], currency: str = "USD") -> dict:
    """What stands in a journal after a change, if it stood as `before`; each object is named by its reference."""
    after = dict(before)
    for event in change.take_back:
        del after[event.event_id]
    for reference, event in change.record.items():
        assert not any(
            (old.reference, old.event_type, old.direction) == (reference, event.event_type, event.direction)
            for old in after.values()
        )
        event_id = f"{reference}/{event.event_type}/{event.direction}"
        after[event_id] = StandingEvent(
            event_id, WHEN, reference, event.event_type, event.direction, event.amount, currency
        )
    return after


@given(SUMS)
def test_events_differ_from_the_bill_by_half_a_millionth_each_at_most(sums: list[ChargeSum]) -> None:
    events = bill_events(sums, period_end=END)
    groups = {(part.charge_type == "credit" or part.day, part.service, part.charge_type) for part in sums}
    total = sum((part.billed for part in sums), Decimal(0))
    assert abs(sum((event.signed for event in events), Decimal(0)) - total) <= len(groups) * Decimal("0.0000005")
    assert all(event.amount > 0 for event in events)
    assert len({event.name for event in events}) == len(events)


def test_a_charge_is_an_expense_and_what_runs_against_its_type_an_adjustment() -> None:
    events = bill_events([charge("5"), charge("-2", service="S3"), charge("0", service="SQS")], period_end=END)
    assert [(event.event_type, event.direction, event.amount) for event in events] == [
        ("expense", "out", Decimal(5)),
        ("adjustment", "in", Decimal(2)),
    ]


def test_credits_are_one_event_per_service_on_the_day_the_bill_closes() -> None:
    credits_used = [
        charge("-5", charge_type="credit"),
        charge("-7", charge_type="credit", day=DAYS[1]),
        charge("3", charge_type="credit", service="S3"),
    ]
    assert [
        (event.day, event.event_type, event.direction, event.amount)
        for event in bill_events(credits_used, period_end=END)
    ] == [(END, "credit", "in", Decimal(12)), (END, "adjustment", "out", Decimal(3))]


@given(st.lists(SUMS, min_size=1, max_size=5))
def test_after_every_delivery_the_journal_has_what_the_last_one_says(deliveries: list[list[ChargeSum]]) -> None:
    journal: dict[str, StandingEvent] = {}
    for version, sums in enumerate(deliveries, start=1):
        wanted = bill_events(sums, period_end=END)
        change = bill_change(key=KEY, version=version, currency="USD", wanted=wanted, standing=journal.values())
        assert change.unchanged + len(change.record) == len(wanted)
        journal = standing(change, journal)
        assert {event_name(event.reference): (event.direction, event.amount) for event in journal.values()} == {
            event.name: (event.direction, event.amount) for event in wanted
        }


def test_an_event_that_comes_back_is_a_new_object() -> None:
    (event,) = bill_events([charge("5")], period_end=END)
    first = bill_change(key=KEY, version=1, currency="USD", wanted=[event], standing=[])
    third = bill_change(key=KEY, version=3, currency="USD", wanted=[event], standing=[])
    assert set(first.record) == {f"{KEY.reference}:{event.name}"}
    assert set(third.record) == {f"{KEY.reference}:{event.name}~v3"}
    assert {event_name(reference) for reference in third.record} == {event.name}


def test_the_name_of_a_service_of_any_length_fits_into_a_reference() -> None:
    (event,) = bill_events([charge("5", service="é" * 255)], period_end=END)
    (other,) = bill_events([charge("5", service="é" * 254 + "e")], period_end=END)
    assert len(f"{KEY.reference}:{event.name}~v999") <= 255
    assert event.name != other.name
    assert isinstance(event, BillEvent)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=6), st.randoms())
def test_the_digest_of_a_bill_knows_no_order_and_counts_twins(digests: list[bytes], random: object) -> None:
    def of(parts: list[bytes]) -> bytes:
        digest = BillDigest()
        for part in parts:
            digest.add(part)
        return digest.digest()

    shuffled = list(digests)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert of(digests) == of(shuffled)
    assert of([*digests, b"\1" * 32]) != of([*digests, b"\1" * 32, b"\1" * 32])
