"""Companies of other makes than those of `invented_companies`: what they live on comes by the project, by the
quarter, over the counter or from givers, and they pay by card bill, loan and value added tax.

Made after the model, to find what it misread. Every style is a function of a generator and the as-of date.
"""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta

from bench.invented_companies import (
    Book,
    Cloud,
    Company,
    Lumps,
    Maker,
    Part,
    Rent,
    Rng,
    Spending,
    Team,
    bills,
    every_weeks,
    is_open,
    paid_on,
    planned_tranche,
)

Invoice = tuple[str, float, date, date]  # customer, amount, due, paid


@dataclass
class Takings:
    """What was taken since the last quarter's end."""

    quarter: float = 0.0


@dataclass
class CardBill:
    """Many small purchases, paid in one sum a month."""

    per_month: float
    bill_day: int = 20
    walk: float = 0.04
    pending: float = 0.0

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Buy, and pay the bill on its day."""
        self.per_month *= math.exp(self.walk / math.sqrt(30.4) * rng.normal())
        if rng.random() < 0.7:
            self.pending += self.per_month / 30.4 / 0.7 * rng.lognormal(-0.3, 0.75)
        if day.day == self.bill_day:
            book.pay(day, -self.pending, "credit card", "American Express")
            self.pending = 0.0


@dataclass
class ValueAddedTax:
    """A share of what was taken in the quarter before, on the 7th of the second month after it."""

    rate: float
    takings: Takings
    owed: float = 0.0

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Close the quarter, and pay."""
        del rng
        if day.day == 1 and day.month in (1, 4, 7, 10):
            self.owed, self.takings.quarter = self.takings.quarter * self.rate, 0.0
        if day.day == 7 and day.month in (2, 5, 8, 11) and self.owed > 0:
            book.pay(day, -self.owed, "VAT", "Tax Office")
            self.owed = 0.0


@dataclass
class Till:
    """Takings over the counter: a weekday of its own each, a season, paid out the same day."""

    level: float
    growth: float
    season: float
    peak_day: int
    takings: Takings
    weekdays: tuple[float, ...] = (0.7, 0.8, 0.9, 1.0, 1.3, 1.5, 0.8)

    def seasonal(self, day: date) -> float:
        """What a usual day would take on this day of the year."""
        angle = 2 * math.pi * (day.timetuple().tm_yday - self.peak_day) / 365
        return self.level * math.exp(self.season * math.cos(angle))

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Sell."""
        self.level *= math.exp(self.growth / 30.4 + 0.02 / math.sqrt(30.4) * rng.normal())
        taken = self.seasonal(day) * self.weekdays[day.weekday()] * rng.lognormal(-0.02, 0.2)
        self.takings.quarter += taken
        book.pay(day, taken * 0.985, "card takings", "SumUp")


@dataclass
class Supplies:
    """Ingredients, twice a week."""

    till: Till
    share: float

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Buy on Mondays and Thursdays."""
        if day.weekday() in (0, 3):
            amount = self.till.seasonal(day) * 3.5 * self.share * rng.lognormal(0, 0.15)
            book.pay(day, -amount, "ingredients", "Wholesale Market")


@dataclass
class Loan:
    """The same repayment every month until it is paid off."""

    monthly: float
    ends: date

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Repay on the 15th."""
        del rng
        if day.day == 15 and day <= self.ends:
            book.pay(day, -self.monthly, "loan repayment", "Bank of the North")


@dataclass
class QuarterlyCustomers:
    """Customers who are invoiced a quarter ahead, each in months of its own, net 30."""

    customers: dict[str, tuple[float, int]]
    win_rate: float
    lose_share: float
    typical: float
    open: list[Invoice] = field(default_factory=list)
    born: int = 200

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Win, lose, invoice, get paid."""
        if rng.random() < self.win_rate:
            self.born += 1
            self.customers[f"Tenant {self.born}"] = self.typical * rng.lognormal(0, 0.5), day.toordinal() % 91
        for customer, (fee, phase) in list(self.customers.items()):
            if day.toordinal() % 91 != phase:
                continue
            if rng.random() < self.lose_share:
                del self.customers[customer]
                continue
            fee *= float(rng.normal(1.008, 0.01))
            self.customers[customer] = fee, phase
            due = day + timedelta(days=30)
            self.open.append((customer, fee, due, due + timedelta(days=int(rng.gamma(1.5, 6)) - 4)))
        for invoice in [one for one in self.open if one[3] <= day]:
            self.open.remove(invoice)
            book.pay(day, invoice[1], "subscriptions income", invoice[0])


