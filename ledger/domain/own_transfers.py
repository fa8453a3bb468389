"""What foreign money does when it moves between own accounts: nothing, unless it becomes another currency."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.domain.fx_gains import ForeignMove
from ledger.domain.money import MICRO, MONEY


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a transfer, as it was recorded.

    Attributes:
        amount: positive, in `currency`.
        base_amount: the same in the company's currency.
    """

    day: date
    currency: str
    amount: Decimal
    base_amount: Decimal


@dataclass(frozen=True, slots=True)
class OwnTransfer:
    """Two sides that were matched as one transfer."""

    leaving: Side
    arriving: Side


def foreign_moves(transfer: OwnTransfer, *, base_currency: str) -> tuple[ForeignMove, ...]:
    """Return what a transfer takes out of the pools of foreign money, and brings into them.

    Within one currency only what was lost on the way leaves it (or what came on top arrives). A conversion has one
    value on both sides, so that the bank's margin is a loss of the day: what was paid or received in the company's
    own currency, else what arrived.
    """
    out, into = transfer.leaving, transfer.arriving
    if out.currency == into.currency:
        rest = into.amount - out.amount
        if not rest or out.currency == base_currency:
            return ()
        worth = MONEY.divide(MONEY.multiply(out.base_amount, rest), out.amount).quantize(MICRO, context=MONEY)
        return (ForeignMove(into.day, into.currency, rest, worth),)
    value = out.amount if out.currency == base_currency else into.base_amount
    moves = []
    if out.currency != base_currency:
        moves.append(ForeignMove(out.day, out.currency, -out.amount, -value))
    if into.currency != base_currency:
        moves.append(ForeignMove(into.day, into.currency, into.amount, value))
    return tuple(moves)
