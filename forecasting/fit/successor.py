"""Payees who took another's place: a payroll provider that was left for another, a cloud bill under a new name.

Whoever begins when another has ended, and is paid about as much, goes on where that one stopped. Taken for
somebody new, both would be expected for a while, and a company that changes its payroll provider would have half
the runway.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST_PAUSE_DAYS = 45
SAME_SIZE = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Tenure:
    """When a payee was paid, and how much at both ends; amounts are positive."""

    first_day: int
    last_day: int
    first_amount: float
    last_amount: float

    @classmethod
    def of(cls, day: NDArray[np.int64], amount: NDArray[np.float64]) -> "Tenure":
        """Of payments, at least one: days, and positive amounts, in any order."""
        first, last = int(day.min()), int(day.max())
        return cls(first, last, float(amount[day == first].sum()), float(amount[day == last].sum()))

    def goes_on_as(self, later: "Tenure") -> bool:
        """Whether `later` takes the place of this one."""
        pause = later.first_day - self.last_day
        if not 0 < pause <= LONGEST_PAUSE_DAYS or self.last_amount <= 0.0:
            return False
        return SAME_SIZE[0] <= later.first_amount / self.last_amount <= SAME_SIZE[1]


def chains(tenures: Sequence[Tenure]) -> list[list[int]]:
    """Indexes that belong together, each chain from the first payee to the last; no payee is in two."""
    order = sorted(range(len(tenures)), key=lambda n: tenures[n].first_day)
    found: list[list[int]] = []
    for n in order:
        before = [chain for chain in found if tenures[chain[-1]].goes_on_as(tenures[n])]
        if before:
            # Of several the one that ended last; who goes on beside the newcomer has not ended.
            max(before, key=lambda chain: tenures[chain[-1]].last_day).append(n)
        else:
            found.append([n])
    return found
