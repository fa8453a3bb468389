"""What happened between two forecasts, against what the earlier one expected: money per group, and who it was."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from forecasting.drivers.assembly import assemble
from forecasting.explain.stage import Stage
from forecasting.fit.cash_rows import CashRows, Payee
from forecasting.fit.role import Role
from forecasting.kernel.elapse import expected_flow
from forecasting.outcome import money

NAMED_PAYEES = 3
LEAST_AMOUNT = 0.005  # below a cent it is the rounding of two large sums


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Events that a forecast expects together.

    Attributes:
        roles: of the ledger's rows.
        drivers: that expect them.
    """

    key: str
    label: str
    roles: frozenset[Role]
    drivers: frozenset[str]


PAYROLL = EventGroup(
    key="payroll",
    label="Payroll and taxes",
    roles=frozenset((Role.PAYROLL, Role.PAYROLL_TAX, Role.TAX)),
    drivers=frozenset(("payroll", "payroll_tax", "taxes")),
)
INCOME = EventGroup(
    key="income",
    label="Customers",
    roles=frozenset((Role.REVENUE, Role.REFUND, Role.CONTRACT, Role.INVOICED)),
    drivers=frozenset(("sales", "invoiced", "contracts", "receivables")),
)
CLOUD = EventGroup(key="cloud", label="Cloud bills", roles=frozenset((Role.CLOUD,)), drivers=frozenset(("cloud",)))
FUNDING = EventGroup(
    key="funding", label="New money", roles=frozenset((Role.FUNDING,)), drivers=frozenset(("tranches",))
)
TRANSFERS = EventGroup(
    key="transfers",
    label="Transfers between own accounts",
    roles=frozenset((Role.TRANSFER,)),
    drivers=frozenset(),
)
SPENDING = EventGroup(
    key="spending",
    label="Bills and everyday spending",
    roles=frozenset((Role.SUBSCRIPTION, Role.RENT, Role.SPENDING, Role.CONTRACTOR, Role.OTHER)),
    drivers=frozenset(("vendors", "pool", "leak", "tax_credits")),
)
GROUPS = (PAYROLL, INCOME, CLOUD, FUNDING, TRANSFERS, SPENDING)
_GROUP_OF_ROLE = {role: group for group in GROUPS for role in group.roles}


@dataclass(frozen=True, slots=True)
class PayeeFlow:
    """What one payee brought (positive) or took, in base currency."""

    counterparty: str
    category: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Surprise:
    """One group: what came, what was expected, and the payees who moved most.

    Attributes:
        actual, expected: signed, base currency.
    """

    group: EventGroup
    actual: float
    expected: float
    payees: tuple[PayeeFlow, ...]

    @property
    def amount(self) -> float:
        """More money than expected when positive."""
        return self.actual - self.expected


def surprises(*, then: Stage, before: CashRows, after: CashRows, days: int) -> tuple[Surprise, ...]:
    """The groups in which anything moved or was expected to move, the largest surprise first.

    Args:
        then: the earlier company on bank cash, at the rates that `before` and `after` are valued at.
        before: the rows that the earlier forecast knew.
        after: the rows that the later one knows.
        days: between their as-of dates.
    """
    moved = _news(before, after)
    found = []
    for group in GROUPS:
        payees = moved.get(group.key, {})
        actual = sum(payees.values())
        expected = _expected(then, group, days=days)
        if actual or expected:
            found.append(Surprise(group=group, actual=actual, expected=expected, payees=_largest(payees)))
    return tuple(sorted(found, key=lambda surprise: (-abs(surprise.amount), surprise.group.key)))


type _Payees = dict[tuple[str, str], float]


def _news(before: CashRows, after: CashRows) -> dict[str, _Payees]:
    """Per group, (counterparty, category) -> what was recorded since, late entries and reversals included.

    What was recorded is the difference of two sums over the whole ledger, so an entry for a day long past counts,
    and one that was taken back counts against itself.
    """
    sums: dict[tuple[Payee, bool], float] = defaultdict(float)
    role: dict[tuple[Payee, bool], int] = {}
    for rows, sign in ((before, -1.0), (after, 1.0)):
        kind = rows.payee.astype(np.int64) * 2 + (rows.amount > 0)
        kinds, last, place = np.unique(kind[::-1], return_index=True, return_inverse=True)
        total = np.bincount(place, weights=rows.amount[::-1], minlength=len(kinds))
        for code, amount, newest in zip(
            kinds.tolist(), total.tolist(), rows.role[::-1][last].tolist(), strict=True
        ):
            key = rows.payees[code // 2], bool(code % 2)
            sums[key] += sign * amount
            role[key] = newest
    news: dict[str, _Payees] = defaultdict(lambda: defaultdict(float))
    for key, amount in sums.items():
        group = _GROUP_OF_ROLE.get(Role(role[key]))
        if group is not None and abs(amount) >= LEAST_AMOUNT:
            news[group.key][key[0].counterparty, key[0].category] += amount
    return news


def _expected(then: Stage, group: EventGroup, *, days: int) -> float:
    """What the group's drivers expected of the first days, level 1.

    A cost that follows sales is spending, and a tax that follows them is a tax.
    """
    setting = then.setting
    parts = tuple(part for part in then.parts if part.driver.name in group.drivers)
    expected = expected_flow(assemble(setting, parts), days=days)
    if group in (INCOME, SPENDING):
        costs = _costs_of_sales(then, days=days)
        expected += costs if group is INCOME else -costs
    if group in (INCOME, PAYROLL):
        taxes = _taxes_on_sales(then, days=days)
        expected += taxes if group is INCOME else -taxes
    return expected


def _costs_of_sales(then: Stage, *, days: int) -> float:
    """Expected costs that the sales driver has taken off its income already, positive."""
    company, setting = then.setting.company, then.setting
    income = company.sales or company.invoiced
    if income is None:
        return 0.0
    return sum(
        float(
            (
                cost.certain(first_day=setting.first_day, days=setting.horizon_days)
                + cost.expected(income, first_day=setting.first_day, days=setting.horizon_days)
            )[:days].sum()
        )
        for cost in company.costs
    )


def _taxes_on_sales(then: Stage, *, days: int) -> float:
    """Expected taxes on income to come, which the driver of that income has taken off it, positive."""
    company, setting = then.setting.company, then.setting
    income = company.sales or company.invoiced
    if income is None:
        return 0.0
    return sum(
        float(setting.per_day(tax.day, tax.expected(income, first_day=setting.first_day))[:days].sum())
        for tax in company.sales_taxes
    )


def _largest(payees: _Payees) -> tuple[PayeeFlow, ...]:
    ordered = sorted(payees.items(), key=lambda entry: (-abs(entry[1]), entry[0]))
    return tuple(
        PayeeFlow(counterparty=counterparty, category=category, amount=money(amount))
        for (counterparty, category), amount in ordered[:NAMED_PAYEES]
    )
