"""When cash really ran out, also as seen from a day before the first event that still counts."""

from datetime import date, timedelta

import numpy as np
import pytest

from forecasting.services.actuals import Actuals

FIRST = date(2026, 3, 1)
BALANCES = np.array([500.0, 400.0, 100.0, -50.0, -80.0, 20.0, 20.0])


@pytest.mark.parametrize("days_before", [0, 1, 2, 40])
def test_a_day_on_which_cash_ran_out_is_found_from_before_the_first_event(days_before: int) -> None:
    actuals = Actuals(
        company=None,  # type: ignore[arg-type]
        history=None,  # type: ignore[arg-type]
        known_to=FIRST + timedelta(days=5),
        first_day=FIRST,
        bank=BALANCES,
        unearned=np.zeros(BALANCES.size),
        funding=np.zeros(BALANCES.size),
    )
    as_of = FIRST - timedelta(days=days_before)

    assert actuals.last_zero(basis="bank") == FIRST + timedelta(days=4)
    assert actuals.first_zero_after(as_of, basis="bank") == FIRST + timedelta(days=3)
    assert actuals.first_zero_after(as_of, basis="bank", with_new_money=False) == FIRST + timedelta(days=3)
    assert actuals.first_zero_after(FIRST + timedelta(days=4), basis="bank") is None
