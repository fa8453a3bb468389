"""What instance-hours of a company cost in a span of days, those of some groups apart from the rest."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from cloudpolicy.engine.score import ZERO, Spent
from cloudpolicy.selectors.rates import Rates
from cloudpolicy.selectors.usage_type import HOURS, NAMED, TYPED

# Whose line it is: of an instance or of an instance type of the groups, of an instance that is left out, or of the
# rest.
_LINES = r"""
    FROM (
        SELECT l.*,
               CASE WHEN @named = ANY (%(instances)s) THEN 'instance'
                    WHEN @named = ANY (%(aside)s) THEN 'aside'
                    WHEN (l.region, substring(l.usage_type FROM %(typed)s)) IN
                         (SELECT * FROM unnest(%(regions)s::text[], %(types)s::text[])) THEN 'type'
                    ELSE 'rest' END AS whose
        FROM ledger_cloudbillline l
        JOIN ledger_cloudbill b ON b.id = l.bill_id AND b.company_id = l.company_id AND b.state = 'current'
        WHERE l.company_id = %(company)s AND l.charge_type = 'usage' AND lower(l.unit) = ANY (%(hours)s)
          AND (l.usage_type ~ %(typed)s OR @named = ANY (%(instances)s))
          AND (l.until IS NULL AND l.day = ANY (%(days)s::date[]) OR l.until > %(first)s AND l.day <= %(last)s)
    ) l
""".replace("@named", NAMED)
# A charge for several days counts for each of them alike.
_SPENT = """
    SELECT l.currency, l.whose,
           sum(CASE WHEN l.until IS NULL THEN l.billed ELSE
               l.billed / (l.until - l.day) * (
                   SELECT count(*) FROM unnest(%(days)s::date[]) asked WHERE asked >= l.day AND asked < l.until
               ) END),
           bool_or(l.until IS NOT NULL)
    @lines GROUP BY 1, 2
""".replace("@lines", _LINES)
_LONG = """
    SELECT DISTINCT l.day, l.until @lines WHERE l.until IS NOT NULL AND l.whose = ANY (%(theirs)s)
""".replace("@lines", _LINES)


@dataclass(frozen=True, slots=True)
class GroupLines:
    """Which lines of bills are of groups that were changed.

    Attributes:
        instances: numbers of their instances.
        types: (region, instance type) of the groups.
        aside: instances that are neither theirs nor of the rest.
    """

    instances: Collection[str]
    types: Collection[tuple[str, str]]
    aside: Collection[str]


@dataclass(frozen=True, slots=True)
class InstanceCosts:
    """In base currency.

    Attributes:
        of_instances: lines that name an instance of the groups.
        of_types: other lines of the groups' instance types in their regions.
        is_spread: some of it was charged for several days at once.
    """

    of_instances: Decimal
    of_types: Decimal
    rest: Decimal
    days: int
    is_spread: bool

    def by_instance(self) -> Spent:
        return Spent(self.of_instances, self.of_types + self.rest, self.days)

    def by_type(self) -> Spent:
        return Spent(self.of_instances + self.of_types, self.rest, self.days)


def instance_costs(*, company_id: int, days: Sequence[date], lines: GroupLines, rates: Rates) -> InstanceCosts:
    """Sum what bills ask for instance-hours of these UTC days, in order, before credits.

    What is charged for several days at once is spread over them evenly.

    Args:
        rates: lines in a currency that it does not know are left out.
    """
    sums = {"instance": ZERO, "type": ZERO, "aside": ZERO, "rest": ZERO}
    is_spread = False
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, _asked(company_id, days, lines))
        for currency, whose, billed, is_long in cursor.fetchall():
            sums[whose] += billed * (rates.of(currency) or ZERO)
            is_spread |= is_long and whose != "aside"
    return InstanceCosts(sums["instance"], sums["type"], sums["rest"], len(days), is_spread)


def long_charges(
    *, company_id: int, days: Sequence[date], lines: GroupLines, names_instances: bool
) -> tuple[tuple[date, date], ...]:
    """The periods of several days, half-open, for which the groups are charged in one line.

    Args:
        days: those that reach into the span from the first to the last of these.
        names_instances: lines of their types are not theirs, as theirs name an instance.
    """
    theirs = ["instance"] if names_instances else ["instance", "type"]
    with connection.cursor() as cursor:
        cursor.execute(_LONG, _asked(company_id, days, lines) | {"theirs": theirs})
        return tuple(sorted(cursor.fetchall()))


def _asked(company_id: int, days: Sequence[date], lines: GroupLines) -> dict[str, Any]:
    pairs = sorted(lines.types)
    return {
        "company": company_id,
        "days": list(days),
        "first": days[0],
        "last": days[-1],
        "instances": sorted(lines.instances),
        "aside": sorted(lines.aside),
        "regions": [region for region, _ in pairs],
        "types": [kind for _, kind in pairs],
        "hours": list(HOURS),
        "typed": TYPED,
    }
