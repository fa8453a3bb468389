"""Annual contracts: cash up front once a year, which is a lump and never a run rate; and open invoices."""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.history import CompanyHistory
from forecasting.fit.lateness import USUAL, Lateness, read_lateness
from forecasting.fit.plan_met import met_receivables
from forecasting.fit.role import REFUND_WORDS, TAX_WORDS, Role, has_role, words_of
from ledger.domain.flows import day_number

Floats = NDArray[np.float64]

DAYS_PER_TERM_MONTH = 365 / 12
SHORTEST_TERM_MONTHS = 6
USUAL_TERM_MONTHS = 12
LONG_TERM_WORDS = frozenset(("annual", "enterprise", "contract", "contracts", "license", "licence", "yearly"))

RENEWAL_PROBABILITY = 0.84
RENEWAL_TRIALS = 12.0  # weight of that experience against a company's own renewals
RENEWAL_SD_DAYS = 12.0
RENEWAL_UPLIFT = 1.03
RENEWAL_GIVEN_UP_DAYS = 45
INVOICED_AHEAD_DAYS = 35
INSTALMENT = 0.75  # of a term: who pays again before that pays in pieces
DEAL_FIRST_DAY = 28
DEAL_LOG_SD = 0.25
LEAST_DEAL_DAYS = 91  # a contract in the first week of the books does not tell that there is one a week

YEARLY_GAP_DAYS = (310, 430)
YEARLY_NEEDED, YEARLY_PAYMENTS, YEARLY_TIMES = 3, 4, 3.0
YEARLY_BOOKS_DAYS, YEARLY_ONCE, YEARLY_OTHERS, YEARLY_LARGEST = 340, (5, 40), 0.2, 0.5
PAID_BACK_WORDS = REFUND_WORDS | TAX_WORDS

PAYS_PROBABILITY, PAYS_LATE_PROBABILITY = 0.98, 0.85
OVERDUE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Renewal:
    """A contract that may be renewed: `probability` is that of the payment still coming."""

    customer: str
    day: int
    amount: float
    probability: float
    term_days: int
    deferred: bool


@dataclass(frozen=True, slots=True)
class Receivable:
    """An open invoice in base currency.

    Attributes:
        term_days: of delivery where it is for a deferred contract, else 0.
        by_contract: the customer pays by contract; else what it owes is part of the invoiced income.
        lateness: when it is paid, counted from `due_day`.
    """

    customer: str
    due_day: int
    amount: float
    probability: float
    term_days: int
    by_contract: bool
    lateness: Lateness = USUAL


@dataclass(frozen=True, slots=True)
class FittedContracts:
    """Expected renewals, open invoices and the arrival of new contracts.

    Attributes:
        deal_sizes: float64 [n], first payments of past customers.
        deal_days: days of history in which they arrived, a quarter at least.
        deal_term_days, deals_deferred: of the usual contract.
    """

    renewals: tuple[Renewal, ...]
    receivables: tuple[Receivable, ...]
    deal_sizes: Floats
    deal_days: float
    deal_term_days: int
    deals_deferred: bool


def fit_contracts(rows: CashRows, history: CompanyHistory) -> tuple[FittedContracts, NDArray[np.bool_]]:
    """Contracts and receivables, and which rows they explain."""
    terms = _terms(rows, history)
    explained = (rows.role == Role.CONTRACT) & np.array([p in terms for p in rows.payee.tolist()], dtype=bool)
    yearly = set() if history.flows.contracts else _yearly_payers(rows, ~explained)
    if yearly:
        explained |= (rows.amount > 0) & np.array([p in yearly for p in rows.payee.tolist()], dtype=bool)
        terms |= dict.fromkeys(yearly, USUAL_TERM_MONTHS)
    deferred = {receipt.customer for receipt in history.flows.contracts if receipt.deferred}
    by_contract = {rows.payees[payee].counterparty for payee in terms}
    receivables = open_receivables(history, rows, by_contract=by_contract)
    owing = {receivable.customer for receivable in receivables}
    last: dict[str, tuple[int, float, int]] = {}  # customer -> day, amount, term of the latest payment
    first: dict[str, tuple[int, float]] = {}
    renewed = expired = 0
    for day, amount, payee in zip(
        rows.day[explained].tolist(), rows.amount[explained].tolist(), rows.payee[explained].tolist(), strict=True
    ):
        customer, term_days = rows.payees[payee].counterparty, round(terms[payee] * DAYS_PER_TERM_MONTH)
        if customer in last and day - last[customer][0] < 30:  # instalments of one invoice
            last[customer] = last[customer][0], last[customer][1] + amount, term_days
            continue
        if customer in last:
            renewed += 1
            # A year that is paid in halves is due again after half of it.
            paid_for = day - last[customer][0]
            term_days = paid_for if paid_for < INSTALMENT * term_days else term_days
        last[customer] = day, amount, term_days
        first.setdefault(customer, (day, amount))
    renewals = []
    for day, _, term_days in last.values():
        expired += day + term_days + RENEWAL_GIVEN_UP_DAYS < rows.as_of_day
    rate = (RENEWAL_PROBABILITY * RENEWAL_TRIALS + renewed) / (RENEWAL_TRIALS + renewed + expired)
    # Where renewals stand among the open invoices, who has none when his payment is due has not renewed.
    ahead = INVOICED_AHEAD_DAYS if owing & set(last) else 0
    for customer, (day, amount, term_days) in last.items():
        due = day + term_days
        if customer not in owing and due > rows.as_of_day - RENEWAL_GIVEN_UP_DAYS:
            probability = _still_coming(rate, (rows.as_of_day + ahead - due) / RENEWAL_SD_DAYS)
            renewals.append(
                Renewal(customer, due, amount * RENEWAL_UPLIFT, probability, term_days, customer in deferred)
            )
    fresh, deal_days = _new_customers(history, first), rows.history_days
    if yearly:  # whoever pays first in the first year of the books may be paying again
        settled = rows.first_day + YEARLY_GAP_DAYS[1]
        fresh, deal_days = [one for one in fresh if first[one][0] > settled], rows.as_of_day - settled
    return FittedContracts(
        renewals=tuple(renewals),
        receivables=receivables,
        deal_sizes=np.array([first[customer][1] for customer in fresh]),
        deal_days=float(max(deal_days, LEAST_DEAL_DAYS)),
        deal_term_days=round(USUAL_TERM_MONTHS * DAYS_PER_TERM_MONTH),
        deals_deferred=bool(deferred),
    ), explained


