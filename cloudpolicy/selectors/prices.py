"""What instance-hours cost a company: read from the lines of its cloud bills, and from what people entered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from cloudpolicy.engine.price import ZERO, Entered, Metered, PriceBook
from cloudpolicy.models.instance_price import InstancePrice
from cloudpolicy.selectors.cost_days import charged_by_day
from cloudpolicy.selectors.rates import Rates
from cloudpolicy.selectors.usage_type import DATABASE, HOURS, MULTI_AZ, NAMED, TYPED
from ledger.domain.actor import person
from ledger.domain.company import CompanyRef
from ledger.selectors.credit_use import credits_used

PRICE_DAYS = 30
# Credits stand in some ledgers once a month, so a month would hold one of them, or two, or none.
CREDIT_DAYS = 91
MAX_ENTERED = 1_000

# Hours of instances, per day. FOCUS without AWS's own columns knows the instance and no type. Lines that take a
# price off again (savings plans) repeat the hours of those that ask for it: those hours do not count.
_METERED = r"""
    SELECT used.sub_account, used.region, used.kind, used.market,
           CASE WHEN used.instance = ANY (%(instances)s) THEN used.instance ELSE '' END,
           used.day, used.currency, sum(used.quantity) FILTER (WHERE used.billed >= 0), sum(used.billed),
           sum(coalesce(used.effective, used.billed))
    FROM (
        SELECT l.*,
               @named AS instance,
               coalesce(
                   substring(l.usage_type FROM %(typed)s),
                   substring(l.usage_type FROM %(database)s)
                       || CASE WHEN l.usage_type ~ %(multi_az)s THEN '.multi-az' ELSE '' END,
                   '') AS kind,
               CASE WHEN l.usage_type !~ %(typed)s AND l.usage_type !~ %(database)s THEN 'either'
                    WHEN l.usage_type ~ 'SpotUsage' THEN 'spot' ELSE 'on_demand' END AS market
        FROM ledger_cloudbillline l
        JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
        WHERE l.company_id = %(company)s AND (l.day >= %(start)s OR l.until > %(start)s) AND l.day < %(stop)s
          AND l.charge_type = 'usage'
          AND lower(l.unit) = ANY (%(hours)s)
    ) used
    WHERE used.kind <> '' OR (strpos(used.usage_type, ':') = 0 AND used.instance = ANY (%(instances)s))
    GROUP BY 1, 2, 3, 4, 5, 6, 7
""".replace("@named", NAMED)
# Of what was used over several days the last one counts that was over when the bill came.
_NEWEST_DAY = """
    SELECT greatest(max(began), max(ended) - 1) FROM (
        SELECT max(l.day) AS began, NULL::date AS ended FROM ledger_cloudbillline l
        JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
        WHERE l.company_id = %(company)s AND l.day < %(before)s
        UNION ALL
        SELECT NULL, max(least(l.until, (b.imported_at AT TIME ZONE 'UTC')::date, %(before)s))
        FROM ledger_cloudbillline l
        JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
        WHERE l.company_id = %(company)s AND l.until IS NOT NULL AND l.day < %(before)s AND l.charge_type = 'usage'
    ) newest
