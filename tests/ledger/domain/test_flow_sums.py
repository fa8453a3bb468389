"""Daily flows of events that are in no database."""

from dataclasses import fields
from datetime import date
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.flow_sums import SumRow, daily_flows_from_events, flow_arrays, summed_flows
from ledger.domain.flows import EVENT_TYPES, day_number
from tests.ledger.conftest import make_draft


def test_it_sums_per_day_and_kind_and_signs_by_direction() -> None:
    flows = daily_flows_from_events(
        [
            make_draft(external_ref="1", amount="4.50"),
            make_draft(external_ref="2", amount="5.50"),
            make_draft(external_ref="3", amount="20", event_type="income"),
        ],
        "UTC",
    )
    assert flows.amount.tolist() == [-10.0, 20.0]
    assert flows.count.tolist() == [2, 1]
    assert [EVENT_TYPES[code] for code in flows.event_type] == ["expense", "income"]


def test_a_day_is_a_day_of_the_company() -> None:
    late = make_draft(occurred_at="2026-06-02T01:30:00Z")
    new_york = daily_flows_from_events([late], "America/New_York")
    assert new_york.day.tolist() == [day_number(date(2026, 6, 1))]
    assert daily_flows_from_events([late], "UTC").day.tolist() == [day_number(date(2026, 6, 2))]


def test_an_object_counts_once_and_true_twins_count_twice() -> None:
    twins = [make_draft(external_ref=None), make_draft(external_ref=None)]
    assert daily_flows_from_events([make_draft(), make_draft(amount="9")], "UTC").amount.tolist() == [-4.5]
    assert daily_flows_from_events(twins, "UTC").count.tolist() == [2]


def test_only_cash_accounts_move_cash_and_credits_are_kept() -> None:
    flows = daily_flows_from_events(
        [
            make_draft(external_ref="1", account="cloud-aws"),
            make_draft(external_ref="2", account="cloud-aws", event_type="credit", amount="7"),
            make_draft(external_ref="3", account="card", amount="1"),
        ],
        "UTC",
    )
    assert sorted(flows.amount.tolist()) == [-1.0, 7.0]


def test_it_picks_contracts_out_of_metadata() -> None:
    contract = {"contract": "annual", "term_months": 12, "deferred": True, "renewal": False}
    income = {"event_type": "income", "amount": "12000", "counterparty": "Globex"}
    flows = daily_flows_from_events(
        [
            make_draft(**income, external_ref="1", metadata=contract),
            make_draft(**income, external_ref="2", metadata={**contract, "term_months": "12"}),
            make_draft(**income, external_ref="3", metadata={**contract, "term_months": True}),
            make_draft(**income, external_ref="4", metadata="contract"),
        ],
        "UTC",
    )
    (receipt,) = flows.contracts
    assert (receipt.customer, receipt.term_months, receipt.deferred, receipt.renewal) == (
        "Globex",
        12,
        True,
        False,
    )


def test_nothing_gives_empty_arrays() -> None:
    flows = daily_flows_from_events([], "UTC")
    assert len(flows.day) == 0
    assert flows.currencies == ()


NAMES = st.sampled_from(["", "Rent & Co", "rent & co", "Åkerlund", "zoë", "Zoe"])
SUM_ROWS = st.lists(
    st.tuples(
        st.integers(20_000, 20_003),
        st.sampled_from(["in", "out"]),
        st.decimals(min_value=0, max_value=10**13, places=6).map(str),
        st.integers(-2, 5),
        st.sampled_from(EVENT_TYPES),
        st.sampled_from(["USD", "EUR"]),
        NAMES,
        NAMES,
    ),
    max_size=30,
)


@given(rows=SUM_ROWS)
@settings(max_examples=60, deadline=None)
def test_rows_of_the_daily_sums_are_added_exactly_and_ordered_by_their_names(rows: list[SumRow]) -> None:
    sums: dict[tuple, list] = {}
    for day, direction, amount, count, *names in rows:
        total = sums.setdefault((day, *names), [Decimal(0), 0])
        total[0] += Decimal(amount) if direction == "in" else -Decimal(amount)
        total[1] += count
    slow = flow_arrays(
        [(day, float(total), count, *names) for (day, *names), (total, count) in sorted(sums.items())]  # type: ignore[misc]
    )
    fast = summed_flows(rows)
    for field in fields(slow):
        one, other = getattr(fast, field.name), getattr(slow, field.name)
        if isinstance(other, np.ndarray):
            assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes()), field.name
        else:
            assert one == other
