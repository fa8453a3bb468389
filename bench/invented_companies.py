"""Companies with habits of their own, to judge forecasts on ledgers that nobody tuned them for.

Six styles (agency, subscription software, shop, laboratory, seed start-up, wholesale) that differ in currency, pay
schedule, tax rules, names of categories and mishaps. A company is a handful of parts that move one day at a time.
Its possible futures are the same state stepped on with other luck, so they tell themselves what an oracle would.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

import numpy as np

from forecasting.fit.calendar import BusinessCalendar, calendar_for
from forecasting.fit.history import CompanyHistory
from forecasting.fit.plan import (
    AnnualRenewal,
    CloudCredit,
    Delay,
    OpenReceivable,
    PlanDocument,
    PlannedHire,
    PlannedTranche,
)
from ledger.domain.flow_sums import flow_arrays
from ledger.domain.flows import ContractReceipt, day_number

HORIZON_DAYS = 365
Rng = np.random.Generator
type Maker = Callable[[Rng, date], Company]


class Row(NamedTuple):
    """One payment; `day` counts from 1970-01-01."""

    day: int
    amount: float
    event_type: str
    category: str
    who: str


@dataclass
class Book:
    """What was paid: rows of the past, and the cash that they left."""

    cash: float = 0.0
    rows: list[Row] = field(default_factory=list)
    contracts: list[ContractReceipt] = field(default_factory=list)
    keeping: bool = True

    def pay(self, day: date, amount: float, category: str, who: str, kind: str = "") -> None:
        """Move cash: in is positive."""
        self.cash += amount
        if self.keeping and amount:
            kind = kind or ("income" if amount > 0 else "expense")
            self.rows.append(Row(day_number(day), round(amount, 2), kind, category, who))

    def credit(self, day: date, amount: float, category: str, who: str) -> None:
        """A vendor credit: no cash moves."""
        if self.keeping and amount:
            self.rows.append(Row(day_number(day), round(amount, 2), "credit", category, who))


class Part(Protocol):
    """Something that moves cash."""

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Live one day."""


