"""Recurring streams: payments that come back on a cadence, found in many payees at once.

Everything is an array over streams, and a stream carries its own as-of day, so that the self-backtest can detect
streams as they looked on five past days in the same pass as today's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.calendar import BusinessCalendar, add_months, day_of_month, day_of_week, month_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WEEKLY, BIWEEKLY, SEMI_MONTHLY, MONTHLY, QUARTERLY, ANNUAL = range(6)
PERIOD_DAYS = np.array([7.0, 14.0, 365.25 / 24, 365.25 / 12, 365.25 / 4, 365.25])
MEDIAN_GAP_DAYS = np.array([[6, 8], [12.5, 14.9], [13, 17], [26, 35], [80, 100], [350, 380]], dtype=float)
GAP_TOLERANCE_DAYS = np.array([1.0, 2.0, 4.0, 5.0, 10.0, 12.0])
STEP_MONTHS = np.array([0, 0, 0, 1, 3, 12])

REGULAR_GAPS = 0.75
OFF_CYCLE = 0.15
MAX_LOG_SD = 0.35
STEADY_LOG_SD = 0.1
ODD_BILL = 0.5  # of the log: two thirds above the usual amount, or as much below
LEVEL_LOG_SD = 0.02  # of amounts that are the same each time
ACTIVE_PERIODS = 1.6
YOUNG_DAYS = 62
OVERDUE_PERIODS = 0.35
MONTH_END = 31
RECENT = 6
LONGEST_WAIT_DAYS = 3
ROBUST = 1.4826  # MAD to standard deviation of a normal


@dataclass(frozen=True, slots=True)
class Streams:
    """Active streams, one per entry of every array.

    Attributes:
        key: the payee (or whatever the caller numbered) that a stream belongs to.
        cadence: WEEKLY .. ANNUAL.
        last_day: the latest payment.
        day_of_month: for monthly and longer; 31 means the end of the month.
        amount: expected next payment, signed like the payments.
        log_sd: robust spread of the last log amounts.
        on_business_days: payments never fall on a closed day, they wait for the next open one.
        as_of_day: the day the stream was detected on.
    """

    key: Ints
    cadence: Ints
    last_day: Ints
    day_of_month: Ints
    amount: Floats
    log_sd: Floats
    on_business_days: NDArray[np.bool_]
    as_of_day: Ints

    def where(self, chosen: NDArray[np.bool_]) -> "Streams":
        """The streams under a mask."""
        return Streams(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Detection:
    """What became of every key: an active stream, a stream that ended, or no stream at all."""

    streams: Streams
    is_stream: NDArray[np.bool_]  # [keys], active or ended


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Expected payments: stream[i] pays amount[i] on day[i]."""

    stream: Ints
    day: Ints
    amount: Floats


def detect(
    *,
    day: Ints,
    amount: Floats,
    key: Ints,
    as_of_day: Ints,
    subscription: NDArray[np.bool_],
    calendar: BusinessCalendar,
    variable: NDArray[np.bool_] | None = None,
) -> Detection:
    """Find the recurring streams.

    Args:
        day, amount, key: payments in any order; the payments of a key are summed per day and share one sign.
        as_of_day: int64 [keys], the day from which each key is looked at; its payments are not later.
        subscription: bool [keys], kinds of bills of which one or two young payments already mean monthly.
        calendar: whose closed days shift payments.
        variable: bool [keys], kinds of payment that are a stream only where each is as large as the one before.
    """
    keys = len(as_of_day)
    day, amount, key = _sum_per_day(day, amount, key)
    start = np.searchsorted(key, np.arange(keys))
    count = np.searchsorted(key, np.arange(keys), side="right") - start
    paid = count > 0
    final = np.maximum(start + count - 1, 0)
    none = np.zeros(keys, dtype=np.int64)
    first_day = day[np.minimum(start, len(day) - 1)] if len(day) else none
    last_day = day[final] if len(day) else none

    cadence, regular = _cadence(day, key, keys, count, last_day - first_day)
    recent = _recent(np.log(np.maximum(np.abs(amount), 1e-9)), start, count, width=4)
    log_sd = _log_sd(recent, np.minimum(count, 4))
    is_stream = regular & (
        log_sd <= (MAX_LOG_SD if variable is None else np.where(variable, LEVEL_LOG_SD, MAX_LOG_SD))
    )
    young = subscription & paid & (count <= 2) & (as_of_day - first_day < YOUNG_DAYS)
    young &= (count == 1) | (log_sd <= MAX_LOG_SD)
    cadence = np.where(young & ~is_stream & (cadence < 0), MONTHLY, cadence)
    is_stream |= young
    period = PERIOD_DAYS[np.maximum(cadence, 0)]
    waits = _only_business_days(day, key, keys, count, calendar)
    active = is_stream & (as_of_day - last_day <= ACTIVE_PERIODS * period)

    return Detection(
        streams=Streams(
            key=np.flatnonzero(active),
            cadence=cadence[active],
            last_day=last_day[active],
            day_of_month=_nominal_day_of_month(day, start, count, waits)[active],
            amount=_expected_amount(amount, start, count, log_sd)[active],
            log_sd=log_sd[active],
            on_business_days=waits[active],
            as_of_day=as_of_day[active],
        ),
        is_stream=is_stream,
    )


