"""Income that is paid ahead: on the free basis a payment of tomorrow is earned as those of yesterday are."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.contribution import Setting
from forecasting.fit.deferred import unearned

Floats = NDArray[np.float64]

WEEK_DAYS = 7
TERM_DAYS = (2.0, 1096.0)


@dataclass(frozen=True, slots=True)
class Prepaid:
    """The `share` of sales and invoiced income that is paid ahead, and is earned evenly over `term_days`."""

    share: float
    term_days: float

    def earned(self, daily: Floats) -> Floats:
        """float64 [horizon]: what of daily receipts becomes the company's own on each day, none too early."""
        paid = np.concatenate([[0.0], np.cumsum(daily)])
        day = np.arange(len(paid), dtype=float)
        # Of what was paid up to a day, a part per day of the term is earned by it: the mean of the sums so far.
        area = np.concatenate([[0.0], np.cumsum((paid[1:] + paid[:-1]) / 2)])
        begun = np.maximum(day - self.term_days, 0.0)
        earned = (area - np.interp(begun, day, area)) / self.term_days
        shifted: Floats = (1 - self.share) * daily + self.share * np.diff(earned)
        return shifted


def prepaid(setting: Setting) -> Prepaid | None:
    """What the release of the money that is there tells of the money to come; None where nothing is paid ahead.

    In a steady business what is earned on a day from earlier payments is what is paid ahead on a day, and half a
    term of it is unearned at any time. What is for contracts has a driver of its own and is left out.
    """
    stated, company = setting.history.liabilities, setting.company
    income = sum(one.level_per_day for one in (company.sales, company.invoiced) if one is not None)
    if not setting.is_free or stated is None or not stated.release or income <= 0.0:
        return None
    contracts = unearned(setting.history)
    week = [float(amount) for amount in stated.release[:WEEK_DAYS]]
    per_day = sum(week) / len(week) - sum(contract.amount / contract.days_left for contract in contracts)
    owed = float(stated.unearned) - sum(contract.amount for contract in contracts)
    if per_day <= 0.0 or owed <= 0.0:
        return None
    # Releases fall in a line to nothing over the term; a week of them has lost a part of what today's would be.
    bend = (len(week) + 1) / (4 * owed)
    today = (1 - sqrt(max(1 - 4 * bend * per_day, 0.0))) / (2 * bend)
    # What was paid once and for a year is released evenly, and ends when its year does.
    term = min(2 * owed / today, float(len(stated.release))) + 1
    return Prepaid(share=min(1.0, today / income), term_days=float(np.clip(term, *TERM_DAYS)))
