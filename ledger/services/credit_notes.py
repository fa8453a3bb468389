"""Keeping what was credited to customers on invoices that they had paid."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.domain.currency import ACTIVE_CURRENCIES, FORMER_CURRENCIES
from ledger.domain.intake import CreditNote as StatedNote
from ledger.domain.money import LIMIT
from ledger.models.credit_note import CreditNote
from ledger.services.revisions import state_revision


class InvalidCreditNote(ValueError):
    """A credit note that is refused; the message says why."""


def state_credit_note(*, company_id: int, note: StatedNote, actor: str, now: datetime) -> bool:
    """Keep a credit note; false when the same is kept already.

    Another content becomes the one that counts, the earlier one stays readable. A note without lines takes back
    what it said before.

    Raises:
        InvalidCreditNote: an amount that is below zero or beyond 14 integer digits, a line or refund of zero, an
            unknown currency, or no document named.
    """
    _check(note)
    key = {"company_id": company_id, "source": note.source, "external_ref": note.external_ref}
    content: dict[str, Any] = {
        "document": note.document,
        "currency": note.currency,
        "day": note.day,
        "issued_on": note.issued_on,
        "lines": [[credited.line, str(credited.amount)] for credited in note.lines],
        "refunds": [[refund.external_ref, str(refund.amount)] for refund in note.refunds],
        "to_balance": note.to_balance,
        "out_of_band": note.out_of_band,
    }
    return state_revision(CreditNote, key=key, content=content, actor=actor, now=now)


def _check(note: StatedNote) -> None:
    positive = [*(credited.amount for credited in note.lines), *(refund.amount for refund in note.refunds)]
    if not all(_is_amount(amount) and amount for amount in positive):
        raise InvalidCreditNote("every line and refund of a credit note must have a finite amount above zero")
    if not _is_amount(note.to_balance) or not _is_amount(note.out_of_band):
        raise InvalidCreditNote("the amounts of a credit note must be finite and not below zero")
    if note.currency not in ACTIVE_CURRENCIES | FORMER_CURRENCIES:
        raise InvalidCreditNote(f"{note.currency} is not a currency code of ISO 4217")
    if not note.source or not note.external_ref or not note.document:
        raise InvalidCreditNote("a credit note must have an id and name its invoice")


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < LIMIT
