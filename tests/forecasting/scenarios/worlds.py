"""Companies whose what-ifs a person can work out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from forecasting.drivers.assembly import assemble, contributions
from forecasting.drivers.contribution import Setting
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.shocks import shocks_for
from forecasting.scenarios.change import Change
from forecasting.scenarios.comparison import Case, case
from forecasting.scenarios.compose import changed_inputs
from tests.forecasting.drivers.settings import setting
from tests.forecasting.journal import every, monthly

TRANCHE = {
    "date": "2025-10-01",
    "amount": "500000.00",
    "probability": 0.7,
    "delay": {"dist": "gamma", "mean_days": 20, "sd_days": 10},
    "milestone": "Second closing",
}
BUSY = (
    every(1, start="2024-01-01", until="2025-06-30", line="-1000 card Cafe")
    + monthly(start="2024-01-28", months=18, line="-60000 payroll Gusto")
    + monthly(start="2024-01-01", months=18, line="-9000 rent Landlord")
    + monthly(start="2024-01-05", months=18, line="-2000 EUR saas Hetzner")
    + monthly(start="2024-01-03", months=18, line="-8000 cloud AWS")
    + every(1, start="2024-01-01", until="2025-06-30", line="1500 sales Stripe")
)


def flat(*, cash: str = "100000") -> Setting:
    """A company that spends 1,001 a day and nothing else moves."""
    return setting(every(1, start="2024-01-01", until="2025-06-30", line="-1000 card Cafe"), cash=cash)


def busy(**fields: Any) -> Setting:
    """Payroll, rent, a vendor abroad, cloud, sales, foreign cash and a tranche."""
    defaults: dict[str, Any] = {
        "balances": {"USD": Decimal(400000), "EUR": Decimal(50000)},
        "rates": {"EUR": Decimal("1.10")},
        "plan": {"tranches": [TRANCHE]},
    }
    return setting(BUSY, **(defaults | fields))


def base_of(view: Setting) -> ForecastInputs:
    """What the forecast itself simulates."""
    return assemble(view, contributions(view))


def mean_flow(inputs: ForecastInputs) -> np.ndarray:
    """float64 [horizon]: expected cash per day at level 1, lumps, tranches and cloud left out."""
    return inputs.fixed + sum((factor.daily for factor in inputs.factors), np.zeros(inputs.horizon_days))


def difference(view: Setting, *changes: Change) -> np.ndarray:
    """float64 [horizon]: what changes do to the expected cash of each day."""
    return mean_flow(changed_inputs(view, changes)) - mean_flow(base_of(view))


def simulated(view: Setting, changes: Sequence[Change] = (), *, paths: int = 1000) -> Case:
    return case(view, changes, shocks=shocks_for(seed=42, paths=paths, horizon_days=view.horizon_days))
