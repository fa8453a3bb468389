"""What looks wrong in the data itself: sayings of the journal that are seldom true, and what to do about each.

A warning changes no figure. Spending that flips its sign is mostly a credit that was never applied to its bill, or
refunds of many months booked in one; a month without payroll is mostly a feed that was cut off.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.domain.month import months_after

ZERO = Decimal(0)

# A kind of spending below zero; a company whose whole burn went below zero because vendors gave back.
SPENDING_BELOW_ZERO = "spending_below_zero"
BURN_BELOW_ZERO = "burn_below_zero"
PAYROLL_MISSING = "payroll_missing"
FEED_SILENT = "feed_silent"
ACCOUNT_SILENT = "account_silent"

MAX_CAUSES = 5
PAYROLL = "payroll"
# Payroll in two months is a coincidence, in three months on end a habit.
LEAST_PAYROLL_MONTHS = 3
MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WarnedRows:
    """Which rows of the journal a warning is about, as its page searches for them; '' means any.

    Attributes:
        month: its first day.
        text: part of a counterparty or category.
    """

    month: date
    text: str = ""
    account: str = ""
    source: str = ""

    def query(self) -> dict[str, str]:
        """As the ledger's page takes it in its address."""
        return {"month": f"{self.month:%Y-%m}", "q": self.text, "account": self.account, "source": self.source}


@dataclass(frozen=True, slots=True)
class Cause:
    """What came back in the month from one counterparty, in base currency."""

    counterparty: str
    category: str
    returned: Decimal


@dataclass(frozen=True, slots=True)
class DataWarning:
    """Attributes:
    code: one of the constants above; it stays the same while the sentence's figures move.
    sentence: what is wrong, with its month and names; amounts are in the rows and causes.
    advice: what to do, one sentence.
    since: the first day of the month it is about, or the day since which it holds.
    rows: where to look.
    amount: what is below zero, in base currency; None where no amount is at stake.
    causes: the largest first; empty where nothing came back.
    """

    code: str
    sentence: str
    advice: str
    since: date
    rows: WarnedRows
    amount: Decimal | None = None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthOfFlows:
    """What moved in one month for one category and counterparty, in base currency.

    Attributes:
        out: paid, less what was reversed of it.
        back: came in: income and adjustments, less what was reversed of them.
        is_cash: on a bank, card or processor account.
    """

    month: date
    category: str
    counterparty: str
    out: Decimal
    back: Decimal
    is_cash: bool = True

    @property
    def spent(self) -> Decimal:
        return self.out - self.back

    @property
    def returned(self) -> Decimal:
        """What made spending smaller: money that came in, and reversals beyond what was paid."""
        return self.back + max(-self.out, ZERO)


def month_name(month: date) -> str:
    return f"{MONTH_NAMES[month.month - 1]} {month.year}"


def burn_warnings(flows: Iterable[MonthOfFlows]) -> tuple[DataWarning, ...]:
    """Return the months in which spending flipped below zero, the latest first.

    Three looks, the closest first; what one tells the next does not repeat: a category that costs more than it
    brings over all other months, a counterparty that does, and the burn of the whole company (what left less what
    came in, in cash) that would not be below zero without what such counterparties gave back.

    A vendor's credit moves nothing and does not belong among `flows`, nor does a transfer.
    """
    rows = list(flows)
    found: dict[date, list[DataWarning]] = defaultdict(list)
    for month, category, of_month in _flipped(rows, key=lambda row: row.category):
        found[month].append(_below_zero(month, of_month, what=f"Spending on {category}", text=category))
    told = {(month, cause.counterparty) for month, each in found.items() for one in each for cause in one.causes}
    for month, name, of_month in _flipped(rows, key=lambda row: row.counterparty):
        if (month, name) not in told:
            found[month].append(_below_zero(month, of_month, what=f"Spending at {name}", text=name))
    for warning in _burn(rows):
        if warning.since not in found:
            found[warning.since].append(warning)
    return tuple(
        warning
        for month in sorted(found, reverse=True)
        for warning in sorted(found[month], key=lambda w: w.sentence)
    )