@dataclass
class Projects:
    """A deposit when a project is won, the rest when it is delivered; each receipt pays subcontractors."""

    win_rate: float
    typical: float
    subcontracted: float
    takings: Takings
    open: list[Invoice] = field(default_factory=list)
    running: list[tuple[date, str, float]] = field(default_factory=list)
    owed: list[tuple[date, float]] = field(default_factory=list)
    born: int = 0
    mood: float = 0.0

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Win, deliver, get paid, pay."""
        self.mood = 0.99 * self.mood + 0.03 * rng.normal()
        if rng.random() < self.win_rate * math.exp(self.mood):
            self.born += 1
            amount, customer = self.typical * rng.lognormal(0, 0.6), f"Customer {self.born % 14 + 1}"
            self._invoice(customer, 0.4 * amount, day, rng)
            self.running.append((day + timedelta(days=int(rng.integers(45, 130))), customer, 0.6 * amount))
        for project in [one for one in self.running if one[0] <= day]:
            self.running.remove(project)
            self._invoice(project[1], project[2], day, rng)
        for invoice in [one for one in self.open if one[3] <= day]:
            self.open.remove(invoice)
            book.pay(day, invoice[1], "project fees", invoice[0])
            self.takings.quarter += invoice[1]
            later = day + timedelta(days=int(rng.integers(20, 40)))
            self.owed.append((later, invoice[1] * self.subcontracted * rng.lognormal(0, 0.15)))
        for due in [one for one in self.owed if one[0] <= day]:
            self.owed.remove(due)
            book.pay(day, -due[1], "subcontractors", f"Studio {int(rng.integers(5)) + 1}")

    def _invoice(self, customer: str, amount: float, day: date, rng: Rng) -> None:
        due = day + timedelta(days=21)
        self.open.append((customer, amount, due, due + timedelta(days=int(rng.gamma(1.5, 7)) - 3)))


@dataclass
class Donations:
    """Many small gifts, paid out on Wednesdays, more of them before Christmas."""

    level: float
    season: float

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Pass on the week's gifts."""
        self.level *= math.exp(0.03 / math.sqrt(30.4) * rng.normal())
        if day.weekday() == 2:
            angle = 2 * math.pi * (day.timetuple().tm_yday - 350) / 365
            season = math.exp(self.season * math.cos(angle) - self.season**2 / 4)
            book.pay(day, 7 * self.level * season * rng.lognormal(-0.08, 0.4), "donations", "Stripe")


@dataclass
class _Grant:
    giver: str
    instalment: float
    left: int
    next_day: date


@dataclass
class Grants:
    """Four quarterly instalments each, listed once signed; a new grant now and then."""

    running: list[_Grant]
    rate: float
    typical: float
    born: int = 0

    @property
    def open(self) -> list[Invoice]:
        """The instalments that are signed."""
        return [
            (grant.giver, grant.instalment, day, day)
            for grant in self.running
            for day in (grant.next_day + timedelta(days=91 * n) for n in range(grant.left))
        ]

    def step(self, day: date, rng: Rng, book: Book) -> None:
        """Sign, and receive what is due."""
        if rng.random() < self.rate:
            self.born += 1
            instalment, first = self.typical * rng.lognormal(0, 0.5), int(rng.integers(10, 60))
            self.running.append(_Grant(f"Foundation {self.born}", instalment, 4, day + timedelta(days=first)))
        for grant in list(self.running):
            if grant.next_day <= day and is_open(day):
                book.pay(day, grant.instalment, "grant", grant.giver)
                grant.left -= 1
                grant.next_day += timedelta(days=91)
                if grant.left == 0:
                    self.running.remove(grant)


def _cafe(rng: Rng, as_of: date) -> Company:
    level, takings = float(rng.lognormal(7.6, 0.4)), Takings()
    till = Till(
        level,
        float(rng.normal(0.002, 0.008)),
        float(rng.uniform(0.0, 0.35)),
        int(rng.choice([190, 340])),
        takings,
    )
    people = max(3, int(level * 30 * 0.33 / 2100))
    team = Team(
        pay=[2100 * rng.lognormal(0, 0.25) for _ in range(people)],
        pays_on=every_weeks(2, 4),
        runs_per_month=26 / 12,
        hire_rate=0.006,
        leave_rate=0.001,
        tax_ratio=0.3,
        tax_lag=0,
        names=("staff wages", "Payroll Bureau", "HMRC"),
    )
    parts: list[Part] = [till, Supplies(till, float(rng.uniform(0.3, 0.36))), team, Rent(level * 4.5)]
    parts += [ValueAddedTax(0.1, takings), CardBill(level * 2.5, int(rng.integers(5, 26)))]
    parts += [Loan(level * 1.2, as_of + timedelta(days=int(rng.integers(-60, 500))))]
    parts += [bills(rng, as_of, 8, 2, 90, "subscriptions"), Lumps(0.008, level * 4, "repairs")]
    return Company("cafe", "GBP", parts)


