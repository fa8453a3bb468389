"""Compile the loops of the simulation before anybody waits for them: `python -m forecasting.kernel.compile_ahead`.

Some ten seconds once; what comes out is kept beside the source, and made again when that changes.
"""

import numpy as np

from forecasting.kernel.inputs import (
    CloudUsage,
    CreditGrant,
    DatedLump,
    Factor,
    ForecastInputs,
    LumpStream,
    Tranche,
)
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate

HORIZON_DAYS, PATHS = 40, 8


def compile_ahead() -> None:
    """Simulate a few paths of a company that has every term of the model."""
    flat = np.ones(HORIZON_DAYS)
    inputs = ForecastInputs(
        as_of_day=20_000,
        opening_balance=100.0,
        horizon_days=HORIZON_DAYS,
        factors=(Factor("spending", -flat, lvl=0.1, g=0.01, gsd=0.01, rw=0.01),),
        fixed=flat,
        shock_sd_per_day=flat,
        persistent_sd=flat,
        lump_streams=(LumpStream("lumps", 2.0, 30.0, -flat[:2], size_log_sd=0.2),),
        dated_lumps=(DatedLump("invoice", 10, 5.0, 0.9, delay_exp_days=3.0, delay_sd_days=3.0),),
        tranches=(Tranche("tranche", 20, 50.0, 0.5, delay_mean_days=5.0, delay_sd_days=2.0),),
        cloud=(CloudUsage(Factor("usage", flat, lvl=0.1), 5, unbilled=1.0, grants=(CreditGrant(10.0, 15),)),),
    )
    simulate(inputs, shocks_for(seed=0, paths=PATHS, horizon_days=HORIZON_DAYS), turned=["tranche"])


if __name__ == "__main__":
    compile_ahead()
