"""One block of paths: month-end balances first, single days only where zero may be near.

Balances at month ends need one small product per month. From them and from bounds of how deep a month can go, each
path shows the one to three months in which it may reach zero for the first time; only those are computed day by
day. The bounds are true bounds, so the answer is the one that daily balances everywhere would give.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.arrivals import ArrivalLaw, BlockArrivals
from forecasting.kernel.cash_terms import CashTerms
from forecasting.kernel.near_zero import SCREEN_SLACK, MonthsNearZero
from forecasting.kernel.rows import month_rows
from forecasting.kernel.shared_parts import SharedParts
from forecasting.kernel.soundness import NonFinitePaths


class PathBlock:
    """Paths start .. stop - 1 of one simulation.

    Attributes:
        months: what differs from path to path within a month, see `rows.py`.
        arrivals: single amounts, funding last.
    """

    def __init__(
        self,
        terms: CashTerms,
        *,
        start: int,
        stop: int,
        shared: SharedParts | None = None,
        before_funding: "PathBlock | None" = None,
    ) -> None:
        """Work out what the block's paths do month by month.

        Args:
            shared: parts of other simulations on the same shocks.
            before_funding: a block of the same paths whose terms differ by funding only.
        """
        self.terms = terms
        self.start = start
        self.stop = stop
        if before_funding is None:
            self.months = month_rows(terms, start=start, stop=stop, shared=shared)
            self._unfunded = self._arrivals(terms.payments, before=self._lumps(shared))
        else:
            self.months = before_funding.months
            self._unfunded = before_funding._unfunded
        self.arrivals = self._arrivals(terms.funding, before=self._unfunded)

    # Month ends and what follows from them wait until they are asked for: the charts are sorted meanwhile.

    @cached_property
    def month_ends(self) -> NDArray[np.float64]:
        """float64 [1 + steps, paths]: the opening balance, then the balance at the end of each month step.

        Raises:
            NonFinitePaths: a balance overflowed.
        """
        return self._month_ends(self.months.totals)

    @property
    def opening(self) -> NDArray[np.float64]:
        """float64 [steps, paths], balance at the start of each month step."""
        return self.month_ends[:-1]

    @property
    def closing(self) -> NDArray[np.float64]:
        """float64 [steps, paths], balance at the end of each month step."""
        return self.month_ends[1:]

    @cached_property
    def near_zero(self) -> NDArray[np.bool_]:
        """bool [steps, paths], months that may hold the first zero."""
        return self._may_reach_zero(self.months.lowest)

    def runway_days(self) -> NDArray[np.int32]:
        """int32 [paths]: first day with a balance of zero, horizon + 1 when there is none."""
        terms, near_zero = self.terms, self.near_zero
        runway = np.full(self.stop - self.start, terms.inputs.horizon_days + 1, np.int32)
        if terms.inputs.opening_balance <= terms.zero:
            runway[:] = 1
            return runway
        paths, days = self.days_of(near_zero).first_zeros()
        runway[paths] = days + 1
        return runway

    def days_of(self, chosen: NDArray[np.bool_]) -> MonthsNearZero:
        """The days of some months, bool [steps, paths]."""
        return MonthsNearZero(
            self.terms,
            chosen=chosen,
            rows=self.months.rows,
            opening=self.opening,
            arrivals=self.arrivals,
            start=self.start,
        )

    def _lumps(self, shared: SharedParts | None) -> BlockArrivals:
        terms = self.terms
        if shared is None:
            return self._arrivals(terms.streams)
        return shared.get(
            ("lumps", self.start, terms.steps.key, *(stream.key for stream in terms.streams)),
            lambda: self._arrivals(terms.streams),
            nbytes=lambda lumps: lumps.nbytes,
        )

    def _arrivals(self, laws: Sequence[ArrivalLaw], *, before: BlockArrivals | None = None) -> BlockArrivals:
        return BlockArrivals(laws, start=self.start, stop=self.stop, steps=self.terms.steps, before=before)

    def _month_ends(self, moves_of_rows: NDArray[np.float32]) -> NDArray[np.float64]:
        terms = self.terms
        balances = np.empty((1 + terms.steps.count, self.stop - self.start))
        balances[0] = terms.inputs.opening_balance
        moves = terms.noise.totals(start=self.start, stop=self.stop)
        moves += moves_of_rows
        moves += self.arrivals.totals
        np.add(moves, terms.fixed_totals[:, None], out=balances[1:])
        for step in range(terms.steps.count):
            balances[step + 1] += balances[step]
        if not np.isfinite(balances[-1]).all():
            raise NonFinitePaths("a simulated balance is not a finite number: amounts or growth are too large")
        return balances

    def _may_reach_zero(self, lowest: NDArray[np.float32]) -> NDArray[np.bool_]:
        terms = self.terms
        lowest = lowest + self.opening.astype(np.float32)
        lowest += self.arrivals.outgoing
        lowest += terms.noise.worst(start=self.start, stop=self.stop)
        near = lowest <= np.float32(SCREEN_SLACK * terms.zero)
        near[terms.steps.starts == terms.steps.stops] = False
        above = self.opening[0] > terms.zero
        for step in range(terms.steps.count):
            # Once a month has closed at zero, the first zero lies in it or before it.
            near[step] &= above
            above &= self.closing[step] > terms.zero
        return near
