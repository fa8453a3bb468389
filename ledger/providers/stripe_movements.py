"""What an object of Stripe says that money moved, gathered event by event."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from ledger.domain.fx import RATE_STEP, SettlementRate
from ledger.domain.intake import Intake, ObjectKey
from ledger.domain.money import MONEY
from ledger.providers.provider import ParseContext
from ledger.providers.stripe_amounts import currency_of, id_of, in_currency, instant_of, minor_units, text_of

SOURCE = "stripe"
FEES = "payment fees"
CONVERSION = "currency conversion"


@dataclass(slots=True)
class Movements:
    """What an object says, gathered event by event."""

    context: ParseContext
    events: list[dict[str, Any]] = field(default_factory=list)
    settlements: dict[int, SettlementRate] = field(default_factory=dict)
    removed: list[ObjectKey] = field(default_factory=list)

    def add(
        self,
        event_type: str,
        minor: int,
        currency: str,
        *,
        ref: str,
        at: datetime,
        category: str,
        direction: str | None = None,
        account: str = "",
        counterparty: str = "Stripe",
        settlement: SettlementRate | None = None,
        **noted: Any,
    ) -> None:
        """Add an event, unless nothing moved."""
        if not minor:
            return
        if settlement is not None:
            self.settlements[len(self.events)] = settlement
        event = {
            "source": SOURCE,
            "event_type": event_type,
            "amount": in_currency(abs(minor), currency),
            "currency": currency,
            "occurred_at": at.isoformat(),
            "account": account or self.context.accounts["processor"],
            "category": category,
            "counterparty": counterparty,
            "external_ref": ref,
            "metadata": {name: value for name, value in noted.items() if value},
        }
        if direction is not None:
            event["direction"] = direction
        self.events.append(event)

    def take_back(self, thing: dict[str, Any]) -> None:
        self.removed.append(ObjectKey(SOURCE, id_of(thing)))

    def fee(self, transaction: dict[str, Any], *, category: str = FEES) -> None:
        """Add what Stripe took for a balance transaction, or gave back."""
        fee, currency = fee_of(transaction), currency_of(transaction)
        kind, direction = ("expense", None) if fee > 0 else ("adjustment", "in")
        self.add(
            kind,
            fee,
            currency,
            ref=id_of(transaction),
            at=instant_of(transaction, "created"),
            category=category,
            direction=direction,
            of=text_of(transaction, "source"),
        )

    def conversion(self, transaction: dict[str, Any], minor: int, currency: str) -> SettlementRate | None:
        """Add the change of money into the currency of its balance transaction; return the rate, None for none.

        Args:
            minor: what moved, signed as in the balance transaction, in `currency`.
        """
        settled, settled_in = minor_units(transaction, "amount"), currency_of(transaction)
        if settled_in == currency or not settled or not minor:
            return None
        at = instant_of(transaction, "created")
        # To the cent what Stripe settled: the rate that it states is rounded, and comes along as metadata.
        rate = MONEY.divide(in_currency(abs(settled), settled_in), in_currency(abs(minor), currency))
        settlement = SettlementRate(settled_in, rate.quantize(RATE_STEP, context=MONEY), SOURCE, at)
        stated = transaction.get("exchange_rate")
        noted: dict[str, Any] = {
            "exchange_rate": str(stated) if isinstance(stated, Decimal | int) else "",
            "of": text_of(transaction, "source"),
        }
        here, there = ("out", "in") if settled > 0 else ("in", "out")
        ref = id_of(transaction)
        self.add(
            "transfer",
            minor,
            currency,
            ref=ref,
            at=at,
            category=CONVERSION,
            direction=here,
            settlement=settlement,
            **noted,
        )
        self.add("transfer", settled, settled_in, ref=ref, at=at, category=CONVERSION, direction=there, **noted)
        return settlement

    def intake(self, *, said_at: datetime, otherwise: str) -> Intake:
        """Return what was gathered; `otherwise` says why nothing was."""
        nothing = not self.events and not self.removed
        return Intake(
            events=tuple(self.events),
            removed=tuple(self.removed),
            ignored=otherwise if nothing else "",
            said_at=said_at,
            settlements=self.settlements,
        )


def fee_of(transaction: dict[str, Any]) -> int:
    fee = transaction.get("fee")
    return fee if type(fee) is int else 0
