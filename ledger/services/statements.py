"""Keeping what somebody outside says we have: balances and credit grants at the end of a day."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, models, transaction

from ledger.domain.credit_grant import ZERO, CreditGrantBalance
from ledger.domain.money import LIMIT
from ledger.models.account import Account
from ledger.models.statement import BalanceStatement, CreditGrantStatement
from ledger.selectors.journal import journal_position
from ledger.services.announce import announce_advance

MAX_ATTEMPTS = 5


class InvalidStatement(ValueError):
    """A statement that is refused; the message says why."""


def state_balance(
    *,
    company_id: int,
    currency: str,
    amount: Decimal,
    day: date,
    origin: str,
    actor: str,
    now: datetime,
    account: str | None = None,
    as_of: datetime | None = None,
) -> bool:
    """Keep a cash balance of a day; false when the same is kept already.

    Another amount for the same account, currency, day and origin becomes the one that counts; the earlier one
    stays readable. What held at an earlier instant of the day never goes before what held at a later one.

    Args:
        account: its name; None states all cash accounts of the currency together.
        day: in the company's calendar.
        as_of: the instant of the day that it was asked at (aware); None: the balance is that of the day's end.
        origin: who says so, such as `plan`.

    Raises:
        InvalidStatement: the amount is not a finite number of at most 14 integer digits, or the account is
        unknown.
    """
    if not amount.is_finite() or abs(amount) >= LIMIT:
        raise InvalidStatement("a balance must be a finite number of at most 14 integer digits")
    account_id = None
    if account is not None:
        account_id = (
            Account.objects.filter(company_id=company_id, name=account).values_list("id", flat=True).first()
        )
        if account_id is None:
            raise InvalidStatement(f"{account} is not an account of this company")
    key = {
        "company_id": company_id,
        "account_id": account_id,
        "currency": currency,
        "day": day,
        "origin": origin,
    }
    if as_of is not None and BalanceStatement.objects.filter(**key, as_of__gt=as_of).exists():
        return False
    return _state(BalanceStatement, key, {"amount": amount}, {"as_of": as_of, "actor": actor, "recorded_at": now})


def state_credit_grant(
    *,
    company_id: int,
    provider: str,
    remaining: Decimal,
    expires_on: date,
    day: date,
    origin: str,
    actor: str,
    now: datetime,
) -> bool:
    """Keep what is left of a credit grant at the end of a day; false when the same is kept already.

    Args:
        remaining: in the company's base currency.
        expires_on: the last day it can be used; it tells the grants of a provider apart.

    Raises:
        InvalidStatement: the rest is not a finite number, or below zero.
    """
    if not remaining.is_finite() or not ZERO <= remaining < LIMIT:
        raise InvalidStatement("what is left of a grant must be a finite number, not below zero")
    key = {
        "company_id": company_id,
        "provider": provider,
        "expires_on": expires_on,
        "day": day,
        "origin": origin,
    }
    return _state(CreditGrantStatement, key, {"remaining": remaining}, {"actor": actor, "recorded_at": now})


def state_credit_grants(
    *,
    company_id: int,
    grants: Sequence[CreditGrantBalance],
    day: date,
    origin: str,
    actor: str,
    now: datetime,
) -> int:
    """Keep the complete list of grants as an origin sees them at the end of a day; return how many changed.

    A grant that this origin stated for the same day before and that is not in the list counts as nothing left.

    Raises:
        InvalidStatement: as in state_credit_grant.
    """
    stated = {(grant.provider, grant.expires_on): grant.remaining for grant in grants}
    with transaction.atomic():
        earlier = CreditGrantStatement.objects.filter(company_id=company_id, day=day, origin=origin)
        for provider, expires_on in earlier.values_list("provider", "expires_on").distinct():
            stated.setdefault((provider, expires_on), ZERO)
        return sum(
            state_credit_grant(
                company_id=company_id,
                provider=provider,
                remaining=remaining,
                expires_on=expires_on,
                day=day,
                origin=origin,
                actor=actor,
                now=now,
            )
            for (provider, expires_on), remaining in sorted(stated.items())
        )


def _state(model: type[models.Model], key: dict, said: dict, who: dict) -> bool:
    """Append a revision unless the last one says the same. Two at once race for the revision's number; one
    retries.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        last = model._default_manager.filter(**key).order_by("-revision").first()
        if last is not None and all(getattr(last, name) == value for name, value in said.items()):
            return False
        revision = 0 if last is None else last.revision + 1  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                model._default_manager.create(**key, **said, **who, revision=revision)
        except IntegrityError:
            if attempt == MAX_ATTEMPTS:
                raise
        else:
            # No event moved, but whoever reads the books should look at them again.
            company_id = key["company_id"]
            announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
            return True
    raise AssertionError("the loop returns or raises")
