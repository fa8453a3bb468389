import pytest

from forecasting.drivers.pool import DRIVER
from tests.forecasting.drivers.settings import setting
from tests.forecasting.journal import every


def test_everyday_spending_goes_on_at_its_level():
    (factor,) = DRIVER.contribute(setting()).factors
    assert factor.daily.sum() / 365 == pytest.approx(-1.0)


def test_lumps_arrive_at_their_rate():
    part = DRIVER.contribute(setting("2024-09-10 -500 legal Lawyers\n2025-02-03 -300 equipment Maker\n"))
    (lumps,) = part.lump_streams
    assert (lumps.rate_shape, lumps.rate_days) == (2.8, 547.0)
    # Two that were seen, and a small one that is still to be seen.
    assert sorted(lumps.sizes.tolist()) == [-500.0, -300.0, pytest.approx(-0.08 * (182 + 300) / 182 * 30.4)]


def test_money_in_and_money_out_drift_apart():
    gifts = every(9, start="2024-01-05", until="2025-06-30", line="20 gifts Somebody")
    names = [factor.name for factor in DRIVER.contribute(setting(gifts)).factors]
    assert names in (["spending", "other income"], ["spending"])
