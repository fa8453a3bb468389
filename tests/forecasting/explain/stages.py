"""Companies whose arithmetic a person can do: certain flows from drivers made by hand."""

import numpy as np

from forecasting.drivers.assembly import Part
from forecasting.drivers.contribution import Contribution, Driver
from forecasting.explain.stage import Stage, stage
from forecasting.fit.company import fit_company
from forecasting.fit.history import CompanyHistory
from forecasting.kernel.inputs import Factor
from forecasting.kernel.shocks import shocks_for
from tests.forecasting.journal import every, history

HORIZON = 365
PATHS = 1_000
AS_OF = "2025-06-30"
FLAT = every(1, start="2024-01-01", until=AS_OF, line="-1000 card Cafe")


def stage_of(company: CompanyHistory, *, basis: str = "bank", paths: int = PATHS) -> Stage:
    """A company as the engine would simulate it."""
    return stage(
        history=company,
        fitted=fit_company(company),
        basis=basis,  # type: ignore[arg-type]
        shocks=shocks_for(seed=42, paths=paths, horizon_days=HORIZON),
        horizon_days=HORIZON,
    )


def by_hand(*, cash: str = "100000", plan: dict | None = None, **contributions: Contribution) -> Stage:
    """A company with this cash, and nothing but these contributions by driver."""
    made = stage_of(history(FLAT, as_of=AS_OF, cash=cash, plan=plan))
    parts = tuple(
        Part(driver=Driver(name=name, label=name.title(), contribute=lambda _: Contribution()), contribution=piece)
        for name, piece in sorted(contributions.items())
    )
    return Stage(setting=made.setting, parts=parts, shocks=made.shocks)


def flat(per_day: float) -> Contribution:
    """The same certain amount every day."""
    return Contribution(factors=(Factor(f"flat {per_day}", np.full(HORIZON, per_day)),))
