"""Cost of sales: goods, shipping, advertising, whatever a payee is paid in step with sales.

Such a cost has the season and the growth of the sales, and rises with them on every path. Without it a shop's best
quarter looks like pure profit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows, Payee
from forecasting.fit.held_back import HeldBack, fit_held_back
from forecasting.fit.revenue import BLOCK_DAYS, FittedRevenue
from forecasting.fit.role import Role, has_role, words_of
from forecasting.fit.shrinkage import DAYS_PER_MONTH

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BLOCKS_READ = 26
BLOCKS_NEEDED = 8
LARGE_SHARE = 0.03  # of sales: smaller costs move no runway
LEAST_SWING = 0.12  # sd of log cost: without a swing there is nothing to follow
LEAST_SWING_OF_A_YEAR, BLOCKS_OF_A_YEAR = 0.07, 13
QUARTER_BLOCKS, QUARTERS_NEEDED, QUARTERS_READ, QUARTERS_REST = 3, 3, 5, 0.4
SILENT_SHARE = 0.1  # of a usual block's sales
UNEXPLAINED = 0.5
# Campaigns are chosen from week to week; where their share moves like the sales, they go on at their level.
CAMPAIGNS_UNEXPLAINED, LEVEL_CAMPAIGNS = 0.8, 0.9
NAMED_REST = 0.25  # sd of the log share
GOODS_WORDS = frozenset(
    (
        "goods",
        "cogs",
        "inventory",
        "merchandise",
        "stock",
        "materials",
        "wareneinkauf",
        "fulfilment",
        "fulfillment",
        "shipping",
        "packaging",
        "postage",
        "purchases",
        "equipment",
        "achats",
        "marchandises",
        "fornitori",
        "acquisti",
        "merci",
        "compras",
        "mercancias",
        "inkoop",
        "varor",
        "varuinkop",
        "towary",
        "wareneinkauf",
        "waren",
        "freight",
        "fret",
        "customs",
        "duty",
        "expeditions",
        "versand",
        "payout",
        "payouts",
    )
)
ADVERTISING_WORDS = frozenset(("advertising", "ads", "werbung", "publicite", "publicidad", "pubblicita", "reklam"))
LEADS_BLOCKS = (0, 1, -1)
RECENT_BLOCKS = 6
YEAR_BLOCKS = 13  # over a whole year a wrong lead makes no difference: it is too high here and too low there
NEVER = (Role.PAYROLL, Role.PAYROLL_TAX, Role.CLOUD, Role.RENT, Role.FUNDING, Role.TRANSFER)


@dataclass(frozen=True, slots=True)
class FittedCost:
    """The share of sales that one payee, or all payees of a kind, are paid.

    Attributes:
        name: the payee, or the kind.
        payees: who is paid it.
        share: cost per unit of sales.
        lead_days: the sales that a payment is for lie so many days after it.
        last_day, gap_days: payments come every so many days.
        share_sd: sd of the share's level, relative.
        variance_per_day: of the cost around its share.
        held: what has been sold and is paid out on certain days to come, where that is so.
    """

    name: str
    payees: frozenset[Payee]
    share: float
    lead_days: int
    last_day: int
    gap_days: int
    share_sd: float
    variance_per_day: float
    held: HeldBack | None = None

    def certain(self, *, first_day: int, days: int) -> Floats:
        """float64 [days]: what is paid out for sales that have been made, positive."""
        return (
            np.zeros(days) if self.held is None else self._paid_out(self.held.sold, first_day=first_day, days=days)
        )

    def expected(self, sales: FittedRevenue, *, first_day: int, days: int) -> Floats:
        """float64 [days]: cost of sales to come, positive, at the sales expected; level 1 without growth."""
        if self.held is not None:
            made = len(self.held.sold)
            to_come = sales.expected(first_day=first_day, days=days)
            # What is paid out on a day was sold before it, at the level of then.
            level = float(np.exp(-sales.g * self.held.days / DAYS_PER_MONTH))
            return level * self._paid_out(
                np.concatenate([np.zeros(made), to_come]), first_day=first_day, days=days
            )
        expected = sales.expected(first_day=first_day + self.lead_days, days=days + self.gap_days) * self.share
        daily = np.zeros(days)
        due = self._due(first_day=first_day, days=days)
        upto = np.concatenate([[0.0], np.cumsum(expected)])
        daily[due] = upto[due + self.gap_days] - upto[due]
        return daily

    def _due(self, *, first_day: int, days: int) -> Ints:
        waiting = max(0, first_day - 1 - self.last_day)  # days since the last payment
        return np.arange(self.gap_days - min(waiting, self.gap_days - 1), days + 1, self.gap_days) - 1

    def _paid_out(self, sold: Floats, *, first_day: int, days: int) -> Floats:
        """float64 [days]: payments for what was or will be sold since the last sale that has been paid out for."""
        assert self.held is not None
        made = len(self.held.sold)
        due = self._due(first_day=first_day, days=days)
        upto = np.concatenate([[0.0], np.cumsum(sold)])
        reached = upto[np.clip(due + 1 - self.held.days + made, 0, len(sold))]
        daily = np.zeros(days)
        daily[due] = self.share * np.diff(reached, prepend=0.0)
        return daily


def fit_costs(
    rows: CashRows, *, sales: FittedRevenue | None, of_sales: NDArray[np.bool_], explained: NDArray[np.bool_]
) -> tuple[tuple[FittedCost, ...], NDArray[np.bool_]]:
    """The payees who are paid in step with sales, and which rows that explains."""
    followed = np.zeros(len(rows.day), dtype=bool)
    if sales is None or not of_sales.any():
        return (), followed
    first = int(rows.day[of_sales][0])
    blocks = min(BLOCKS_READ, (rows.as_of_day - first + 1) // BLOCK_DAYS)
    if blocks < BLOCKS_NEEDED:
        return (), followed
    sold = _blocks(rows, of_sales, blocks).sum(axis=0)
    # A block (almost) without sales is one in which a feed was silent, and not one in which nothing follows them.
    heard = sold > SILENT_SHARE * float(np.median(sold))
    if np.count_nonzero(heard) < BLOCKS_NEEDED:
        return (), followed
    # Refunds are taken off sales already.
    free = ~explained & ~of_sales & (rows.amount < 0) & ~has_role(rows.role, *NEVER)
    sold_by_day = np.bincount(
        rows.day[of_sales] - first, weights=rows.amount[of_sales], minlength=rows.as_of_day - first + 1
    )
    found = []
    paid = -_blocks(rows, free, blocks)
    for name, payees in _candidates(
        rows, paid.sum(axis=1) if paid.size else np.zeros(0), least=LARGE_SHARE * sold.sum()
    ):
        members = np.zeros(len(rows.payees), dtype=bool)
        members[payees] = True
        mine = free & members[rows.payee] & ~followed
        together = paid[[payee for payee in payees if (mine & (rows.payee == payee)).any()]].sum(axis=0)
        if float(together.sum()) < LARGE_SHARE * float(sold.sum()):
            continue
        days, place = np.unique(rows.day[mine], return_inverse=True)
        held = fit_held_back(
            day=days, paid=-np.bincount(place, weights=rows.amount[mine]), sold=sold_by_day, first_day=first
        )
        kind = words_of(rows.payees[payees[0]].category)
        if held is not None:
            share, lead, sd = held.share, 0, held.rest
        elif (cost := _follow(together[heard], sold[heard], kind=kind)) is not None:
            share, lead, sd = cost
        else:
            continue
        found.append(
            FittedCost(
                name=name,
                payees=frozenset(rows.payees[payee] for payee in payees),
                held=held,
                share=share,
                lead_days=lead * BLOCK_DAYS,
                last_day=int(days[-1]),
                gap_days=max(1, round(float(np.median(np.diff(days[-12:]))))),
                share_sd=sd / float(np.sqrt(RECENT_BLOCKS)),
                variance_per_day=(sd * share * float(sold[-RECENT_BLOCKS:].mean())) ** 2 / BLOCK_DAYS,
            )
        )
        followed |= mine
    return tuple(found), followed


def _candidates(rows: CashRows, total: Floats, *, least: float) -> list[tuple[str, list[int]]]:
    """Kinds of cost whose payees change while together they go with sales, then single payees."""
    kinds: dict[str, list[int]] = {}
    for payee in np.flatnonzero(total > 0).tolist():
        kinds.setdefault(rows.payees[payee].category, []).append(payee)
    together = [
        (category, payees)
        for category, payees in kinds.items()
        if category and len(payees) > 1 and float(total[payees].sum()) >= least
    ]
    return together + [
        (rows.payees[payee].counterparty, [payee]) for payee in np.flatnonzero(total >= least).tolist()
    ]


def _blocks(rows: CashRows, chosen: NDArray[np.bool_], blocks: int) -> Floats:
    """float64 [payees, blocks]: sums of 28 days, oldest first, the last ending on the as-of day."""
    back = (rows.as_of_day - rows.day[chosen]) // BLOCK_DAYS
    inside = back < blocks
    place = rows.payee[chosen][inside].astype(np.int64) * blocks + (blocks - 1 - back[inside])
    size = len(rows.payees) * blocks
    summed: Floats = np.bincount(place, weights=rows.amount[chosen][inside], minlength=size).astype(np.float64)
    return summed.reshape(-1, blocks)


def _follow(paid: Floats, sold: Floats, *, kind: frozenset[str]) -> tuple[float, int, float] | None:
    """Share, lead in blocks and sd of the log share of a block, where cost follows sales; else None.

    What is named for what is sold follows it, unless its share is all over the place: while sales are level no
    swing can show it, and still the next rise will need more of it. Goods that are ordered now and then are looked
    at by the quarter. Advertising is followed by its name only where its share is steadier than the sales.
    """
    named = bool(kind & (GOODS_WORDS | ADVERTISING_WORDS))
    campaigns = bool(kind & ADVERTISING_WORDS)
    unexplained = CAMPAIGNS_UNEXPLAINED if campaigns else UNEXPLAINED
    first = int(np.argmax(paid > 0))
    if len(paid) - first < BLOCKS_NEEDED or not (paid[first:] > 0).all():
        return _follow_by_quarter(paid[first + 1 :], sold[first + 1 :], campaigns=campaigns) if named else None
    best: tuple[float, int, float] | None = None
    for lead in LEADS_BLOCKS:
        x = np.log(paid[max(first, -lead) : len(paid) - max(lead, 0)])
        s = np.log(sold[max(first, -lead) + lead : len(sold) - max(-lead, 0)][: len(x)])
        x = x[: len(s)]
        swing, rest = float(np.std(x)), float(np.std(x - s))
        least = LEAST_SWING if len(x) < BLOCKS_OF_A_YEAR else LEAST_SWING_OF_A_YEAR
        shown = swing >= least and rest**2 <= unexplained * swing**2
        told = named and rest <= NAMED_REST and not (campaigns and rest > LEVEL_CAMPAIGNS * float(np.std(s)))
        if len(x) < BLOCKS_NEEDED or not (shown or told):
            continue
        if best is None or rest < 0.9 * best[2]:
            best = float(np.exp((x - s)[-YEAR_BLOCKS:].mean())), lead, rest
    if best is None and named:
        return _follow_by_quarter(paid, sold, campaigns=campaigns)
    return best


def _follow_by_quarter(paid: Floats, sold: Floats, *, campaigns: bool) -> tuple[float, int, float] | None:
    quarters = len(paid) // QUARTER_BLOCKS
    if quarters < QUARTERS_NEEDED:
        return None
    ends = len(paid) - quarters * QUARTER_BLOCKS
    cost, income = (x[ends:].reshape(quarters, QUARTER_BLOCKS).sum(axis=1) for x in (paid, sold))
    if (cost <= 0).any():
        return None
    rest = float(np.std(np.log(cost / income), ddof=1))
    if rest > QUARTERS_REST or (campaigns and rest > LEVEL_CAMPAIGNS * float(np.std(np.log(income), ddof=1))):
        return None
    recent = slice(-QUARTERS_READ, None)
    return float(cost[recent].sum() / income[recent].sum()), 0, rest * float(np.sqrt(QUARTER_BLOCKS))