@dataclass
class Team:
    """People: pay days, taxes, bonuses, hires that were decided before they start, people who leave."""

    pay: list[float]
    pays_on: Callable[[date], bool]
    runs_per_month: float
    hire_rate: float
    leave_rate: float
    tax_ratio: float
    tax_lag: int = 3  # days; 0: the 10th of the next month
    bonus_month: int = 0
    bonus_share: float = 0.5
    raise_month: int = 1
    one_by_one: bool = False
    names: tuple[str, str, str] = ("payroll", "Gusto", "IRS")
    planned: list[tuple[date, float, bool]] = field(default_factory=list)
    unpaid: list[tuple[date, float, bool]] = field(default_factory=list)  # they joined, and no run paid them yet
    owed: list[tuple[date, float]] = field(default_factory=list)
    month_tax: float = 0.0
    mood: float = 0.0
    calendar: BusinessCalendar | None = None

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Decide hires, start and leave, pay, remit."""
        self.mood = 0.995 * self.mood + 0.03 * rng.normal()
        if rng.random() < self.hire_rate * math.exp(self.mood):
            start = day + timedelta(days=int(rng.integers(25, 75)))
            self.planned.append((start, float(np.median(self.pay) * rng.lognormal(0, 0.3)), rng.random() < 0.3))
        for hire in [one for one in self.planned if one[0] <= day]:
            self.planned.remove(hire)
            if rng.random() < (0.97 if hire[2] else 0.85):
                self.pay.append(hire[1])
                self.unpaid.append(hire)
        if len(self.pay) > 2 and rng.random() < self.leave_rate * len(self.pay):
            self.pay.pop(int(rng.integers(len(self.pay))))
        if day.day == 1 and day.month == self.raise_month:
            self.pay = [one * float(rng.normal(1.035, 0.02)) for one in self.pay]
        if self.pays_on(day):
            self._run(day, rng, book)
        if self.tax_lag == 0 and day.day == 10 and self.month_tax:
            self.owed.append((day, self.month_tax))
            self.month_tax = 0.0
        for due in [one for one in self.owed if one[0] <= day and is_open(day)]:
            self.owed.remove(due)
            book.pay(day, -due[1], self.names[0] + "_tax" if self.tax_lag else "taxes", self.names[2])

    def _run(self, day: date, rng: Rng, book: Book) -> None:
        self.unpaid.clear()
        share = 1 / self.runs_per_month
        bonus = self.bonus_share * self.runs_per_month if day.month == self.bonus_month and day.day > 14 else 0.0
        total = 0.0
        for person, pay in enumerate(self.pay):
            net = pay * 0.7 * share * (1 + bonus) * float(rng.normal(1, 0.01))
            total += net
            if self.one_by_one:
                book.pay(day, -net, self.names[0], f"Employee {person + 1}")
        if not self.one_by_one:
            book.pay(day, -total, self.names[0], self.names[1])
        tax = total * self.tax_ratio
        if self.tax_lag:
            self.owed.append((day + timedelta(days=self.tax_lag + int(rng.integers(0, 2))), tax))
        else:
            self.month_tax += tax


@dataclass
class Sales:
    """Many small sales, paid out daily, weekly or monthly."""

    level: float
    growth: float
    season: float = 0.0
    peak_day: int = 340
    payout: str = "daily"
    category: str = "sales"
    who: str = "Stripe"
    refund: float = 0.03
    walk: float = 0.02
    pending: float = 0.0

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Sell, and pay out when it is the day."""
        self.level *= math.exp(self.growth / 30.4 + self.walk / math.sqrt(30.4) * rng.normal())
        self.growth = 0.999 * self.growth + 0.001 * 0.005
        angle = 2 * math.pi * (day.timetuple().tm_yday - self.peak_day) / 365
        weekday = 1.15 if day.weekday() < 5 else 0.6
        self.pending += self.level * math.exp(self.season * math.cos(angle)) * weekday * rng.lognormal(-0.08, 0.4)
        due = {"daily": True, "weekly": day.weekday() == 1, "monthly": day.day == 5}[self.payout]
        if due:
            book.pay(day, self.pending * (1 - 0.029), self.category, self.who)
            self.pending = 0.0
        if self.refund and day.day == 20:
            book.pay(day, -self.level * 30 * self.refund * rng.random(), "refunds", self.who, "adjustment")


@dataclass
class Clients:
    """Retainers invoiced monthly and paid late; clients come and go."""

    fees: dict[str, float]
    net_days: int
    win_rate: float
    lose_rate: float
    typical: float
    category: str = "invoices"
    open: list[tuple[str, float, date, date]] = field(default_factory=list)
    born: int = 100

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Win, lose, invoice, get paid."""
        if rng.random() < self.win_rate:
            self.born += 1
            self.fees[f"Client {self.born}"] = self.typical * rng.lognormal(0, 0.5)
        for client in list(self.fees):
            if rng.random() < self.lose_rate:
                del self.fees[client]
        if day.day == 1:
            for client, fee in self.fees.items():
                due = day + timedelta(days=self.net_days)
                paid = due + timedelta(days=int(rng.gamma(1.5, 6)) - 3)
                self.open.append((client, fee * float(rng.normal(1, 0.1)), due, paid))
        for invoice in [one for one in self.open if one[3] <= day]:
            self.open.remove(invoice)
            book.pay(day, invoice[1], self.category, invoice[0])


@dataclass
class Contracts:
    """Annual contracts paid up front, as the ledger's metadata says."""

    renewal_rate: float
    win_rate: float
    typical: float
    customers: dict[str, tuple[float, date]] = field(default_factory=dict)
    born: int = 0
    open: list[tuple[str, float, date, date, bool]] = field(default_factory=list)

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Win, renew, get paid."""
        if rng.random() < self.win_rate:
            self.born += 1
            self._invoice(f"Account {self.born}", self.typical * rng.lognormal(0, 0.6), day, rng, renewal=False)
        for customer, (amount, since) in list(self.customers.items()):
            if (day - since).days >= 365:
                del self.customers[customer]
                if rng.random() < self.renewal_rate:
                    self._invoice(customer, amount * float(rng.normal(1.04, 0.04)), day, rng, renewal=True)
        for invoice in [one for one in self.open if one[3] <= day]:
            self.open.remove(invoice)
            customer, amount, _, _, renewal = invoice
            self.customers[customer] = amount, day
            book.pay(day, amount, "annual licences", customer)
            if book.keeping:
                receipt = ContractReceipt(day, customer, Decimal(f"{amount:.2f}"), "", 12, True, renewal)
                book.contracts.append(receipt)

    def _invoice(self, customer: str, amount: float, day: date, rng: Rng, *, renewal: bool) -> None:
        due = day + timedelta(days=21)
        self.open.append((customer, amount, due, due + timedelta(days=int(rng.exponential(9))), renewal))


@dataclass
class Bills:
    """Vendors with a bill a month or a year; prices move, vendors are dropped and replaced."""

    monthly: dict[str, tuple[int, float]]
    yearly: dict[str, tuple[date, float]]
    churn: float
    category: str = "software"
    born: int = 500

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Bill what is due, change a price, drop or add a vendor."""
        for vendor, (dom, amount) in list(self.monthly.items()):
            if day.day == dom:
                book.pay(day, -amount, self.category, vendor)
                if rng.random() < 0.03:
                    self.monthly[vendor] = dom, amount * rng.lognormal(0.03, 0.1)
                if rng.random() < self.churn:
                    del self.monthly[vendor]
                    if rng.random() < 0.95:
                        self.born += 1
                        self.monthly[f"Vendor {self.born}"] = (
                            int(rng.integers(1, 29)),
                            amount * rng.lognormal(0, 0.4),
                        )
        for vendor, (when, amount) in list(self.yearly.items()):
            if day == when:
                book.pay(day, -amount, self.category, vendor)
                del self.yearly[vendor]
                if rng.random() < 0.93:
                    self.yearly[vendor] = when + timedelta(days=365), amount * rng.lognormal(0.04, 0.03)