"""


@dataclass(frozen=True, slots=True)
class EnteredPrice:
    """A price as somebody entered it; of one kind the newest counts. `per_hour` None took an earlier one back."""

    account: str
    region: str
    instance_type: str
    group: str
    market: str
    per_hour: Decimal | None
    currency: str
    actor: str
    because: str
    entered_at: datetime

    @property
    def kind(self) -> tuple[str, str, str, str, str]:
        """What it is the price of."""
        return self.account, self.region, self.instance_type, self.group, self.market

    def to_json(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "region": self.region,
            "instance_type": self.instance_type,
            "group": self.group,
            "market": self.market,
            "per_hour": None if self.per_hour is None else f"{self.per_hour:f}",
            "currency": self.currency,
            "actor": self.actor,
            "because": self.because,
            "entered_at": self.entered_at.isoformat(),
        }


def price_book(
    *, company: CompanyRef, today: date, account_numbers: Mapping[str, str], instances: Collection[str]
) -> PriceBook:
    """Everything that is known of what an instance-hour costs a company.

    Reads the daily sums for credits: call `ledger.services.daily_flows.catch_up` first.

    Args:
        today: bill lines of the PRICE_DAYS days before the newest day billed are read, if that is recent.
        account_numbers: the number of a cloud account by its name in the settings, where it is known.
        instances: numbers of the instances, and ARNs of the databases, whose own lines are wanted.
    """
    newest = newest_billed_day(company_id=company.id, before=today)
    rates = Rates(company.base_currency, today)
    by_type: dict[tuple[str, str, str, str], Metered] = {}
    by_instance: dict[tuple[str, str], Metered] = {}
    # A price of a bill that is long past is no price.
    if newest is not None and newest >= today - timedelta(days=2 * PRICE_DAYS):
        for row in _metered(company.id, newest - timedelta(days=PRICE_DAYS - 1), newest, instances):
            _note(row, rates, by_type, by_instance)
    entered = tuple(_in_base(each, rates) for each in entered_prices(company_id=company.id))
    return PriceBook(
        by_type=by_type,
        by_instance=by_instance,
        entered=tuple(each for each in entered if each is not None),
        account_numbers=account_numbers,
        credit_share=_credit_share(company, newest, rates),
        days=PRICE_DAYS,
        doubt="" if by_type or by_instance or not rates.unknown else rates.doubt,
    )


def newest_billed_day(*, company_id: int, before: date) -> date | None:
    """The last day of which a bill in force speaks; None without any."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_DAY, {"company": company_id, "before": before})
        newest: date | None = cursor.fetchone()[0]
    return newest


def entered_prices(*, company_id: int) -> tuple[EnteredPrice, ...]:
    """The prices that count: of every kind the newest, unless that took it back."""
    kinds = ("account", "region", "instance_type", "group", "market")
    rows = InstancePrice.objects.filter(company_id=company_id).order_by(*kinds, "-id").distinct(*kinds)
    names = (*kinds, "per_hour", "currency", "actor", "because", "entered_at")
    found = (EnteredPrice(*row) for row in rows.values_list(*names)[:MAX_ENTERED])
    return tuple(each for each in found if each.per_hour is not None)


def _metered(company_id: int, first: date, last: date, instances: Collection[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _METERED,
            {
                "company": company_id,
                "start": first,
                "stop": last + timedelta(days=1),
                "instances": sorted(instances),
                "typed": TYPED,
                "database": DATABASE,
                "multi_az": MULTI_AZ,
                "hours": list(HOURS),
            },
        )
        return cursor.fetchall()


def _note(
    row: tuple[Any, ...],
    rates: Rates,
    by_type: dict[tuple[str, str, str, str], Metered],
    by_instance: dict[tuple[str, str], Metered],
) -> None:
    account, region, kind, market, instance, _day, currency, hours, billed, effective = row
    worth = rates.of(currency)
    if worth is None or not hours or hours <= 0:
        return
    billed, effective = billed * worth, effective * worth
    metered = Metered(hours, billed, effective, effective / hours, effective / hours)
    if kind:
        key = (account, region, kind, market)
        by_type[key] = by_type[key].plus(metered) if key in by_type else metered
    if instance:
        own = (instance, market)
        by_instance[own] = by_instance[own].plus(metered) if own in by_instance else metered


def _in_base(each: EnteredPrice, rates: Rates) -> Entered | None:
    worth = rates.of(each.currency)
    if worth is None or each.per_hour is None:
        return None
    return Entered(
        account=each.account,
        region=each.region,
        instance_type=each.instance_type,
        group=each.group,
        market=each.market,
        per_hour=each.per_hour * worth,
        said=f"entered by {person(each.actor)} on {each.entered_at:%Y-%m-%d}",
    )


def _credit_share(company: CompanyRef, newest: date | None, rates: Rates) -> Decimal:
    if newest is None:
        return ZERO
    start, stop = newest - timedelta(days=CREDIT_DAYS - 1), newest + timedelta(days=1)
    charged = sum(charged_by_day(company_id=company.id, start=start, stop=stop, rates=rates).values(), ZERO)
    if charged <= 0:
        return ZERO
    used = credits_used(company_id=company.id, before=stop)
    credited = sum((use.amount for use in used if use.day >= start), ZERO)
    return min(max(credited / charged, ZERO), Decimal(1)).quantize(Decimal("0.000001"))
