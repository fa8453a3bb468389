"""Entering what an instance-hour costs, where no bill says it, and taking such a price back."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from cloudpolicy.models.instance_price import InstancePrice, Market
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.clouds import cloud_accounts
from cloudpolicy.services.refusals import MISLEADING, misleads
from ledger.domain.company import CompanyRef
from ledger.domain.currency import ACTIVE_CURRENCIES
from ledger.domain.fx import UnknownRate
from ledger.domain.money import InvalidAmount, parse_amount
from ledger.domain.problems import FieldProblem
from ledger.selectors.fx import rate

MAX_REASON = 500
DEAREST_HOUR = Decimal(100_000)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_TYPE = re.compile(r"[a-z0-9-]{1,31}(\.[a-z0-9-]{1,32}){1,3}")


class PriceRefused(ValueError):
    """A price that is not kept; `problems` name every field that is wrong."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems


def enter_price(
    *,
    company: CompanyRef,
    region: str,
    instance_type: str = "",
    group: str = "",
    account: str = "",
    market: str = Market.ON_DEMAND,
    per_hour: object,
    currency: str = "",
    actor: str,
    because: str,
    now: datetime,
) -> InstancePrice:
    """Keep a price of an instance-hour; it takes the place of the one before. Bills go before entered prices.

    Args:
        instance_type, group: exactly one of them. A single instance or database is named as a group is.
        account: by its name in the settings; '' is all of them.
        per_hour: an amount; None takes the price before it back.
        currency: '' is the company's.

    Raises:
        PriceRefused: naming the fields.
    """
    currency = currency or company.base_currency
    problems: list[FieldProblem] = []
    amount = None if per_hour is None else _amount(per_hour, problems)
    if bool(instance_type) == bool(group):
        problems.append(FieldProblem("instance_type", "give either an instance type or a group"))
    elif instance_type and not _TYPE.fullmatch(instance_type):
        problems.append(FieldProblem("instance_type", f"{instance_type[:40]!r} is no type such as m6i.large"))
    if len(group) > 255 or misleads(group):
        problems.append(FieldProblem("group", "is no name of a group"))
    if not _REGION.fullmatch(region):
        problems.append(FieldProblem("region", f"{region[:40]!r} is no region such as us-east-1"))
    if account and account not in _account_names(company):
        problems.append(FieldProblem("account", f"there is no cloud account {account[:40]!r} in the settings"))
    if market not in Market.values:
        problems.append(FieldProblem("market", f"must be one of {', '.join(Market.values)}"))
    problems += _currency_problems(currency, company.base_currency, now)
    because = because.strip()
    if not because or len(because) > MAX_REASON or "\0" in because:
        problems.append(FieldProblem("because", f"say why, in at most {MAX_REASON} characters"))
    elif misleads(because):
        problems.append(FieldProblem("because", MISLEADING))
    if problems:
        raise PriceRefused(tuple(problems))
    return InstancePrice.objects.create(
        company_id=company.id,
        account=account,
        region=region,
        instance_type=instance_type,
        group=group,
        market=market,
        per_hour=amount,
        currency=currency,
        actor=actor[:255],
        because=because,
        entered_at=now,
    )


def _account_names(company: CompanyRef) -> frozenset[str]:
    try:
        return frozenset(account.name for account in cloud_accounts(company=company.slug))
    except CloudUnavailable:
        return frozenset()  # Whoever reads the cloud is told what is wrong with the setting.


def account_numbers_of(company: CompanyRef) -> Mapping[str, str]:
    """The number of each cloud account that is entered by a role, by its name in the settings.

    Raises:
        CloudUnavailable: the setting is wrong.
    """
    accounts = cloud_accounts(company=company.slug)
    return {account.name: account.role_arn.split(":")[4] for account in accounts if account.role_arn}


def _amount(per_hour: object, problems: list[FieldProblem]) -> Decimal | None:
    try:
        amount = parse_amount(per_hour)
    except InvalidAmount as invalid:
        problems.append(FieldProblem("per_hour", str(invalid)))
        return None
    if amount >= DEAREST_HOUR:
        problems.append(FieldProblem("per_hour", f"must be below {DEAREST_HOUR:,}"))
    return amount


def _currency_problems(currency: str, base: str, now: datetime) -> list[FieldProblem]:
    if currency not in ACTIVE_CURRENCIES:
        return [FieldProblem("currency", f"{currency[:40]!r} is not a currency code of ISO 4217")]
    try:
        rate(currency=currency, base=base, on=now.date())
    except UnknownRate as unknown:
        return [FieldProblem("currency", str(unknown))]
    return []