def open_receivables(history: CompanyHistory, rows: CashRows, *, by_contract: set[str]) -> tuple[Receivable, ...]:
    """The plan's open invoices, without those that were paid since. They are in base currency, as the plan states
    no other.
    """
    terms = {
        receipt.customer: round(receipt.term_months * DAYS_PER_TERM_MONTH)
        for receipt in history.flows.contracts
        if receipt.deferred
    }
    due_days = {receivable.customer: day_number(receivable.due) for receivable in history.plan.open_receivables}
    lateness, paid = read_lateness(rows, due_days), met_receivables(rows, history)
    found = []
    for place, receivable in enumerate(history.plan.open_receivables):
        if place in paid:
            continue
        due_day = day_number(receivable.due)
        late = rows.as_of_day - due_day > OVERDUE_DAYS
        found.append(
            Receivable(
                customer=receivable.customer,
                due_day=due_day,
                amount=float(receivable.amount),
                probability=PAYS_LATE_PROBABILITY if late else PAYS_PROBABILITY,
                term_days=terms.get(receivable.customer, 0),
                by_contract=receivable.customer in by_contract or receivable.customer in terms,
                lateness=lateness,
            )
        )
    return tuple(found)


def _terms(rows: CashRows, history: CompanyHistory) -> dict[int, int]:
    """Payee -> months of its contract; payees whose receipts are no long contracts are left out."""
    stated = {receipt.customer: receipt.term_months for receipt in history.flows.contracts}
    found = {}
    for payee in np.unique(rows.payee[rows.role == Role.CONTRACT]).tolist():
        who = rows.payees[payee]
        said = words_of(who.category) | words_of(who.counterparty)
        term = stated.get(who.counterparty, USUAL_TERM_MONTHS if said & LONG_TERM_WORDS else 0)
        paid = np.unique(rows.day[(rows.role == Role.CONTRACT) & (rows.payee == payee)])
        # Whoever pays every month or quarter is no annual customer, whatever the category says.
        often = len(paid) >= 3 and float(np.median(np.diff(paid))) < term * DAYS_PER_TERM_MONTH / 2
        if term >= SHORTEST_TERM_MONTHS and not often:
            found[payee] = term
    return found


def _yearly_payers(rows: CashRows, free: NDArray[np.bool_]) -> set[int]:
    """Payees who pay once a year, though no word says so: sponsors, members, licensees.

    Several must have paid again a year later; or in books too young for that, a handful has paid, and none twice.
    Then whoever has paid once is not expected again before his year is over.
    """
    again, once, largest = set(), {}, 0.0
    of_others = of_again = lost = 0.0
    for payee, mine in rows.by_payee(free & has_role(rows.role, Role.INVOICED, Role.OTHER) & (rows.amount > 0)):
        if words_of(rows.payees[payee].category) & PAID_BACK_WORDS:
            continue
        gaps, paid = np.diff(np.unique(rows.day[mine])), float(rows.amount[mine].sum())
        if not len(gaps):
            once[payee] = paid
            lost += paid * (rows.as_of_day - int(rows.day[mine][0]) > YEARLY_GAP_DAYS[1])
        elif ((gaps >= YEARLY_GAP_DAYS[0]) & (gaps <= YEARLY_GAP_DAYS[1])).all():
            again.add(payee)
            of_again += paid
            largest = max(largest, float(rows.amount[mine].max()))
        elif len(gaps) < YEARLY_PAYMENTS:
            of_others += paid
    if len(again) >= YEARLY_NEEDED and of_again > of_others:
        return again | {payee for payee, paid in once.items() if paid <= YEARLY_TIMES * largest}
    of_once = sum(once.values())
    if once and max(once.values()) > YEARLY_LARGEST * of_once:
        return set()  # one large receipt is no habit of many
    is_few = YEARLY_ONCE[0] <= len(once) <= YEARLY_ONCE[1]
    income = rows.day[(rows.amount > 0) & ~has_role(rows.role, Role.TRANSFER, Role.FUNDING)]
    is_a_year = len(income) > 0 and rows.as_of_day - int(income[0]) >= YEARLY_BOOKS_DAYS
    if is_few and is_a_year and lost + of_others <= YEARLY_OTHERS * of_once:
        return again | set(once)
    return set()


def _new_customers(history: CompanyHistory, first: dict[str, tuple[int, float]]) -> list[str]:
    """Customers whose first payment was a new deal, not the renewal of an older one."""
    renewing = {
        (receipt.customer, day_number(receipt.day)) for receipt in history.flows.contracts if receipt.renewal
    }
    return [customer for customer, (day, _) in first.items() if (customer, day) not in renewing]


def _still_coming(probability: float, sds_late: float) -> float:
    """Bayes: the chance of a renewal after `sds_late` standard deviations of silence beyond its day."""
    silent = 0.5 * (1 - erf(sds_late / sqrt(2)))
    return probability * silent / (probability * silent + 1 - probability)
