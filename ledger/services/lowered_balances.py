"""Keeping what a provider says about a customer's balance that became less."""

from datetime import datetime

from django.db import transaction

from ledger.domain.currency import ACTIVE_CURRENCIES, FORMER_CURRENCIES
from ledger.domain.intake import LoweredBalance as StatedBalance
from ledger.domain.money import LIMIT
from ledger.models.lowered_balance import LoweredBalance
from ledger.selectors.journal import journal_position
from ledger.services.announce import announce_advance


class InvalidLoweredBalance(ValueError):
    """A word about a balance that is refused; the message says why."""


def state_lowered_balance(*, company_id: int, balance: StatedBalance, actor: str, now: datetime) -> bool:
    """Keep that a balance became less; false when the same is kept already.

    Raises:
        InvalidLoweredBalance: it did not become less, an amount is below zero or beyond 14 integer digits, an
            unknown currency, or no customer named.
    """
    if not 0 <= balance.after < balance.before < LIMIT:
        raise InvalidLoweredBalance("a balance that became less must be finite, and less after than before")
    if balance.currency not in ACTIVE_CURRENCIES | FORMER_CURRENCIES:
        raise InvalidLoweredBalance(f"{balance.currency} is not a currency code of ISO 4217")
    if not balance.source or not balance.customer:
        raise InvalidLoweredBalance("a balance must name its customer")
    with transaction.atomic():
        _, is_new = LoweredBalance.objects.get_or_create(
            company_id=company_id,
            source=balance.source,
            customer=balance.customer,
            currency=balance.currency,
            at=balance.at,
            before=balance.before,
            after=balance.after,
            defaults={"recorded_at": now, "actor": actor},
        )
        if is_new:
            # No event moved, but whoever reads the books should look at them again.
            announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
    return is_new
