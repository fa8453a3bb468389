"""What instance-hours of a company cost in a span of days, those of some groups apart from the rest."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

from cloudpolicy.engine.score import ZERO, Spent
from cloudpolicy.selectors.rates import Rates
from cloudpolicy.selectors.usage_type import HOURS, NAMED, TYPED

_SPENT = r"""
    SELECT l.currency,
           CASE WHEN @named = ANY (%(instances)s) THEN 'instance'
                WHEN @named = ANY (%(aside)s) THEN 'aside'
                WHEN (l.region, substring(l.usage_type FROM %(typed)s)) IN
                     (SELECT * FROM unnest(%(regions)s::text[], %(types)s::text[])) THEN 'type'
                ELSE 'rest' END,
           sum(l.billed)
    FROM ledger_cloudbillline l
    JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
    WHERE l.company_id = %(company)s AND l.day >= %(start)s AND l.day < %(stop)s AND l.charge_type = 'usage'
      AND lower(l.unit) = ANY (%(hours)s)
      AND (l.usage_type ~ %(typed)s OR @named = ANY (%(instances)s))
    GROUP BY 1, 2
""".replace("@named", NAMED)


@dataclass(frozen=True, slots=True)
class InstanceCosts:
    """In base currency.

    Attributes:
        of_instances: lines that name an instance of the groups.
        of_types: other lines of the groups' instance types in their regions.
    """

    of_instances: Decimal
    of_types: Decimal
    rest: Decimal
    days: int

    def by_instance(self) -> Spent:
        return Spent(self.of_instances, self.of_types + self.rest, self.days)

    def by_type(self) -> Spent:
        return Spent(self.of_instances + self.of_types, self.rest, self.days)


def instance_costs(
    *,
    company_id: int,
    start: date,
    stop: date,
    instances: Collection[str],
    types: Collection[tuple[str, str]],
    aside: Collection[str],
    rates: Rates,
) -> InstanceCosts:
    """Sum what bills ask for instance-hours of `[start, stop)`, UTC days, before credits.

    Args:
        types: (region, instance type) of the groups.
        aside: instances that are neither theirs nor of the rest.
        rates: lines in a currency that it does not know are left out.
    """
    pairs = sorted(types)
    sums = {"instance": ZERO, "type": ZERO, "aside": ZERO, "rest": ZERO}
    with connection.cursor() as cursor:
        cursor.execute(
            _SPENT,
            {
                "company": company_id,
                "start": start,
                "stop": stop,
                "instances": sorted(instances),
                "aside": sorted(aside),
                "regions": [region for region, _ in pairs],
                "types": [kind for _, kind in pairs],
                "hours": list(HOURS),
                "typed": TYPED,
            },
        )
        for currency, whose, billed in cursor.fetchall():
            sums[whose] += billed * (rates.of(currency) or ZERO)
    return InstanceCosts(sums["instance"], sums["type"], sums["rest"], (stop - start).days)