@dataclass
class Rent:
    """The office: first business day, a step up once a year."""

    amount: float
    who: str = "Office Partners"

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Pay on the first business day."""
        del rng
        if is_open(day) and not any(is_open(day.replace(day=earlier)) for earlier in range(1, day.day)):
            book.pay(day, -self.amount, "office rent", self.who)
        if day.month == 3 and day.day == 1:
            self.amount *= 1.03


@dataclass
class Cloud:
    """Metered usage with a credit, billed on a day of the next month."""

    per_day: float
    growth: float
    credit: float
    expires: date
    who: str = "Amazon Web Services"
    bill_day: int = 4
    month: float = 0.0
    month_credit: float = 0.0

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Use, draw the credit, bill."""
        self.per_day *= math.exp(self.growth / 30.4 + 0.04 / math.sqrt(30.4) * rng.normal())
        if day.day == self.bill_day:
            book.pay(day, -max(self.billed - self.billed_credit, 0.0), "hosting", self.who)
            book.credit(day, self.billed_credit, "hosting", self.who)
        use = self.per_day * rng.lognormal(0, 0.1)
        drawn = min(use, self.credit) if day <= self.expires else 0.0
        self.credit -= drawn
        self.month += use
        self.month_credit += drawn
        if (day + timedelta(days=1)).day == 1:
            self.billed, self.billed_credit = self.month, self.month_credit
            self.month = self.month_credit = 0.0

    billed: float = 0.0
    billed_credit: float = 0.0


@dataclass
class Spending:
    """Cards, freelancers, advertising: often, small, drifting."""

    per_week: float
    category: str
    people: int
    per_day: float = 0.6
    walk: float = 0.03
    weekday_only: bool = True

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Spend."""
        self.per_week *= math.exp(self.walk / math.sqrt(30.4) * rng.normal())
        if self.weekday_only and day.weekday() > 4:
            return
        for _ in range(rng.poisson(self.per_day)):
            size = self.per_week / (5 if self.weekday_only else 7) / self.per_day * rng.lognormal(-0.3, 0.75)
            book.pay(day, -size, self.category, f"{self.category.title()} {int(rng.integers(self.people)) + 1}")


@dataclass
class Lumps:
    """Rare and large: equipment, lawyers, deposits."""

    rate: float
    typical: float
    category: str = "equipment"
    sign: float = -1.0
    born: int = 0

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Perhaps."""
        if rng.random() < self.rate and is_open(day):
            self.born += 1
            book.pay(day, self.sign * self.typical * rng.lognormal(0, 0.7), self.category, f"Supplier {self.born}")


