import numpy as np
import pytest

from forecasting.drivers.many_payments import MOST_SINGLE_PAYMENTS, single_and_many
from forecasting.kernel.inputs import DatedLump


def lumps(count: int, **fields: float) -> list[DatedLump]:
    # The first is the largest.
    fixed = {"day": 40.0, "probability": 0.8, **fields}
    return [DatedLump(name=f"payment {n}", amount=1000.0 - n, **fixed) for n in range(count)]


def test_a_few_payments_stay_single():
    few = lumps(MOST_SINGLE_PAYMENTS)
    assert single_and_many(few, name="small", horizon_days=365) == (tuple(few), ())


def test_the_largest_stay_single_and_the_rest_is_a_flow_of_the_same_mean_and_spread():
    many = lumps(MOST_SINGLE_PAYMENTS + 100, delay_sd_days=12.0)
    single, (flow,) = single_and_many(many, name="small", horizon_days=365)
    assert single == tuple(many[:MOST_SINGLE_PAYMENTS])
    rest = np.array([lump.amount for lump in many[MOST_SINGLE_PAYMENTS:]])
    assert flow.daily.sum() == pytest.approx(0.8 * rest.sum())
    middle = float((flow.daily * np.arange(1, 366)).sum() / flow.daily.sum())
    assert middle == pytest.approx(40.0, abs=0.1)
    assert flow.lvl == pytest.approx(np.sqrt(0.16 * (rest**2).sum()) / (0.8 * rest.sum()))


@pytest.mark.parametrize("fields", [{"delay_exp_days": 12.0}, {"delay_sd_days": 12.0}, {}])
def test_what_is_long_overdue_comes_from_tomorrow_on_and_none_of_it_is_lost(fields: dict[str, float]):
    _, (flow,) = single_and_many(lumps(80, day=-30.0, **fields), name="small", horizon_days=200)
    rest = sum(1000.0 - n for n in range(MOST_SINGLE_PAYMENTS, 80))
    assert flow.daily.sum() == pytest.approx(0.8 * rest, rel=1e-4)
    assert flow.daily[0] > 0.0
    if fields.get("delay_exp_days"):
        assert float((flow.daily * np.arange(1, 201)).sum() / flow.daily.sum()) == pytest.approx(12.0, abs=0.6)
