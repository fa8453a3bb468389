"""Keeping what somebody says about the days over which income is earned."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from ledger.domain.currency import ACTIVE_CURRENCIES, FORMER_CURRENCIES
from ledger.domain.intake import ObjectKey
from ledger.domain.intake import ServicePeriod as StatedPeriod
from ledger.domain.money import LIMIT
from ledger.models.service_period import ServicePeriod
from ledger.services.revisions import state_revision

_CONTENT = ("document", "amount", "currency", "start", "end")


class InvalidServicePeriod(ValueError):
    """A service period that is refused; the message says why."""


def state_service_periods(*, company_id: int, periods: Iterable[StatedPeriod], actor: str, now: datetime) -> int:
    """Keep service periods and return how many say something new, all or none of them.

    Raises:
        InvalidServicePeriod: as in state_service_period.
    """
    with transaction.atomic():
        return sum(
            state_service_period(company_id=company_id, period=period, actor=actor, now=now) for period in periods
        )


def state_service_period(*, company_id: int, period: StatedPeriod, actor: str, now: datetime) -> bool:
    """Keep over which days a part of an income event is earned; false when the same is kept already.

    Another content for the same line becomes the one that counts; the earlier one stays readable. An amount of
    zero takes the line back.

    Raises:
        InvalidServicePeriod: no days, an amount below zero or beyond 14 integer digits, an unknown currency, or no
            event named.
    """
    _check(period)
    key = {
        "company_id": company_id,
        "source": period.source,
        "external_ref": period.external_ref,
        "line": period.line,
    }
    content = {name: getattr(period, name) for name in _CONTENT}
    return state_revision(ServicePeriod, key=key, content=content, actor=actor, now=now)


def void_service_periods(*, company_id: int, document: ObjectKey, actor: str, now: datetime) -> int:
    """Take back every period that a document stated; return how many there were.

    Args:
        document: its source and the `document` of its periods.
    """
    said = (
        ServicePeriod.objects.filter(company_id=company_id, source=document.source, document=document.external_ref)
        .order_by("external_ref", "line", "-revision")
        .distinct("external_ref", "line")
    )
    return state_service_periods(
        company_id=company_id,
        periods=[
            StatedPeriod(
                source=period.source,
                external_ref=period.external_ref,
                line=period.line,
                amount=Decimal(0),
                currency=period.currency,
                start=period.start,
                end=period.end,
                document=period.document,
            )
            for period in said
            if period.amount
        ],
        actor=actor,
        now=now,
    )


def _check(period: StatedPeriod) -> None:
    if not period.amount.is_finite() or not 0 <= period.amount < LIMIT:
        raise InvalidServicePeriod("the amount of a service period must be a finite number, not below zero")
    if period.end <= period.start:
        raise InvalidServicePeriod(f"a service period must end after it starts on {period.start}")
    if period.currency not in ACTIVE_CURRENCIES | FORMER_CURRENCIES:
        raise InvalidServicePeriod(f"{period.currency} is not a currency code of ISO 4217")
    if not period.source or not period.external_ref:
        raise InvalidServicePeriod("a service period must name the event that it belongs to")