def _studio(rng: Rng, as_of: date) -> Company:
    people = int(rng.integers(4, 14))
    cost, takings = people * 4300 * 1.5, Takings()
    team = Team(
        pay=[4300 * rng.lognormal(0, 0.3) for _ in range(people)],
        pays_on=paid_on(31),
        runs_per_month=1,
        hire_rate=0.005,
        leave_rate=0.0006,
        tax_ratio=0.7,
        tax_lag=0,
        names=("salaries", "Lohnbuero", "Finanzamt"),
    )
    parts: list[Part] = [team, Projects(0.045, cost, 0.3, takings), ValueAddedTax(0.1, takings), Rent(cost * 0.06)]
    parts += [CardBill(cost * 0.05), bills(rng, as_of, 14, 3, 130, "software")]
    parts += [Spending(cost * 0.02, "travel", 8, 0.4), Lumps(0.004, cost * 0.15)]
    return Company("studio", "EUR", parts)


def _platform(rng: Rng, as_of: date) -> Company:
    people, customers = int(rng.integers(8, 35)), int(rng.integers(25, 70))
    cost = people * 8500 * 1.2
    team = Team(
        pay=[8500 * rng.lognormal(0, 0.3) for _ in range(people)],
        pays_on=paid_on(15, 31),
        runs_per_month=2,
        hire_rate=0.015,
        leave_rate=0.0004,
        tax_ratio=0.4,
        tax_lag=1,
        names=("payroll", "Justworks", "IRS"),
    )
    fee = cost * 3 * float(rng.uniform(0.4, 0.8)) / customers
    known = {f"Tenant {n}": (fee * rng.lognormal(0, 0.5), int(rng.integers(91))) for n in range(customers)}
    parts: list[Part] = [team, QuarterlyCustomers(known, 0.02 * customers / 30, 0.03, fee)]
    parts += [CardBill(cost * 0.08, int(rng.integers(3, 27)))]
    parts += [Cloud(cost / 30 * 0.12, float(rng.normal(0.012, 0.01)), 0.0, as_of - timedelta(days=400))]
    parts += [Loan(cost * 0.06, as_of + timedelta(days=int(rng.integers(60, 700)))), Rent(cost * 0.04)]
    parts += [bills(rng, as_of, 25, 6, 350, "saas"), Spending(cost * 0.03, "marketing", 6, 0.8)]
    parts += [Lumps(0.006, cost * 0.1, "legal")]
    return Company("platform", "USD", parts, planned_tranche(as_of, rng) if rng.random() < 0.4 else None)


def _association(rng: Rng, as_of: date) -> Company:
    people = int(rng.integers(3, 12))
    cost = people * 3600 * 1.5
    team = Team(
        pay=[3600 * rng.lognormal(0, 0.25) for _ in range(people)],
        pays_on=paid_on(28),
        runs_per_month=1,
        hire_rate=0.004,
        leave_rate=0.0005,
        tax_ratio=0.5,
        tax_lag=12,
        bonus_month=12 if rng.random() < 0.4 else 0,
        names=("salaires", "Silae", "URSSAF"),
    )
    running = [
        _Grant(
            f"Fondation {n}", cost * rng.lognormal(0, 0.4), 4, as_of - timedelta(days=int(rng.integers(60, 420)))
        )
        for n in range(3)
    ]
    parts: list[Part] = [team, Grants(running, 0.006, cost), Rent(cost * 0.05), CardBill(cost * 0.03)]
    parts += [Donations(cost / 30 * float(rng.uniform(0.2, 0.5)), float(rng.uniform(0.3, 0.7)))]
    parts += [bills(rng, as_of, 10, 3, 70, "logiciels"), Spending(cost * 0.06, "programme", 10, 0.5)]
    parts += [Lumps(0.008, cost * 0.3, "events")]
    return Company("association", "EUR", parts)


MORE_STYLES: dict[str, Maker] = {
    "association": _association,
    "cafe": _cafe,
    "platform": _platform,
    "studio": _studio,
}