@dataclass
class Goods:
    """What is sold has to be bought: every two weeks a share of recent sales."""

    sales: Sales
    share: float

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Order every other Wednesday."""
        if day.weekday() == 2 and day.isocalendar().week % 2 == 0:
            angle = 2 * math.pi * ((day + timedelta(days=30)).timetuple().tm_yday - self.sales.peak_day) / 365
            season = math.exp(self.sales.season * math.cos(angle))
            book.pay(day, -self.sales.level * season * 14 * self.share * rng.lognormal(0, 0.1), "goods", "Factory")


@dataclass
class Levy:
    """A company tax, quarterly."""

    amount: float
    months: tuple[int, ...] = (3, 6, 9, 12)
    growth: float = 0.01

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Pay on the 15th of its months."""
        if day.day == 15 and day.month in self.months:
            self.amount *= math.exp(3 * self.growth) * rng.lognormal(0, 0.1)
            book.pay(day, -self.amount, "corporate tax", "Tax Office")


@dataclass
class Company:
    """A style's parts and what a finance person knows about them."""

    style: str
    currency: str
    parts: list[Part]
    tranche: PlannedTranche | None = None
    crash_rate: float = 0.0
    arrives: date | None = None

    def live(self, day: date, rng: Rng, book: Book) -> None:
        """One day of everything, and now and then a mishap."""
        for part in self.parts:
            part.step(day, rng, book)
        if self.arrives == day and self.tranche is not None:
            book.pay(day, float(self.tranche.amount), "funding", "Fund")
        if rng.random() < self.crash_rate:
            team = next(part for part in self.parts if isinstance(part, Team))
            team.pay = team.pay[: max(2, int(len(team.pay) * 0.75))]
            team.planned.clear()


@dataclass(frozen=True)
class InventedCompany:
    """A company with its possible futures: days to zero, None beyond the horizon."""

    name: str
    style: str
    history: CompanyHistory
    futures: tuple[int | None, ...]


def invent(*, style: str, seed: int, futures: int = 40, make: Maker | None = None) -> InventedCompany:
    """Make one company; the same seed makes the same company.

    Args:
        make: makes the parts, where the style is none of `STYLES`.
    """
    rng = np.random.default_rng([seed, sum(style.encode())])
    as_of = date(2024, 1, 10) + timedelta(days=int(rng.integers(0, 700)))
    start = as_of - timedelta(days=int(rng.integers(330, 800)))
    company = (make or STYLES[style])(rng, as_of)
    book = Book()
    warm_up = Book(keeping=False)
    for n in range(60):  # invoices and taxes in flight
        company.live(start - timedelta(days=60 - n), rng, warm_up)
    for n in range((as_of - start).days + 1):
        company.live(start + timedelta(days=n), rng, book)
    # The balance is chosen after the fact, so that runways spread over the horizon.
    recent = [row for row in book.rows if row.day > day_number(as_of) - 180 and row.event_type != "credit"]
    burn = -sum(row.amount for row in recent) / 180
    gross = -sum(row.amount for row in recent if row.amount < 0) / 180
    days = float(rng.uniform(50, 380))
    balance = days * max(burn, 0.15 * gross)
    if company.tranche is not None:
        amount = Decimal(round(balance * float(rng.uniform(0.5, 1.2)), -3))
        company.tranche = PlannedTranche(
            date=as_of + timedelta(days=int(rng.uniform(0.2, 0.8) * days)),
            amount=amount,
            probability=company.tranche.probability,
            delay=company.tranche.delay,
        )
    history = _history(company, book, as_of, start, balance, f"{style}-{seed}")
    outcomes = tuple(_future(company, as_of, balance, np.random.default_rng([seed, 7, n])) for n in range(futures))
    return InventedCompany(f"{style}-{seed}", style, history, outcomes)


