"""Who is who: the same payee under the numbers of his bills, and under a category where he stands by a slip."""

import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import Payee
from forecasting.fit.history import CompanyHistory

NUMBERED_NEEDED, SEEN_ONCE_SHARE = 3, 0.8
# A number of four digits and more, and one with what announces it.
NUMBER = re.compile(r"[#*]*\d[\d./-]{3,}")
ANNOUNCED = re.compile(
    r"(?<![a-z])(?:invoice|inv|reference|ref|rechnung|re|rg|facture|fact|order|conf|check|chk|txn|trx|id|no|nr)"
    rf"[\s.:#/-]*{NUMBER.pattern}",
    re.IGNORECASE,
)
SLIP_SHARE, SLIP_SPREAD = 0.2, 1.5


@lru_cache(maxsize=65536)
def plain_name(name: str) -> str:
    """A name without the numbers that it announces: "Big Co INV-1043" is "Big Co". What is called by nothing else
    keeps it, and a name that announces none is left as it is.
    """
    if not ANNOUNCED.search(name):
        return name
    return " ".join(ANNOUNCED.sub(" ", name).split()) or name


def plainly_named(history: CompanyHistory) -> CompanyHistory:
    """The history with every customer and vendor by his plain name, in the books, the contracts and the plan."""
    flows, plan = history.flows, history.plan
    if any(map(ANNOUNCED.search, flows.counterparties)):
        code_of: dict[str, int] = {}
        codes = [code_of.setdefault(plain_name(name), len(code_of)) for name in flows.counterparties]
        flows = replace(
            flows,
            counterparty=np.array(codes, dtype=flows.counterparty.dtype)[flows.counterparty],
            counterparties=tuple(code_of),
            contracts=tuple(replace(one, customer=plain_name(one.customer)) for one in flows.contracts),
        )
    if any(ANNOUNCED.search(owed.customer) for owed in plan.open_receivables):
        owed = tuple(replace(one, customer=plain_name(one.customer)) for one in plan.open_receivables)
        plan = replace(plan, open_receivables=owed)
    if flows is history.flows and plan is history.plan:
        return history
    return replace(history, flows=flows, plan=plan)


def without_numbers(
    payees: tuple[Payee, ...], payee: NDArray[np.intp], day: NDArray[np.int64]
) -> tuple[tuple[Payee, ...], NDArray[np.intp]]:
    """Payees whose names differ by a long number, each seen on one day, are one: a bank's line tells the number of
    a check or a transfer. `Vendor 1` and `Vendor 2` stay two.
    """
    alike: dict[Payee, list[int]] = {}
    for code, one in enumerate(payees):
        name = _nameless(one.counterparty)
        if name and name != one.counterparty:
            alike.setdefault(replace(one, counterparty=name), []).append(code)
    if not alike:
        return payees, payee
    plain = {one: code for code, one in enumerate(payees) if one in alike}
    days = np.bincount(np.unique(np.stack([payee, day]), axis=1)[0], minlength=len(payees))
    renamed = list(payees)
    same = np.arange(len(payees))
    for one, codes in alike.items():
        if one not in plain and len(codes) < NUMBERED_NEEDED:
            continue
        if float(np.mean(days[codes] == 1)) >= SEEN_ONCE_SHARE:
            same[codes] = plain.get(one, codes[0])
            renamed[same[codes[0]]] = one
    return tuple(renamed), same[payee]


@lru_cache(maxsize=65536)
def _nameless(name: str) -> str:
    return " ".join(NUMBER.sub(" ", name).split())


def without_slips(
    payees: tuple[Payee, ...], payee: NDArray[np.intp], day: NDArray[np.int64], amount: NDArray[np.float64]
) -> NDArray[np.intp]:
    """A payment or two of somebody that stand in another category than all his others, and are as large as those,
    were put there by a slip: else a tax would be paid by two, and each expected again.
    """
    of_name: dict[tuple[str, str], list[int]] = {}
    for code in np.unique(payee).tolist():
        one = payees[code]
        if one.counterparty:
            of_name.setdefault((_nameless(one.counterparty), one.currency), []).append(code)
    same = np.arange(len(payees))
    several = [codes for codes in of_name.values() if len(codes) > 1]
    if not several:
        return payee
    order = np.argsort(payee, kind="stable")
    places = np.split(order, np.searchsorted(payee[order], np.arange(1, len(payees))))
    for codes in several:
        days = [len(np.unique(day[places[code]])) for code in codes]
        usual = codes[int(np.argmax(days))]
        # Each as a part of the usual one: what is paid the other way is less than nothing.
        middle = float(np.median(amount[places[usual]])) or 1.0
        paid = amount[places[usual]] / middle
        least, most = float(paid.min()), float(paid.max())
        for code, seen in zip(codes, days, strict=True):
            slipped = amount[places[code]] / middle
            if (
                code != usual
                and seen <= SLIP_SHARE * max(days)
                and 0 < least / SLIP_SPREAD <= float(slipped.min())
                and float(slipped.max()) <= most * SLIP_SPREAD
            ):
                same[code] = usual
    return same[payee]
