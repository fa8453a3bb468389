"""Runs of a payroll, read from its payments: what was paid together, and what of it beside the usual pay."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.schedule import since_last_change

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

RUNS_OF_A_PAYROLL, LONE_PAYMENTS = 6, 2
LONE_DISTANCE = 0.6  # of the days between runs
ALONE = 0.4  # of a payee's payments: who is paid twice as often as all others has a schedule of his own
PAID_ALONG = 0.6  # of a payee's payments near a run of another
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
    """The day of each payment, for a payee who is paid along with another that of the run next to it.

    A thirteenth month has a day, and often a payee, of its own; so has what is paid once a month beside the runs.
    """
    codes, place = np.unique(payee, return_inverse=True)
    if len(codes) == 1:
        return day
    days_of = [np.unique(day[place == code]) for code in range(len(codes))]
    order = sorted(range(len(codes)), key=lambda code: -len(days_of[code]))
    if len(days_of[order[0]]) < RUNS_OF_A_PAYROLL:
        return day
    runs, moved = _shared_days(days_of, often=order[0]), day.copy()
    # Farther from every run it is a run itself: of the provider that has taken another's place.
    limit = LONE_DISTANCE * float(np.median(np.diff(runs)))
    for code in order[1:] if len(runs) == len(days_of[order[0]]) else order:
        nearest = _nearest(runs, days_of[code])
        near = np.abs(nearest - days_of[code]) <= limit
        if len(near) > LONE_PAYMENTS and float(near.mean()) < PAID_ALONG:
            runs = np.union1d(runs, days_of[code])
            continue
        mine = place == code
        found = _nearest(runs, day[mine])
        moved[mine] = np.where(np.abs(found - day[mine]) <= limit, found, day[mine])
    return moved


def _shared_days(days_of: list[Ints], *, often: int) -> Ints:
    """The days of who is paid most often, without the few on which nobody else is: a commission of his own."""
    days = days_of[often]
    others = np.concatenate([mine for code, mine in enumerate(days_of) if code != often])
    shared = days[np.isin(days, others)]
    few = len(days) - len(shared) <= ALONE * len(days)
    return shared if few and len(shared) >= RUNS_OF_A_PAYROLL else days


def _nearest(runs: Ints, day: Ints) -> Ints:
    """Of ascending runs the one nearest to each day, the later of two."""
    after = np.minimum(np.searchsorted(runs, day), len(runs) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(runs[after] - day) <= np.abs(runs[before] - day), runs[after], runs[before])


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