def _future(company: Company, as_of: date, balance: float, rng: Rng) -> int | None:
    company, book = copy.deepcopy(company), Book(cash=balance, keeping=False)
    tranche = company.tranche
    if tranche is not None and rng.random() < tranche.probability:
        mean, sd = tranche.delay.mean_days, tranche.delay.sd_days
        late = rng.gamma((mean / sd) ** 2, sd**2 / mean)
        company.arrives = max(tranche.date + timedelta(days=round(late)), as_of + timedelta(days=1))
    for n in range(1, HORIZON_DAYS + 1):
        company.live(as_of + timedelta(days=n), rng, book)
        if book.cash <= 0:
            return n
    return None


def _history(company: Company, book: Book, as_of: date, start: date, balance: float, name: str) -> CompanyHistory:
    sums: dict[tuple[int, str, str, str], list[float]] = {}
    for row in book.rows:
        total = sums.setdefault((row.day, row.event_type, row.category, row.who), [0.0, 0])
        total[0] += row.amount
        total[1] += 1
    rows = [
        (day, amount, int(count), kind, company.currency, category, who)
        for (day, kind, category, who), (amount, count) in sorted(sums.items())
    ]
    contracts = [
        ContractReceipt(c.day, c.customer, c.amount, company.currency, c.term_months, c.deferred, c.renewal)
        for c in book.contracts
    ]
    plan = PlanDocument(
        company=name,
        base_currency=company.currency,
        as_of=as_of,
        history_start=start,
        tranches=(company.tranche,) if company.tranche else (),
        cloud_credits=tuple(
            CloudCredit(part.who, _money(part.credit), part.expires)
            for part in company.parts
            if isinstance(part, Cloud) and part.credit > 1 and part.expires > as_of
        ),
        planned_hires=tuple(
            PlannedHire(when, _money(pay), company.currency, sure)
            for part in company.parts
            if isinstance(part, Team)
            for when, pay, sure in [*part.unpaid, *part.planned]
        ),
        annual_renewals=tuple(
            AnnualRenewal(vendor, when, _money(amount))
            for part in company.parts
            if isinstance(part, Bills)
            for vendor, (when, amount) in part.yearly.items()
        ),
        open_receivables=tuple(
            OpenReceivable(invoice[0], _money(invoice[1]), invoice[2])
            for part in company.parts
            for invoice in getattr(part, "open", ())
        ),
    )
    return CompanyHistory(
        as_of=as_of,
        base_currency=company.currency,
        flows=flow_arrays(rows, contracts),
        cash={company.currency: _money(balance)},
        rates={},
        plan=plan,
        company=name,
    )


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")


_US = calendar_for(country="US", year=2024)
_OPEN: dict[date, bool] = {}


def is_open(day: date) -> bool:
    if day not in _OPEN:
        _OPEN[day] = bool(_US.is_business(np.array([day_number(day)]))[0])
    return _OPEN[day]


def _business_day_before(day: date) -> date:
    while not is_open(day):
        day -= timedelta(days=1)
    return day


def paid_on(*days_of_month: int) -> Callable[[date], bool]:
    """True on the business day on or before each nominal day."""

    def pays(day: date) -> bool:
        for ahead in range(5):
            nominal = day + timedelta(days=ahead)
            last = (nominal + timedelta(days=1)).day == 1
            if nominal.day in days_of_month or (last and 31 in days_of_month):
                return _business_day_before(nominal) == day
        return False

    return pays


def every_weeks(weeks: int, weekday: int) -> Callable[[date], bool]:
    return lambda day: day.weekday() == weekday and day.toordinal() // 7 % weeks == 0


def bills(rng: Rng, as_of: date, monthly: int, yearly: int, typical: float, category: str) -> Bills:
    return Bills(
        monthly={
            f"Vendor {n}": (int(rng.integers(1, 29)), typical * rng.lognormal(0, 0.9)) for n in range(monthly)
        },
        yearly={
            f"Yearly {n}": (
                as_of - timedelta(days=int(rng.integers(370, 735))),
                12 * typical * rng.lognormal(0, 0.8),
            )
            for n in range(yearly)
        },
        churn=0.02,
        category=category,
    )


