"""Real public ledgers, looked at from days of all kinds: an answer or a clear refusal, never a NaN."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bench.real_ledgers import outflow_of
from forecasting.engine import forecast
from forecasting.fit.history import CompanyHistory, MissingInputs
from ledger.domain.flows import EPOCH

# Every day takes a quarter of a minute; a week of seven is not hit alike by a stride of five.
STRIDE = 5


@pytest.mark.parametrize("name", ["hledger", "prettier"])
def test_any_day_of_a_real_ledger_gets_an_answer_or_says_what_is_missing(shared_data: Path, name: str):
    flows = outflow_of(shared_data / "opencollective" / f"{name}.csv")
    first, last = int(flows.day[0]), int(flows.day[-1])
    currency = flows.currencies[int(flows.currency[0])]
    refused = []
    for day in range(first - 2, last + 40, STRIDE):
        past = CompanyHistory(
            as_of=EPOCH + timedelta(days=day),
            base_currency=currency,
            flows=flows,
            cash={currency: Decimal(25_000)},
            rates={},
        )
        try:
            made = forecast(past, basis="free" if day % 2 else "bank", paths=64)
        except MissingInputs:
            refused.append(day)
            continue
        json.dumps(made.to_json(), allow_nan=False)
        assert 1 <= made.p5_days <= made.p50_days <= made.p95_days <= 365, past.as_of
    # Before the first expense nobody knows the burn; from then on there is an answer.
    assert refused == list(range(first - 2, first, STRIDE))