def expect(streams: Streams, *, days: int, calendar: BusinessCalendar) -> Occurrences:
    """The payments expected in the `days` days after each stream's as-of day."""
    pieces = [
        _expect_cadence(streams, np.flatnonzero(streams.cadence == cadence), cadence, days, calendar)
        for cadence in range(len(PERIOD_DAYS))
    ]
    stream, day = (np.concatenate([piece[i] for piece in pieces]) for i in (0, 1))
    return Occurrences(stream=stream, day=day, amount=streams.amount[stream])


def _expect_cadence(
    streams: Streams, chosen: Ints, cadence: int, days: int, calendar: BusinessCalendar
) -> tuple[Ints, Ints]:
    if not len(chosen):
        return chosen, chosen
    last, as_of = streams.last_day[chosen], streams.as_of_day[chosen]
    steps = np.arange(1, int(days / PERIOD_DAYS[cadence]) + 4)
    months = int(STEP_MONTHS[cadence])
    if months:
        dom = streams.day_of_month[chosen]
        due = add_months(month=_nominal_month(last, dom)[:, None] + months * steps, day_of_month=dom[:, None])
    else:
        due = last[:, None] + np.rint(PERIOD_DAYS[cadence] * steps).astype(np.int64)
    waits = streams.on_business_days[chosen]
    if waits.any():
        # What is paid at a month's end is paid before a weekend there, and what falls due on a day after it.
        early = waits & (streams.day_of_month[chosen] == MONTH_END) & (months > 0)
        due[early] = calendar.on_or_before(due[early])
        due[waits & ~early] = calendar.on_or_after(due[waits & ~early])
    # The bill that is a little late is still expected, tomorrow; one that is very late was cancelled or skipped.
    late = (due <= as_of[:, None]) & (due > as_of[:, None] - OVERDUE_PERIODS * PERIOD_DAYS[cadence])
    due = np.where(late, as_of[:, None] + 1, due)
    row, column = np.nonzero((due > as_of[:, None]) & (due <= as_of[:, None] + days))
    return chosen[row], due[row, column]


def _sum_per_day(day: Ints, amount: Floats, key: Ints) -> tuple[Ints, Floats, Ints]:
    order = np.lexsort((day, key))
    day, amount, key = day[order], amount[order], key[order]
    opens = np.ones(len(day), dtype=bool)
    opens[1:] = (day[1:] != day[:-1]) | (key[1:] != key[:-1])
    starts = np.flatnonzero(opens)
    return day[starts], np.add.reduceat(amount, starts) if len(starts) else amount, key[starts]