def _agency(rng: Rng, as_of: date) -> Company:
    people = int(rng.integers(6, 25))
    team = Team(
        pay=[4200 * rng.lognormal(0, 0.3) for _ in range(people)],
        pays_on=paid_on(25),
        runs_per_month=1,
        hire_rate=0.01,
        leave_rate=0.0006,
        tax_ratio=0.75,
        tax_lag=0,
        bonus_month=11,
        bonus_share=0.6,
        raise_month=4,
        names=("Gehalt", "Lohnbuero", "Finanzamt"),
    )
    cost = people * 4200 * 1.3
    clients = Clients(
        fees={f"Client {n}": cost / 9 * rng.lognormal(0, 0.5) for n in range(int(rng.integers(5, 9)))},
        net_days=int(rng.choice([14, 30])),
        win_rate=0.008,
        lose_rate=0.0013,
        typical=cost / 9,
    )
    parts: list[Part] = [team, clients, bills(rng, as_of, 15, 4, 150, "Software"), Rent(cost * 0.06)]
    parts += [Spending(cost * 0.03, "freelancers", 6, 0.3), Spending(cost * 0.01, "travel", 12)]
    parts += [Lumps(0.006, cost * 0.1), Levy(cost * 0.15)]
    return Company("agency", "EUR", parts)


def _software(rng: Rng, as_of: date) -> Company:
    people = int(rng.integers(8, 45))
    cost = people * 9500 * 1.1
    team = Team(
        pay=[9500 * rng.lognormal(0, 0.3) for _ in range(people)],
        pays_on=paid_on(15, 31),
        runs_per_month=2,
        hire_rate=0.02,
        leave_rate=0.0004,
        tax_ratio=0.45,
        tax_lag=1,
        bonus_month=12 if rng.random() < 0.5 else 0,
        bonus_share=0.3,
        one_by_one=rng.random() < 0.5,
        names=("salaries", "Rippling", "IRS"),
    )
    sales = Sales(cost / 30 * float(rng.uniform(0.2, 0.6)), float(rng.normal(0.02, 0.015)), payout="weekly")
    cloud = Cloud(
        cost / 30 * 0.1,
        float(rng.normal(0.015, 0.015)),
        cost * float(rng.choice([0, 0.5, 1.2])),
        as_of + timedelta(days=int(rng.integers(-60, 300))),
    )
    contracts = Contracts(0.85, 0.012, cost * 0.15)
    parts: list[Part] = [team, sales, contracts, cloud, bills(rng, as_of, 35, 8, 300, "subscriptions")]
    parts += [Rent(cost * 0.05), Spending(cost * 0.02, "card", 30, 2.0), Spending(cost * 0.03, "ads", 3, 0.8)]
    parts += [Lumps(0.008, cost * 0.08, "legal")]
    tranche = planned_tranche(as_of, rng) if rng.random() < 0.4 else None
    return Company("software", "USD", parts, tranche, crash_rate=0.0004)


def _shop(rng: Rng, as_of: date) -> Company:
    level = float(rng.lognormal(8.6, 0.5))
    sales = Sales(level, float(rng.normal(0.005, 0.012)), float(rng.uniform(0.2, 0.6)), 345, category="orders")
    sales.who = "Shopify"
    people = max(4, int(level * 30 * 0.22 / 3400))
    team = Team(
        pay=[3000 * rng.lognormal(0, 0.25) for _ in range(people)],
        pays_on=every_weeks(1, 4),
        runs_per_month=52 / 12,
        hire_rate=0.006,
        leave_rate=0.0008,
        tax_ratio=0.4,
        tax_lag=0,
        names=("wages", "Payroll Bureau", "HMRC"),
    )
    parts: list[Part] = [sales, team, Goods(sales, float(rng.uniform(0.5, 0.6))), Rent(level * 1.5)]
    parts += [bills(rng, as_of, 12, 3, 120, "apps"), Spending(level * 1.6, "advertising", 2, 1.0, 0.06, False)]
    parts += [Spending(level * 0.35, "shipping", 4, 1.0), Levy(level * 6, (1, 4, 7, 10), 0.004)]
    parts += [Lumps(0.005, level * 4)]
    return Company("shop", "GBP", parts)


