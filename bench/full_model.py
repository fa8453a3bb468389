"""A company with every term of the model: eight factors, three Poisson streams, two tranches, a credit grant."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.inputs import CloudUsage, CreditGrant, Factor, ForecastInputs, LumpStream, Tranche

AS_OF = np.datetime64(date(2026, 3, 10))


def full_model(*, horizon_days: int) -> ForecastInputs:
    """Some 60 people, 330,000 a month of net burn, 2,000,000 in the bank."""
    days = AS_OF + np.arange(1, horizon_days + 1)
    day_of_month = (days - days.astype("M8[M]")).astype(int) + 1
    is_weekday = np.is_busday(days)

    def on(*chosen: int, amount: float) -> NDArray[np.float64]:
        return np.where(np.isin(day_of_month, chosen), amount, 0.0)

    return ForecastInputs(
        as_of_day=int(AS_OF.astype(int)),
        opening_balance=2_000_000.0,
        horizon_days=horizon_days,
        factors=(
            Factor("payroll USD", on(15, 28, amount=-95_000.0), lvl=0.004, g=0.004, gsd=0.004, rw=0.01),
            Factor("payroll tax USD", on(2, 18, amount=-30_000.0), lvl=0.004, g=0.004, gsd=0.004, rw=0.01),
            Factor("payroll EUR", on(27, amount=-60_000.0), lvl=0.004, g=0.004, gsd=0.004, rw=0.025),
            Factor("hires", on(15, 28, amount=-12_000.0), lvl=0.12, gsd=0.004, rw=0.01),
            Factor("revenue", np.where(is_weekday, 7_000.0, 2_000.0), lvl=0.06, g=0.011, gsd=0.01, rw=0.05),
            Factor("vendors", on(1, 5, 12, 20, amount=-14_000.0), lvl=0.01, g=0.004, gsd=0.004, rw=0.01),
            Factor("pool", np.where(is_weekday, -4_000.0, -1_000.0), lvl=0.15, gsd=0.01, rw=0.04),
            Factor("leak", np.full(horizon_days, -900.0), lvl=0.1, rw=0.01),
        ),
        fixed=np.zeros(horizon_days),
        shock_sd_per_day=np.full(horizon_days, 3_000.0),
        persistent_sd=np.full(horizon_days, 400.0),
        lump_streams=(
            LumpStream("lumps out", 9.5, 500.0, np.array([-18e3, -22e3, -25e3, -31e3, -60e3])),
            LumpStream("lumps in", 3.5, 500.0, np.array([15e3, 28e3, 40e3])),
            LumpStream("new deals", 5.5, 500.0, np.array([24e3, 36e3, 60e3]), size_log_sd=0.25, first_day=35),
        ),
        tranches=(
            Tranche("extension", 120, 1_000_000.0, 0.8, delay_mean_days=18.0, delay_sd_days=12.0),
            Tranche("series B", 250, 1_500_000.0, 0.6, delay_mean_days=30.0, delay_sd_days=20.0),
        ),
        cloud=(
            CloudUsage(
                Factor("cloud", np.full(horizon_days, 1_500.0), lvl=0.03, g=0.01, gsd=0.005, rw=0.05),
                invoice_day_of_month=5,
                unbilled=15_000.0,
                grants=(CreditGrant(remaining=92_000.0, expires_day=200),),
            ),
        ),
    )
