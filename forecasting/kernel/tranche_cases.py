"""The two worlds of a tranche: received after all, or never. A mean of the two describes neither."""

from dataclasses import replace

from forecasting.kernel.inputs import ForecastInputs


def with_tranche_decided(inputs: ForecastInputs, *, name: str, received: bool) -> ForecastInputs:
    """The same company once this tranche is certain to come (its delay stays uncertain), or never comes.

    Simulated with the same shocks, the two differ by the tranche alone and use every path; keeping only
    the paths on which it came would leave a few hundred for the rarer world.

    Raises:
        KeyError: no tranche has this name.
    """
    if name not in {tranche.name for tranche in inputs.tranches}:
        raise KeyError(name)
    if received:
        decided = tuple(replace(t, probability=1.0) if t.name == name else t for t in inputs.tranches)
    else:
        decided = tuple(t for t in inputs.tranches if t.name != name)
    return replace(inputs, tranches=decided)