def _laboratory(rng: Rng, as_of: date) -> Company:
    people = int(rng.integers(5, 18))
    cost = people * 8000 * 1.1
    team = Team(
        pay=[8000 * rng.lognormal(0, 0.25) for _ in range(people)],
        pays_on=every_weeks(2, 4),
        runs_per_month=26 / 12,
        hire_rate=0.008,
        leave_rate=0.0003,
        tax_ratio=0.5,
        tax_lag=4,
    )
    parts: list[Part] = [team, Rent(cost * 0.12), bills(rng, as_of, 10, 3, 200, "software")]
    parts += [Lumps(0.03, cost * 0.12), Spending(cost * 0.05, "lab supplies", 15, 0.7)]
    parts += [Lumps(0.004, cost * 0.5, "research grant", 1.0), Spending(cost * 0.03, "consultants", 4, 0.15)]
    return Company("laboratory", "USD", parts, planned_tranche(as_of, rng) if rng.random() < 0.6 else None)


def _seed(rng: Rng, as_of: date) -> Company:
    people = int(rng.integers(2, 6))
    cost = people * 7000 * 1.1
    team = Team(
        pay=[7000 * rng.lognormal(0, 0.25) for _ in range(people)],
        pays_on=paid_on(31),
        runs_per_month=1,
        hire_rate=0.012,
        leave_rate=0.0002,
        tax_ratio=0.45,
        tax_lag=5,
    )
    credit = cost * float(rng.uniform(0.3, 1.5))
    cloud = Cloud(cost / 30 * 0.15, 0.03, credit, as_of + timedelta(days=int(rng.integers(20, 200))))
    parts: list[Part] = [team, cloud, bills(rng, as_of, 18, 3, 90, "tools")]
    parts += [Spending(cost * 0.03, "card", 20, 1.0), Spending(cost * 0.05, "contractors", 3, 0.2)]
    parts += [Lumps(0.006, cost * 0.15, "legal"), Rent(cost * 0.04, "Coworking")]
    if rng.random() < 0.5:
        parts.append(Sales(cost / 30 * 0.1, 0.05, payout="monthly", category="subscription revenue", walk=0.06))
    return Company("seed", "USD", parts, planned_tranche(as_of, rng) if rng.random() < 0.5 else None)


def _wholesale(rng: Rng, as_of: date) -> Company:
    people = int(rng.integers(6, 20))
    cost = people * 5200 * 1.2
    team = Team(
        pay=[5200 * rng.lognormal(0, 0.25) for _ in range(people)],
        pays_on=paid_on(1, 15),
        runs_per_month=2,
        hire_rate=0.006,
        leave_rate=0.0004,
        tax_ratio=0.5,
        tax_lag=3,
        bonus_month=12,
        names=("staff costs wages", "ADP", "EFTPS"),
    )
    clients = Clients(
        fees={f"Dealer {n}": cost / 5 * rng.lognormal(0, 0.7) for n in range(8)},
        net_days=45,
        win_rate=0.006,
        lose_rate=0.0007,
        typical=cost / 5,
        category="wholesale orders",
    )
    parts: list[Part] = [team, clients, Lumps(0.03, cost * 0.55, "purchase orders"), Rent(cost * 0.1)]
    parts += [bills(rng, as_of, 14, 4, 180, "software"), Spending(cost * 0.03, "card", 25, 1.5)]
    parts += [Spending(cost * 0.04, "freight", 5, 0.5), Levy(cost * 0.2, (1, 4, 6, 9))]
    return Company("wholesale", "USD", parts, crash_rate=0.0003)


def planned_tranche(as_of: date, rng: Rng) -> PlannedTranche:
    delay = Delay(mean_days=float(rng.uniform(8, 35)), sd_days=float(rng.uniform(6, 20)))
    return PlannedTranche(as_of, Decimal(1), round(float(rng.uniform(0.45, 0.9)), 2), delay)


STYLES: dict[str, Maker] = {
    "agency": _agency,
    "laboratory": _laboratory,
    "seed": _seed,
    "shop": _shop,
    "software": _software,
    "wholesale": _wholesale,
}