def _flipped(
    rows: Sequence[MonthOfFlows], *, key: Callable[[MonthOfFlows], str]
) -> list[tuple[date, str, list[MonthOfFlows]]]:
    """Months of a kind in which it came out below zero, though it costs over all others."""
    ever: dict[str, Decimal] = defaultdict(Decimal)
    months: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for row in rows:
        name, spent = key(row), row.out - row.back
        ever[name] += spent
        months[name, row.month] += spent
    # Nearly always there is none, and rows are put together for those alone.
    found: dict[tuple[str, date], list[MonthOfFlows]] = {
        (name, month): []
        for (name, month), amount in months.items()
        if amount < 0 and name and ever[name] - amount > 0
    }
    for row in rows if found else ():
        if (kind := (key(row), row.month)) in found:
            found[kind].append(row)
    return [(month, name, of_month) for (name, month), of_month in found.items()]


def _below_zero(month: date, rows: Sequence[MonthOfFlows], *, what: str, text: str) -> DataWarning:
    causes = _causes(rows)
    by = f": {causes[0].counterparty} gave back more than was paid" if causes and causes[0].counterparty else ""
    return DataWarning(
        code=SPENDING_BELOW_ZERO,
        sentence=f"{what} came out below zero in {month_name(month)}{by}.",
        advice=(
            "Apply a credit to the bill that it pays (record it as a vendor credit), or date refunds of several"
            " months where they belong; until then burn looks better than it is."
        ),
        since=month,
        rows=WarnedRows(month=month, text=text),
        amount=sum((row.spent for row in rows), ZERO),
        causes=causes,
    )


def _causes(rows: Sequence[MonthOfFlows]) -> tuple[Cause, ...]:
    returned: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        returned[row.counterparty, row.category] += row.returned
    causes = [Cause(name, category, amount) for (name, category), amount in returned.items() if amount > 0]
    return tuple(sorted(causes, key=lambda cause: (-cause.returned, cause.counterparty)))[:MAX_CAUSES]


def _burn(rows: Sequence[MonthOfFlows]) -> Iterable[DataWarning]:
    months: dict[date, list[MonthOfFlows]] = defaultdict(list)
    ever: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.is_cash:
            months[row.month].append(row)
            ever[row.counterparty] += row.spent
    for month, of_month in months.items():
        amount = sum((row.spent for row in of_month), ZERO)
        if amount >= 0:
            continue
        given_back = [
            row for row in of_month if row.returned > 0 and row.counterparty and ever[row.counterparty] > 0
        ]
        back = sum((row.returned for row in given_back), ZERO)
        if back > 0 and amount + back >= 0:
            causes = _causes(given_back)
            yield DataWarning(
                code=BURN_BELOW_ZERO,
                sentence=(
                    f"Burn was below zero in {month_name(month)}: without what {causes[0].counterparty}"
                    f"{' and others' if len(causes) > 1 else ''} gave back it would not have been."
                ),
                advice="See whether refunds of many months were booked in one, and date them where they belong.",
                since=month,
                rows=WarnedRows(month=month, text=causes[0].counterparty),
                amount=amount,
                causes=causes,
            )


def payroll_warning(months: Mapping[date, Decimal], *, this_month: date) -> DataWarning | None:
    """Return a warning when the last whole month has no payroll though every month before it had one.

    Args:
        months: {first day: paid under a payroll category}; months without any may be missing.
        this_month: first day of the month that has begun; its payroll may still come.
    """
    last = months_after(this_month, -1)
    paid = sorted(month for month, amount in months.items() if amount > 0 and month < last)
    if months.get(last, ZERO) > 0 or len(paid) < LEAST_PAYROLL_MONTHS:
        return None
    expected = [months_after(last, -back) for back in range(len(paid), 0, -1)]
    if paid != expected:
        return None
    return DataWarning(
        code=PAYROLL_MISSING,
        sentence=f"{month_name(last)} has no payroll, and the {len(paid)} months before it all had one.",
        advice="Import the payroll of that month, or see whether its feed or its category has changed.",
        since=last,
        rows=WarnedRows(month=last, text=PAYROLL),
    )


def silence_warning(
    *, account: str, source: str, last_day: date, quiet_days: int, usual_quiet_days: int
) -> DataWarning:
    """Return the warning about an account, or one source of it, that has fallen silent.

    Args:
        source: '' when the whole account is silent.
    """
    who = f"{source} on {account}" if source else account
    return DataWarning(
        code=FEED_SILENT if source else ACCOUNT_SILENT,
        sentence=(
            f"{who} has been silent for {quiet_days} days; it is usually quiet for {usual_quiet_days} at most."
        ),
        advice="See whether the connection still works, or import what is missing.",
        since=last_day,
        rows=WarnedRows(month=last_day.replace(day=1), account=account, source=source),
    )
