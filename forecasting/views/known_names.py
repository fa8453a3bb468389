"""What the fields of a change can name at this company: lists to choose from, and what a fresh one starts with."""

from collections.abc import Collection
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from forecasting.drivers.tranches import named_tranches
from forecasting.fit.history import base_rates
from forecasting.fit.role import Role
from forecasting.scenarios.fields import is_required, rule_of
from forecasting.scenarios.lost_customer import INVOICES
from forecasting.scenarios.registry import all_changes
from forecasting.scenarios.scaled import RECENT_DAYS
from forecasting.services.what_if import KnownNow

MOST_NAMES = 300
# Fields that name something of the company's, and the list of names that helps with each.
NAMING = frozenset({"text", "currency"})
LISTS = {
    "name": "known-names",
    "customer": "known-customers",
    "tranche": "known-tranches",
    "provider": "known-clouds",
    "currency": "known-currencies",
}
# A founder looks for a person or a customer, not for a letter of the alphabet.
ABOUT = ("People", "Customers", "Costs", "New money", "Currencies")


def known_names(known: KnownNow) -> dict[str, list[str]]:
    """Names by list, in the order in which a person looks for them."""
    company, history = known.setting.company, known.setting.history
    payees = company.rows.payees
    income = {int(payee) for payee in company.rows.payee[company.rows.amount > 0].tolist()}
    vendors = sorted({payee.counterparty for payee in payees} | {payee.category for payee in payees})
    customers = sorted(
        {payees[n].counterparty for n in income} | {each.customer for each in company.contracts.renewals}
    )
    return {
        "known-names": [each for each in vendors if each][:MOST_NAMES],
        "known-customers": [each for each in customers if each][:MOST_NAMES],
        "known-tranches": _tranches(known),
        "known-clouds": [cloud.provider for cloud in company.clouds],
        "known-currencies": sorted({history.base_currency, *history.rates}),
    }


def first_names(known: KnownNow) -> dict[str, str]:
    """What a fresh change that must name something starts with; a field is left out when there is nothing to name.

    The next tranche, the customer who brings most, and the foreign currency that moves most.
    """
    found = {
        "tranche": next(iter(_tranches(known)), ""),
        "customer": _customer(known),
        "currency": _currency(known),
    }
    return {name: first for name, first in found.items() if first}


def _tranches(known: KnownNow) -> list[str]:
    """By planned day, each as people call it."""
    return [tranche.milestone or tranche.date.isoformat() for _, tranche in named_tranches(known.setting)]


def _customer(known: KnownNow) -> str:
    """By contract before by invoice before by card: a processor pays for many, and is not a customer to lose."""
    company = known.setting.company
    if company.contracts.renewals:
        return max(company.contracts.renewals, key=lambda each: each.amount).customer
    for roles in (INVOICES, (Role.REVENUE,)):
        rows = company.rows.of(*roles)
        recent = (rows.day > rows.as_of_day - RECENT_DAYS) & (rows.amount > 0.0)
        paid = _by_name([each.counterparty for each in rows.payees], rows.payee[recent], rows.amount[recent])
        if paid:
            return max(paid, key=lambda each: paid[each])
    return ""


def _currency(known: KnownNow) -> str:
    rows, base = known.setting.company.rows, known.setting.history.base_currency
    moved = _by_name([each.currency for each in rows.payees], rows.payee, np.abs(rows.amount))
    foreign = {currency: amount for currency, amount in moved.items() if currency != base}
    if foreign:
        return max(foreign, key=lambda each: foreign[each])
    return next((currency for currency in sorted(base_rates(known.setting.history)) if currency != base), "")


def _by_name(names: list[str], payee: NDArray[np.int32], amount: NDArray[np.float64]) -> dict[str, float]:
    """Sums above zero by the name of the payee; who has no name is left out."""
    found: dict[str, float] = {}
    for name, total in zip(names, np.bincount(payee, amount, minlength=len(names)).tolist(), strict=True):
        if name and total > 0.0:
            found[name] = found.get(name, 0.0) + total
    return found


def offered(firsts: Collection[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Kinds of change to choose from, value and label, by what they are about.

    Without a tranche none can slip: what must name something, and has nothing to name, is not offered.

    Args:
        firsts: the fields that something is known for (`first_names`).
    """
    groups: dict[str, list[tuple[str, str]]] = {about: [] for about in ABOUT}
    for kind in all_changes().values():
        named = {each.name for each in fields(kind) if is_required(each) and rule_of(each).kind in NAMING}
        if named <= set(firsts):
            groups.setdefault(kind.ABOUT, []).append((kind.KIND, kind.LABEL))
    return [(about, kinds) for about, kinds in groups.items() if kinds]