def _cadence(day: Ints, key: Ints, keys: int, count: Ints, span: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Cadence by median gap, and whether the gaps are regular enough to believe it."""
    same = key[1:] == key[:-1] if len(key) else np.zeros(0, dtype=bool)
    gap, gap_key = np.diff(day)[same].astype(np.float64), key[1:][same]
    order = np.lexsort((gap, gap_key))
    gap, gap_key = gap[order], gap_key[order]
    gaps = np.maximum(count - 1, 0)
    start = np.searchsorted(gap_key, np.arange(keys))
    known = gaps >= 1
    low = np.where(known, start + (gaps - 1) // 2, 0)
    high = np.where(known, start + gaps // 2, 0)
    median = np.where(known, (gap[low] + gap[high]) / 2, 0.0) if len(gap) else np.zeros(keys)

    cadence = np.full(keys, -1, dtype=np.int64)
    for code in reversed(range(len(PERIOD_DAYS))):
        shortest, longest = MEDIAN_GAP_DAYS[code]
        cadence[(median >= shortest) & (median <= longest)] = code
    period = PERIOD_DAYS[np.maximum(cadence, 0)]
    near = np.abs(gap - period[gap_key]) <= GAP_TOLERANCE_DAYS[np.maximum(cadence, 0)][gap_key]
    share = np.bincount(gap_key, weights=near, minlength=keys) / np.maximum(gaps, 1)
    extras = np.abs(gaps - span / period)
    regular = (
        (cadence >= 0) & (gaps >= 2) & (share >= REGULAR_GAPS) & (extras <= np.maximum(1.0, OFF_CYCLE * gaps))
    )
    return cadence, regular


def _recent(values: Floats, start: Ints, count: Ints, width: int) -> Floats:
    """float64 [keys, width]: the last values of each key, nan where there are fewer."""
    back = np.arange(width)
    index = (start + count - 1)[:, None] - back
    known = back < count[:, None]
    if not len(values):
        return np.full(index.shape, np.nan)
    return np.where(known, values[np.where(known, index, 0)], np.nan)


def _median(values: Floats, known: Ints) -> Floats:
    """Median along axis 1 of the `known` values that are not nan; nan sorts last."""
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    known = np.maximum(known, 1)
    return (ordered[rows, (known - 1) // 2] + ordered[rows, known // 2]) / 2


def _log_sd(recent: Floats, known: Ints) -> Floats:
    centre = _median(recent, known)
    deviation: Floats = ROBUST * _median(np.abs(recent - centre[:, None]), known)
    return np.nan_to_num(deviation, nan=0.0)


def _expected_amount(amount: Floats, start: Ints, count: Ints, log_sd: Floats) -> Floats:
    """The last amount of a steady bill unless it is odd, the mean of the last four of an unsteady one."""
    recent = _recent(amount, start, count, width=4)
    known = np.minimum(count, 4)
    mean = np.nansum(recent, axis=1) / np.maximum(known, 1)
    last = np.nan_to_num(recent[:, 0])
    usual = np.nan_to_num(_median(recent, known)) if len(amount) else last
    # One bill of several times the usual is a year paid ahead, or a mistake: the next one tells.
    odd = (known >= 3) & (
        np.abs(np.log(np.maximum(np.abs(last), 1e-9) / np.maximum(np.abs(usual), 1e-9))) > ODD_BILL
    )
    return np.where(log_sd < STEADY_LOG_SD, np.where(odd, usual, last), mean)


def _nominal_day_of_month(day: Ints, start: Ints, count: Ints, waits: NDArray[np.bool_]) -> Ints:
    """The median day of the month of the last payments; 31 when most of them are at a month's end.

    Payments that wait for an open day are never early, so the earliest of them is nearest to the nominal day.
    """
    known = np.minimum(count, RECENT)
    dom = day_of_month(day).astype(np.float64)
    recent = _recent(dom, start, count, width=RECENT)
    month_end = _recent((day_of_month(day + 3) <= 3).astype(np.float64), start, count, width=RECENT)
    at_end = (known >= 2) & (np.nansum(month_end, axis=1) >= 0.8 * known)
    # A bill due on the 1st that waits for a Monday, or that is due at month end, straddles two months.
    straddles = (np.nanmax(np.nan_to_num(recent, nan=0), axis=1) >= 27) & (_least(recent) <= 4)
    recent = np.where(straddles[:, None] & (recent <= 15), recent + 31, recent)
    median = np.nan_to_num(_median(recent, known), nan=1.0)
    earliest = _least(recent)
    median = np.where(waits & (median - earliest <= LONGEST_WAIT_DAYS), earliest, median)
    nominal = np.where(median > 31, median - 31, median)
    return np.where(at_end, MONTH_END, np.clip(np.floor(nominal), 1, MONTH_END)).astype(np.int64)


def _least(values: Floats) -> Floats:
    return np.nan_to_num(values, nan=99.0).min(axis=1)


def _nominal_month(last: Ints, dom: Ints) -> Ints:
    """The month whose nominal day lies nearest to the payment: what is due on the 1st may be paid on the 30th."""
    months = month_of(last)[:, None] + np.array([-1, 0, 1])
    distance = np.abs(add_months(month=months, day_of_month=dom[:, None]) - last[:, None])
    return months[np.arange(len(last)), np.argmin(distance, axis=1)]


def _only_business_days(
    day: Ints, key: Ints, keys: int, count: Ints, calendar: BusinessCalendar
) -> NDArray[np.bool_]:
    closed = np.bincount(key, weights=~calendar.is_business(day), minlength=keys) if len(day) else np.zeros(keys)
    weekdays = np.zeros((keys, 7))
    np.add.at(weekdays, (key, day_of_week(day)), 1)
    # Four dates on different weekdays and none on a weekend is a rule; a weekly bill on Tuesdays proves nothing.
    return (closed == 0) & (count >= 4) & ((weekdays > 0).sum(axis=1) >= 3)
