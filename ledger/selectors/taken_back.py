"""What refunds, disputes and credit notes take back of periods."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from ledger.domain.customer_balance import share
from ledger.domain.recognition import Refund
from ledger.selectors.credit_notes import CreditNote
from ledger.selectors.earning_periods import EarningPeriod
from ledger.selectors.payment_refunds import PaymentRefund

ZERO = Decimal(0)


def taken_back(
    periods: Sequence[EarningPeriod],
    notes: Iterable[CreditNote],
    refunds: Iterable[PaymentRefund],
    carried: Mapping[tuple[str, str], Decimal],
) -> list[list[Refund]]:
    """Return what is taken back from each period, in base currency at the rate of its payment."""
    taken: list[list[Refund]] = [[] for _ in periods]
    # What went to a balance is a part of the payment there, and no more of the period.
    moved: list[list[Refund]] = [[] for _ in periods]
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_payment: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, period in enumerate(periods):
        if period.document:
            places[period.payment.source, period.document].append(place)
        if period.payment.external_ref:
            by_payment[period.payment.source, period.payment.external_ref].append(place)
    for note in notes:
        own = [place for place in places.get(note.key, ()) if periods[place].payment.currency == note.currency]
        for place, amount in _credited(note, periods, own):
            period = periods[place]
            worth = share(period.term.amount, amount, period.part)
            taken[place].append(Refund(note.day, worth))
            if note.to_balance:
                moved[place].append(Refund(note.day, share(worth, note.to_balance, note.carried_out)))
    for refund in refunds:
        for place in by_payment.get((refund.source, refund.refund_of), ()):
            period = periods[place]
            if period.from_balance and refund.day < period.since:
                continue
            part = refund.part_of(period.payment, less=carried.get((refund.source, refund.external_ref), ZERO))
            if part is not None:
                elsewhere = sum((gone.amount for gone in moved[place] if gone.day <= refund.day), ZERO)
                taken[place].append(Refund(refund.day, share(max(period.brought - elsewhere, ZERO), *part)))
    return taken


def _credited(
    note: CreditNote, periods: Sequence[EarningPeriod], own: Sequence[int]
) -> Iterator[tuple[int, Decimal]]:
    """Yield what a note credits on each of its invoice's periods, in the currency of both.

    Periods of one line, paid in several ways, share it. A line that covers no days has no period: what was
    credited on it was earned at once.
    """
    for line, amount in note.lines:
        credited = [place for place in own if periods[place].part and line in ("", periods[place].line)]
        whole = sum((periods[place].part for place in credited), ZERO)
        yield from ((place, share(periods[place].part, amount, whole)) for place in credited)
