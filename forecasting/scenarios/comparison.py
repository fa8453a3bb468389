"""Cases beside a base, simulated on the same shocks: they differ by their inputs, never by noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.drivers.contribution import Setting
from forecasting.engine import case_of
from forecasting.kernel.outcome import Bands
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.simulate import simulate
from forecasting.kernel.soundness import NonFinitePaths, UnsoundInputs
from forecasting.outcome import RunwayCase, is_least
from forecasting.scenarios.change import Change, InvalidScenario
from forecasting.scenarios.compose import changed_inputs
from ledger.domain.problems import FieldProblem


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One future: the runway, and the balance day by day.

    Attributes:
        mean_days: mean runway over all paths, each counted up to the horizon.
        quantile_days: 99 values for 1 % .. 99 %; the horizon plus one is beyond it.
    """

    runway: RunwayCase
    mean_days: float
    quantile_days: tuple[int, ...]
    opening_balance: float
    bands: Bands


@dataclass(frozen=True, slots=True)
class DaysGained:
    """How many days a case is longer than the base; at least so many, gained or lost, where a flag says so.

    Where both lie beyond the horizon the days are 0 and say nothing.
    """

    p5: int
    p50: int
    p95: int
    mean: float
    is_least: tuple[bool, bool, bool]


def case(setting: Setting, changes: Sequence[Change], *, shocks: Shocks) -> Case:
    """Simulate a company with changes; without any it is the forecast itself, bit for bit.

    Raises:
        InvalidScenario: a change does not fit this company, or takes it beyond what can be simulated.
    """
    try:
        inputs = changed_inputs(setting, changes)
        outcome = simulate(inputs, shocks, dispersion=setting.history.calibration.stretch)
    except (UnsoundInputs, NonFinitePaths) as error:
        raise InvalidScenario((FieldProblem("changes", f"cannot be simulated together: {error}"),)) from error
    assert outcome.bands is not None
    return Case(
        runway=case_of(outcome),
        mean_days=float(np.minimum(outcome.runway_days, outcome.horizon_days).mean()),
        quantile_days=tuple(outcome.quantile_days.tolist()),
        opening_balance=inputs.opening_balance,
        bands=outcome.bands,
    )


def days_gained(changed: Case, *, base: Case) -> DaysGained:
    """The difference in days, quantile by quantile."""
    new, old = changed.runway, base.runway
    return DaysGained(
        p5=new.p5_days - old.p5_days,
        p50=new.p50_days - old.p50_days,
        p95=new.p95_days - old.p95_days,
        mean=round(changed.mean_days - base.mean_days, 1),
        is_least=is_least(new, old),
    )
