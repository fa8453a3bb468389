from dataclasses import replace

import pytest

from forecasting.drivers.leak import DRIVER
from forecasting.fit.leak import FittedLeak
from tests.forecasting.drivers.settings import setting


def test_a_bias_becomes_a_flat_flow_and_its_doubt_an_error_that_stays():
    view = setting()  # spends 1 a day, and may meet a lump
    pool = view.company.pools[0]
    assert pool is not None
    spends = 1.0 - pool.lumps_per_day
    leaks = (FittedLeak(correction=1.2, sd=0.1), FittedLeak(correction=1.0, sd=0.0))
    part = DRIVER.contribute(replace(view, company=replace(view.company, leaks=leaks)))
    assert part.fixed is not None
    assert part.fixed.tolist() == [pytest.approx(-0.2 * spends)] * 365
    assert part.persistent_sd == pytest.approx(0.1 * spends)


def test_nothing_missed_is_nothing_added():
    view = setting()
    leaks = (FittedLeak(correction=1.0, sd=0.0),) * 2
    assert DRIVER.contribute(replace(view, company=replace(view.company, leaks=leaks))).is_empty
