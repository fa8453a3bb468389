"""Income from customers who are invoiced: read client by client, and all receipts together."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.begins import fit_begins
from forecasting.fit.cash_rows import CashRows
from forecasting.fit.clients import fit_clients
from forecasting.fit.contracts import Receivable
from forecasting.fit.pool import is_new_money, monthly_outflow
from forecasting.fit.revenue import BLOCK_DAYS, FittedRevenue, Habit, fit_income
from forecasting.fit.role import Role, has_role

# Few customers who pay when it suits them: a month says less about the level. They grow by prices; a new one
# mostly takes the place of one who left.
INVOICED = Habit(growth=0.004, smoothing=0.35)
LEAST_LVL_OF_ALL = 0.25
QUARTER_DAYS, YEAR_DAYS = 91, 365
STEADY_BLOCKS, STEADY_RECEIPTS = 6, 8


def fit_invoiced(
    rows: CashRows, *, explained: NDArray[np.bool_], owed: tuple[Receivable, ...] = ()
) -> tuple[FittedRevenue | None, NDArray[np.bool_]]:
    """Income from customers who pay again and again, taken together; `explained` rows have a model already.

    Each customer pays at his own time and may leave; all of them together are as steady as sales. Income that is
    too rare for that stays with the streams and the pool.
    """
    mine = has_role(rows.role, Role.INVOICED, Role.CONTRACT) & (rows.amount > 0) & ~explained
    other = (rows.role == Role.OTHER) & (rows.amount > 0) & ~explained
    new_money = _new_money(rows, other | (mine & (rows.role == Role.INVOICED)))
    mine, other = mine & ~new_money, other & ~new_money
    for candidate in (mine | other, mine):
        if _is_steady(rows, candidate):
            found = _by_client(rows, candidate, owed) or _together(rows, candidate)
            if found is not None:
                found = replace(found, begins=fit_begins(rows, candidate, owed))
            return found, candidate
    # One or two clients pay too seldom to be read together, and each of them may be read alone.
    few = _by_client(rows, mine, owed) if mine.any() else None
    few = None if few is None else replace(few, begins=fit_begins(rows, mine, owed))
    return (few, mine) if few is not None else (None, np.zeros(len(rows.day), dtype=bool))


def _new_money(rows: CashRows, receipts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool [n]: which of the receipts pay for half a year of everything, as the pool tells them."""
    cash = ~has_role(rows.role, Role.TRANSFER, Role.CLOUD_CREDIT)
    outflow = monthly_outflow(
        rows.day[cash], rows.amount[cash], looks=np.array([rows.as_of_day]), first_day=rows.first_day
    )
    found: NDArray[np.bool_] = is_new_money(receipts[None], rows.amount / np.maximum(rows.count, 1), outflow)[0]
    return found


def _together(rows: CashRows, chosen: NDArray[np.bool_]) -> FittedRevenue | None:
    days = rows.day[chosen]
    return fit_income(rows, chosen, INVOICED, first_day=int(days[0]), last_day=int(days[-1]))


def _by_client(rows: CashRows, chosen: NDArray[np.bool_], owed: tuple[Receivable, ...]) -> FittedRevenue | None:
    """Level and doubt as the clients tell them, the rest as all receipts together do."""
    together = _together(rows, chosen)
    if together is None:
        return None
    # What a client paid in a season says what he pays outside it, and the other way round.
    beside = rows
    if together.seasonality.coefficients:
        amount = rows.amount.copy()
        amount[chosen] *= np.exp(-together.seasonality.log_effect(rows.day[chosen]))
        beside = replace(rows, amount=amount)
    clients = fit_clients(beside, chosen, owed=owed)
    if clients is None:
        return None
    # Two readings of one level, each as far as it is sure of itself. Open invoices tell who is still a client.
    all_lvl = max(together.lvl, LEAST_LVL_OF_ALL)
    # Above or below all that came, in any time, they were misread. Who has no open invoice where the others have
    # one has left sooner than receipts can tell, so a level below them is doubted less then.
    readings = [together.level_per_day, *(_came(rows, chosen, days=days) for days in (YEAR_DAYS, QUARTER_DAYS))]
    above = max(float(np.log(clients.level_per_day / max(readings))), 0.0)
    below = max(float(np.log(max(min(readings), 1e-9) / clients.level_per_day)), 0.0)
    if any(not one.by_contract for one in owed):
        below = float(np.sqrt(max(below**2 - all_lvl**2, 0.0)))
    of_clients = max(clients.lvl, above, below) ** -2
    of_all = all_lvl**-2
    share = of_clients / (of_clients + of_all)
    return replace(
        together,
        level_per_day=clients.level_per_day**share * together.level_per_day ** (1 - share),
        variance_per_day=clients.variance_per_day,
        lvl=(of_clients + of_all) ** -0.5,
        g=share * clients.g + (1 - share) * together.g,
        gsd=clients.gsd,
        rw=clients.rw,
    )


def _came(rows: CashRows, chosen: NDArray[np.bool_], *, days: int) -> float:
    """What came per day in the last days."""
    days = min(days, rows.as_of_day - int(rows.day[chosen][0]) + 1)
    return float(rows.amount[chosen & (rows.day > rows.as_of_day - days)].sum()) / days


def _is_steady(rows: CashRows, chosen: NDArray[np.bool_]) -> bool:
    recent = chosen & (rows.day > rows.as_of_day - STEADY_BLOCKS * BLOCK_DAYS)
    days = np.unique(rows.day[recent])
    blocks = np.unique((rows.as_of_day - days) // BLOCK_DAYS)
    return len(days) >= STEADY_RECEIPTS and len(blocks) >= STEADY_BLOCKS - 1
