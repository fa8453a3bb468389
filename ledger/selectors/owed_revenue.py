"""What customers have paid for and not received yet, for whoever asks for nothing but what is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from ledger.domain.recognition import DeferredTerm, TermCohort, unearned_at, unearned_curve
from ledger.selectors.earning_periods import contract_periods, periods_told_of_more
from ledger.selectors.earning_terms import earning_terms, in_credit
from ledger.selectors.term_cohorts import term_cohorts

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OwedRevenue:
    """Attributes:
    unearned, in_credit: as in `DeferredRevenue`, at the end of each day.
    release: what of the last day's `unearned` is earned on the day after it, on the one after that and so on.
    """

    unearned: tuple[Decimal, ...]
    in_credit: tuple[Decimal, ...]
    release: tuple[Decimal, ...]


def owed_revenue(*, company_id: int, timezone: str, start: date, end: date) -> OwedRevenue:
    """Return what is received and not earned at the end of every day of [start, end): of `deferred_revenue` what a
    forecast asks at each publication.

    Payments of which nothing is told but over which days they are earned, which are nearly all, come as sums: it
    costs as much as there are different days, and not as there are payments.

    Args:
        start, end: at least one day.
    """
    values = {"company": company_id, "timezone": timezone, "before": end}
    contracts = contract_periods(values)
    cohorts = term_cohorts(values, contracts=contracts, ending_after=start)
    told = earning_terms(
        values,
        periods_told_of_more(values, contracts=contracts),
        contracts,
        start=start,
        earliest=min((cohort.received_on for cohort in cohorts), default=start),
    )
    days = tuple(start + timedelta(days=number) for number in range((end - start).days))
    return OwedRevenue(
        unearned=unearned_curve(told.terms, cohorts=cohorts, start=start - ONE_DAY, end=end)[1:],
        in_credit=in_credit(told.credit_moves, days),
        release=_release(told.terms, cohorts, after=days[-1]),
    )


def _release(terms: Sequence[DeferredTerm], cohorts: Sequence[TermCohort], *, after: date) -> tuple[Decimal, ...]:
    terms = [term for term in terms if unearned_at(term, day=after)]
    cohorts = [cohort for cohort in cohorts if cohort.unearned_at(day=after)]
    ends = [*(term.term.end for term in terms), *(cohort.end for cohort in cohorts)]
    last = max(ends, default=after)
    owed = unearned_curve(terms, cohorts=cohorts, start=after, end=max(last, after + ONE_DAY))
    return tuple(before - then for before, then in pairwise(owed))
