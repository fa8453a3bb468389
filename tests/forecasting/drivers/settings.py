"""A driver's view of a small ledger."""

from datetime import date
from typing import Any

import numpy as np

from forecasting.drivers.contribution import Basis, Setting
from forecasting.fit.company import fit_company
from ledger.domain.flows import day_number
from tests.forecasting.journal import every, history

AS_OF = "2025-06-30"
# Something has to cost something, or there is nothing to forecast.
CARD = every(1, start="2024-01-01", until=AS_OF, line="-1 card Cafe")


def setting(text: str = "", *, basis: Basis = "bank", days: int = 365, **fields: Any) -> Setting:
    """The company of a ledger in text on the last day of June 2025."""
    past = history(text + CARD, as_of=AS_OF, **fields)
    return Setting(history=past, company=fit_company(past), basis=basis, horizon_days=days)


def on(view: Setting, values: np.ndarray) -> dict[str, float]:
    """The days of a per-day array on which something happens."""
    first = date.fromisoformat(AS_OF).toordinal() + 1
    return {str(date.fromordinal(first + n)): round(float(values[n]), 2) for n in np.flatnonzero(values).tolist()}


def ahead(day: str) -> int:
    """Day of the forecast: 1 is the first of July."""
    return day_number(date.fromisoformat(day)) - day_number(date.fromisoformat(AS_OF))
