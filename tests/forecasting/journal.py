"""Small ledgers as text, so that a test shows the company it is about.

    2025-01-31  -30000.00  payroll   Gusto
    2025-02-03   -9000.00  payroll_tax  IRS
    2025-02-04   +1200.00  sales     Stripe
    2025-02-05    credit 500.00  cloud  AWS
    2025-02-06   +100.00 EUR  sales  Stripe

A line is: day, signed amount with an optional currency, category, counterparty. `credit` is a vendor credit,
`transfer` and `adjust` stand before the amount likewise.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from forecasting.fit.history import CompanyHistory
from forecasting.fit.plan import PlanDocument, parse_plan
from ledger.domain.flow_sums import flow_arrays
from ledger.domain.flows import ContractReceipt, DailyFlows, day_number

WORDS = {"credit": "credit", "transfer": "transfer", "adjust": "adjustment"}


def flows(text: str, *, contracts: Iterable[ContractReceipt] = ()) -> DailyFlows:
    """The daily flows of a ledger in text, summed as the ledger would."""
    sums: dict[tuple[int, str, str, str, str], list[float]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        day, *rest = line.split()
        kind = WORDS.get(rest[0], "")
        if kind:
            rest = rest[1:]
        amount, *rest = rest
        currency = rest.pop(0) if len(rest[0]) == 3 and rest[0].isupper() and len(rest) > 2 else "USD"
        category, who = rest[0], " ".join(rest[1:])
        kind = kind or ("income" if float(amount) > 0 else "expense")
        total = sums.setdefault((day_number(date.fromisoformat(day)), kind, currency, category, who), [0.0, 0])
        total[0] += float(amount)
        total[1] += 1
    rows = [
        (day, amount, int(count), kind, currency, category, who)
        for (day, kind, currency, category, who), (amount, count) in sorted(sums.items())
    ]
    return flow_arrays(rows, contracts)


def history(
    text: str,
    *,
    as_of: str,
    cash: str = "100000",
    plan: dict[str, Any] | None = None,
    contracts: Iterable[ContractReceipt] = (),
    **fields: Any,
) -> CompanyHistory:
    """A company in US dollars with this ledger."""
    return CompanyHistory(
        as_of=date.fromisoformat(as_of),
        base_currency="USD",
        flows=flows(text, contracts=contracts),
        cash=fields.pop("balances", {"USD": Decimal(cash)}),
        rates=fields.pop("rates", {}),
        plan=parse_plan(plan) if plan else PlanDocument(),
        company="acme",
        **fields,
    )


def every(days: int, *, start: str, until: str, line: str) -> str:
    """The same line every so many days, in [start, until]."""
    day, last, lines = date.fromisoformat(start), date.fromisoformat(until), []
    while day <= last:
        lines.append(f"{day} {line}")
        day += timedelta(days=days)
    return "\n".join(lines) + "\n"


def monthly(*, start: str, months: int, line: str) -> str:
    """The same line on the same day of so many months."""
    first = date.fromisoformat(start)
    return "".join(
        f"{date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, first.day)} {line}\n"
        for n in range(months)
    )
