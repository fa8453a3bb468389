"""The past as the fit sees it: rows of cash in base currency, each with its role and its payee."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.role import Role, has_role

LONGEST_SILENCE_DAYS = 92
DENSE_GAPS, DENSE_GAP_DAYS = 8, 10  # days between movements: so many of them, and seldom more than that


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid or pays, for what and in which currency."""

    category: str
    counterparty: str
    currency: str


@dataclass(frozen=True, slots=True)
class CashRows:
    """Rows up to the as-of date, ordered by day.

    Attributes:
        as_of_day: days since 1970-01-01.
        first_day: first day that the ledger covers.
        day: int64 [n].
        amount: float64 [n], signed, base currency at the rates of the as-of date.
        count: int64 [n], events summed into the row.
        role: int8 [n], codes of Role.
        payee: int32 [n], index into payees; both signs of a payee share one.
        payees: names behind the indices.
    """

    as_of_day: int
    first_day: int
    day: NDArray[np.int64]
    amount: NDArray[np.float64]
    count: NDArray[np.int64]
    role: NDArray[np.int8]
    payee: NDArray[np.int32]
    payees: tuple[Payee, ...]

    @property
    def history_days(self) -> int:
        """Days covered, at least 1."""
        return max(1, self.as_of_day - self.first_day + 1)

    def of(self, *roles: Role) -> "CashRows":
        """The rows of some roles."""
        return self.where(has_role(self.role, *roles))

    def by_payee(self, chosen: NDArray[np.bool_]) -> tuple[tuple[int, NDArray[np.intp]], ...]:
        """Each payee of the chosen rows with the places of his, in order of days."""
        places = np.flatnonzero(chosen)
        places = places[np.argsort(self.payee[places], kind="stable")]
        payees, starts = np.unique(self.payee[places], return_index=True)
        return tuple(zip(payees.tolist(), np.split(places, starts[1:]), strict=False))

    def where(self, chosen: NDArray[np.bool_]) -> "CashRows":
        """The rows under a mask."""
        return replace(
            self,
            day=self.day[chosen],
            amount=self.amount[chosen],
            count=self.count[chosen],
            role=self.role[chosen],
            payee=self.payee[chosen],
        )


def since_last_silence(rows: CashRows) -> tuple[CashRows, tuple[int, int] | None]:
    """The rows after the last long silence of a ledger that is dense on both sides, and the days around it.

    Books that were not kept for a season say that nobody was paid in it. Levels and lumps would take that for
    frugality, and a runway would be too long by it (a data check says so to people).
    """
    moved = ~has_role(rows.role, Role.TRANSFER, Role.CLOUD_CREDIT) & (rows.amount != 0)
    day = np.unique(rows.day[moved])
    gap = np.diff(day)
    for place in np.flatnonzero(gap > LONGEST_SILENCE_DAYS)[::-1].tolist():
        before, after = gap[:place], gap[place + 1 :]
        if min(len(before), len(after)) < DENSE_GAPS or max(np.median(before), np.median(after)) > DENSE_GAP_DAYS:
            continue
        start = int(day[place + 1])
        return replace(rows.where(rows.day >= start), first_day=start), (int(day[place]), start)
    return rows, None
