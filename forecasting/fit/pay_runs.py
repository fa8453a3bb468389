"""Runs of a payroll, read from its payments: what was paid together, and what of it beside the usual pay."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.schedule import since_last_change

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

RUNS_OF_A_PAYROLL, LONE_PAYMENTS = 6, 2
LONE_DISTANCE = 0.6  # of the days between runs
EXTRA_SHARE = 0.5
FEE_SHARE = 0.05  # of the usual debit
DEBIT_DAYS, DEBITS_SHARE = 2, 0.3  # of debits, so soon after the one before: net pay and tax of one run


@dataclass(frozen=True, slots=True, eq=False)
class PayRuns:
    """The runs of the present schedule.

    Attributes:
        day: int64 [n], ascending.
        amount, extra: float64 [n], all that was paid, and what of it beside the usual pay.
    """

    day: Ints
    amount: Floats
    extra: Floats


def read_runs(*, day: Ints, payee: Ints, amount: Floats) -> PayRuns:
    """The runs behind payments (negative amounts, in order of their days)."""
    run_day, run = np.unique(_days_of_runs(day, payee), return_inverse=True)
    extra = -np.bincount(run, weights=amount * _is_extra(payee, run))
    paid = -np.bincount(run, weights=amount)
    _, extra = _debits_as_runs(run_day, paid, extra)
    run_day, paid = _debits_as_runs(run_day, paid, paid)
    since = since_last_change(run_day)
    for array in (run_day, paid, extra):
        array.setflags(write=False)  # what is made of them is kept
    return PayRuns(day=run_day[since:], amount=paid[since:], extra=extra[since:])


def is_one_payment_a_run(*, day: Ints, payee: Ints) -> bool:
    """Whether each run is one payment, to one provider after the other."""
    return len(np.unique(day)) == len(set(zip(day.tolist(), payee.tolist(), strict=True)))


def _days_of_runs(day: Ints, payee: Ints) -> Ints:
    """The day of each payment, for a payee who was paid once or twice that of the run next to it.

    A thirteenth month has a day, and often a payee, of its own.
    """
    codes, place = np.unique(payee, return_inverse=True)
    if len(codes) == 1:
        return day
    times = np.array([len(np.unique(day[place == code])) for code in range(len(codes))])
    if times.max() < RUNS_OF_A_PAYROLL:
        return day
    lone, day = times[place] <= LONE_PAYMENTS, day.copy()
    runs = np.unique(day[~lone])
    after = np.minimum(np.searchsorted(runs, day[lone]), len(runs) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(
        np.abs(runs[after] - day[lone]) <= np.abs(runs[before] - day[lone]), runs[after], runs[before]
    )
    # Farther from every run it is a run itself: of the provider that has taken another's place.
    limit = LONE_DISTANCE * float(np.median(np.diff(runs)))
    day[lone] = np.where(np.abs(nearest - day[lone]) <= limit, nearest, day[lone])
    return day


def _is_extra(payee: Ints, run: NDArray[np.intp]) -> NDArray[np.bool_]:
    """bool [payments]: what is paid in few of the runs since it was first paid: commissions, bonuses, severance.

    A new colleague is paid in every run.
    """
    codes, place = np.unique(payee, return_inverse=True)
    paid = np.zeros((len(codes), int(run.max()) + 1), dtype=bool)
    paid[place, run] = True
    since = paid.shape[1] - np.argmax(paid, axis=1)
    last = np.argmax(paid[:, ::-1], axis=1)  # who has left was paid in all runs until then
    seldom = paid.sum(axis=1) <= EXTRA_SHARE * (since - last)
    once = (paid.sum(axis=1) == 1) & (since > 1)
    extra: NDArray[np.bool_] = (seldom | once)[place]
    return extra


def _debits_as_runs(day: Ints, amount: Floats, summed: Floats) -> tuple[Ints, Floats]:
    """Runs of a provider that takes net pay one day and tax the next: together, on the first day of them.

    A fee that it takes in between belongs to the run before.

    Args:
        summed: what is added up by run, like `amount`.
    """
    follows = np.diff(day, prepend=day[0] - DEBIT_DAYS - 1) <= DEBIT_DAYS
    if float(follows.mean()) < DEBITS_SHARE:
        follows[:] = False
    fee = amount < FEE_SHARE * float(np.median(amount))
    first = int(np.argmin(fee))  # a fee before the first run has none to belong to
    day, summed, follows = day[first:], summed[first:], (follows | fee)[first:]
    follows[0] = False
    starts = np.flatnonzero(~follows)
    return day[starts], np.add.reduceat(summed, starts)
