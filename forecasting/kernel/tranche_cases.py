"""The two worlds of a tranche: received after all, or never. A mean of the two describes neither."""

import numpy as np

from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.outcome import Outcome
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.simulate import outcome_of


def tranche_cases(
    inputs: ForecastInputs, shocks: Shocks, *, outcome: Outcome, name: str
) -> tuple[Outcome, Outcome]:
    """Runway once this tranche is certain to come, and once it never comes: no simulation of their own.

    Each path of `outcome` is in one of the two worlds already; only its other one is simulated. Both answers use
    every path and the same shocks: keeping only the paths on which it came would leave a few hundred for the
    rarer world.

    Args:
        outcome: what these inputs and shocks came to, this tranche turned as well.

    Raises:
        KeyError: no tranche has this name, or it was not turned.
    """
    probability = next((t.probability for t in inputs.tranches if t.name == name), None)
    if probability is None:
        raise KeyError(name)
    turned = outcome.turned[name]
    comes = shocks.uniform(kind="tranche", name=name).uniforms < probability
    received, lost = (
        np.where(came, outcome.runway_days, turned).astype(np.int32, copy=False) for came in (comes, ~comes)
    )
    return (
        outcome_of(received, horizon_days=outcome.horizon_days, dispersion=outcome.dispersion),
        outcome_of(lost, horizon_days=outcome.horizon_days, dispersion=outcome.dispersion),
    )
