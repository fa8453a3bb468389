"""Clients who are invoiced again and again: who is still there, what each pays, how often one leaves or comes.

A month's receipts of ten retainers jump with the days on which they pay, and say little about the next month. Read
client by client the same ledger says who pays how much, who has fallen silent and how many came and went; what is
left to doubt is the coming and going.
"""

from dataclasses import dataclass
from math import erfc, exp, sqrt

import numpy as np
from numpy.typing import NDArray

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.contracts import Receivable
from forecasting.fit.lateness import DAYS_PER_QUARTER, MONTHLY_GAP_DAYS, QUARTERLY_GAP_DAYS
from forecasting.fit.recurring import ROBUST
from forecasting.fit.shrinkage import DAYS_PER_MONTH, shrink, weight

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_CLIENTS = 200  # more of them are as steady as sales, and need no look at each
PAYMENTS_NEEDED = 3  # to know a client's rhythm
GAP_DAYS = (5.0, 100.0)
SAME_GAP = 0.25  # two payments so far off the usual days apart show no rhythm
FEW_GAPS = 6
YOUNG_MOST_TIMES = 2.0
YOUNG_DAYS = 75  # a first payment no older than that may be a new client's
FEES_READ = 6
FEE_SD, FEE_PRIOR, YOUNG_FEE_SD = 0.1, 2.0, 0.2  # of a fee, relative
LEAST_DELAY_SD = 5.0
IRREGULAR_DAYS, MOST_IRREGULAR, LEAST_KNOWN = 365, 0.3, 0.1
LOSS_PER_MONTH, LOSS_PRIOR_MONTHS = 0.025, 60.0
WON_PRIOR_MONTHS = 6.0
SETTLED_DAYS = 60  # of history, before a first payment is a new client's
ROUNDS = 4
HEARD_GAPS = 1.3
USUAL_SHARE = 0.6
MISSING_INVOICE = 0.02  # the chance that a client who stays has no invoice where the others have one
NEXT_INVOICE_DAYS = 4
EARLY_SHARE = 1 / 3  # of the days between invoices: no earlier than that is one paid before it is due
USUAL_GROWTH_SD, LEAST_GROWTH_SE = 0.014, 0.005
LEAST_LEVEL_SD, MOST_LEVEL_SD = 0.02, 1.0
MOST_CHURN = 0.25  # where one who was large has gone, the few who are left have little to compare with


@dataclass(frozen=True, slots=True)
class FittedClients:
    """All clients together on the as-of date, in base currency.

    Attributes:
        level_per_day: expected income, each client weighed with the chance that it is still one.
        variance_per_day: of receipts around their expectation.
        lvl, g, gsd, rw: see forecasting.kernel.inputs.Factor.
    """

    level_per_day: float
    variance_per_day: float
    lvl: float
    g: float
    gsd: float
    rw: float


@dataclass(frozen=True, slots=True)
class _Client:
    """One client: a fee every `gap` days.

    Attributes:
        fee_sd: of a payment, relative to the fee.
        delay_sd: of the days between payments.
        fees: how many payments the fee was read from.
        newest_due: due day of the newest open invoice, None where nothing is owed.
    """

    fee: float
    fee_sd: float
    gap: float
    delay_sd: float
    fees: int
    first_day: int
    last_day: int
    newest_due: int | None


def fit_clients(
    rows: CashRows, chosen: NDArray[np.bool_], *, owed: tuple[Receivable, ...]
) -> FittedClients | None:
    """Read the `chosen` receipts client by client; None where a look at each would not tell more.

    Args:
        owed: open invoices; those of contracts are left out.
    """
    clients, irregular = _read_clients(rows, chosen, owed)
    if not clients:
        return None
    window = min(IRREGULAR_DAYS, rows.history_days)
    recent = chosen & (rows.day > rows.as_of_day - window)
    income, odd = float(rows.amount[recent].sum()), rows.amount[recent & irregular]
    if income <= 0.0 or float(odd.sum()) > MOST_IRREGULAR * income:
        return None
    loss, won, stays = _comings_and_goings(rows, clients)
    gap, delay_sd, fee, fee_sd, fees = (
        np.array([getattr(client, name) for client in clients], dtype=float)
        for name in ("gap", "delay_sd", "fee", "fee_sd", "fees")
    )
    rate = fee / gap
    regular = float((stays * rate).sum())
    if regular < LEAST_KNOWN * income / window:
        return None  # nearly all are gone: what is left of them tells nothing about who comes
    level = regular + float(odd.sum()) / window
    # Who comes is like those who are known, who goes is one of those who stayed.
    lost_squares, won_squares = loss * float((stays * rate**2).sum()), won * float((rate**2).mean())
    churn = min((lost_squares + won_squares) / regular**2, MOST_CHURN)  # variance of the log level, per month
    growth, se = (
        won * float(rate.mean()) / regular - loss,
        sqrt(churn / (rows.history_days / DAYS_PER_MONTH)),
    )
    se = max(se, LEAST_GROWTH_SE)
    doubt = float((rate**2 * stays * (1 - stays + fee_sd**2 / fees)).sum()) + float((odd**2).sum()) / window**2
    by_chance = stays * ((fee_sd * fee) ** 2 / gap + (rate * delay_sd) ** 2 / DAYS_PER_MONTH)
    return FittedClients(
        level_per_day=level,
        variance_per_day=float(by_chance.sum()) + float((odd**2).sum()) / window,
        lvl=min(max(LEAST_LEVEL_SD, sqrt(doubt) / level), MOST_LEVEL_SD),
        # A factor's walk is centred half-way between its median and its mean; comings and goings leave the mean.
        g=shrink(estimate=growth, se=se, towards=0.0, prior_sd=USUAL_GROWTH_SD) - churn / 4,
        gsd=USUAL_GROWTH_SD * sqrt(1 - weight(prior_sd=USUAL_GROWTH_SD, se=se)),
        rw=sqrt(churn),
    )


def _read_clients(
    rows: CashRows, chosen: NDArray[np.bool_], owed: tuple[Receivable, ...]
) -> tuple[list[_Client], NDArray[np.bool_]]:
    """The clients, and which receipts are of nobody who pays regularly; no clients where none has a rhythm."""
    of_payee = rows.by_payee(chosen)
    irregular = np.zeros(len(rows.day), dtype=bool)
    if len(of_payee) > MOST_CLIENTS:
        return [], irregular
    open_amounts: dict[str, list[float]] = {}
    newest: dict[str, int] = {}
    for one in owed:
        if not one.by_contract:
            open_amounts.setdefault(one.customer, []).append(one.amount)
            newest[one.customer] = max(newest.get(one.customer, one.due_day), one.due_day)
    gaps = [_rhythm(np.diff(rows.day[mine])) for _, mine in of_payee if len(mine) >= PAYMENTS_NEEDED]
    gaps = [_whole(gap) for gap in gaps if GAP_DAYS[0] <= gap <= GAP_DAYS[1]]
    if not gaps:
        return [], irregular
    usual_gap = float(np.median(gaps))
    clients, of_client = [], []
    for payee, mine in of_payee:
        client = _client(
            rows.day[mine],
            rows.amount[mine],
            rows.as_of_day,
            newest_due=newest.get(rows.payees[payee].counterparty),
            usual_gap=usual_gap,
        )
        if client is None:
            irregular[mine] = True
        else:
            clients.append(client)
            of_client.append(mine)
    # A first payment of several times what anybody pays is an order, or a year ahead, and no fee of every month.
    known = [client.fee / client.gap for client in clients if client.fees >= PAYMENTS_NEEDED]
    most = YOUNG_MOST_TIMES * max(known, default=0.0)
    for client, mine in zip(clients, of_client, strict=True):
        if client.fees == 1 and client.fee / client.gap > most:
            irregular[mine] = True
    clients = [client for client in clients if client.fees > 1 or client.fee / client.gap <= most]
    paid_before = {rows.payees[payee].counterparty for payee, _ in of_payee}
    clients += [
        _Client(
            fee=float(np.mean(amounts)),
            fee_sd=YOUNG_FEE_SD,
            gap=usual_gap,
            delay_sd=LEAST_DELAY_SD,
            fees=1,
            first_day=rows.as_of_day,
            last_day=rows.as_of_day,
            newest_due=newest[name],
        )
        for name, amounts in open_amounts.items()
        if name not in paid_before
    ]
    return clients, irregular


def _client(
    day: Ints, amount: Floats, as_of_day: int, *, newest_due: int | None, usual_gap: float
) -> _Client | None:
    """One payee's receipts; None where they have no rhythm and are not those of a new client."""
    recent = amount[-FEES_READ:]
    fee, spread, gaps = float(recent.mean()), float(recent.std()), np.diff(day)
    if len(day) < PAYMENTS_NEEDED:
        is_young = as_of_day - int(day[0]) < max(YOUNG_DAYS, HEARD_GAPS * usual_gap)
        has_rhythm = len(day) > 1 and abs(int(gaps[0]) / usual_gap - 1) <= SAME_GAP
        if not (is_young or has_rhythm):
            return None
        gap, fee_sd, delay_sd = usual_gap, YOUNG_FEE_SD, LEAST_DELAY_SD
    else:
        gap = _rhythm(gaps)
        if not GAP_DAYS[0] <= gap <= GAP_DAYS[1]:
            return None
        delay_sd = max(LEAST_DELAY_SD, ROBUST * float(np.median(np.abs(gaps - gap))))
        gap = _whole(gap)
        fee_sd = sqrt((len(recent) * (spread / fee) ** 2 + FEE_PRIOR * FEE_SD**2) / (len(recent) + FEE_PRIOR))
    return _Client(
        fee=fee,
        fee_sd=fee_sd,
        gap=gap,
        delay_sd=delay_sd,
        fees=len(recent),
        first_day=int(day[0]),
        last_day=int(day[-1]),
        newest_due=newest_due,
    )


def _rhythm(gaps: Ints) -> float:
    """Days between payments. Few gaps between payments that come early and late have a median that lies anywhere;
    their mean is wrong by the first and the last day alone."""
    if len(gaps) < FEW_GAPS and GAP_DAYS[0] <= float(gaps.mean()) <= GAP_DAYS[1]:
        return float(gaps.mean())
    return float(np.median(gaps))


def _whole(gap: float) -> float:
    """A month or a quarter, where it is about one."""
    if MONTHLY_GAP_DAYS[0] <= gap <= MONTHLY_GAP_DAYS[1]:
        return DAYS_PER_MONTH
    return DAYS_PER_QUARTER if QUARTERLY_GAP_DAYS[0] <= gap <= QUARTERLY_GAP_DAYS[1] else gap


def _comings_and_goings(rows: CashRows, clients: list[_Client]) -> tuple[float, float, Floats]:
    """Losses per client and month, new clients per month, and the chance that each is still one.

    Who is lost is told by silence, and what silence means by how many are lost: a few rounds settle both.
    """
    exposure = sum(client.last_day - client.first_day + client.gap for client in clients) / DAYS_PER_MONTH
    loss, stays = LOSS_PER_MONTH, np.ones(len(clients))
    for _ in range(ROUNDS):
        stays = _still_there(clients, loss, rows.as_of_day)
        lost = float((1 - stays).sum())
        loss = (LOSS_PER_MONTH * LOSS_PRIOR_MONTHS + lost) / (LOSS_PRIOR_MONTHS + exposure)
    start = rows.first_day + SETTLED_DAYS
    months = max(rows.as_of_day - start, 0) / DAYS_PER_MONTH
    born = sum(1 for client in clients if client.first_day > start)
    usual = LOSS_PER_MONTH * max(1.0, float(stays.sum()))  # as many as leave
    return loss, (born + usual * WON_PRIOR_MONTHS) / (months + WON_PRIOR_MONTHS), stays


def _still_there(clients: list[_Client], loss: float, as_of_day: int) -> Floats:
    """float64 [clients]: Bayes over silence, and over a missing invoice where the others have one."""
    dues = [client.newest_due for client in clients if client.newest_due is not None]
    usual_gap = float(np.median([client.gap for client in clients])) if clients else 1.0
    latest = max(dues, default=as_of_day)
    # Whoever has paid around the newest due day owes nothing now, and would if the payment were of the one before.
    settled = [bool(dues) and client.last_day >= latest - client.gap * EARLY_SHARE for client in clients]
    heard = [
        client.newest_due is not None
        for client, has_settled in zip(clients, settled, strict=True)
        if client.fees > 1 and as_of_day - client.last_day <= HEARD_GAPS * client.gap and not has_settled
    ]
    owing_is_usual = bool(dues) and bool(heard) and np.mean(heard) >= USUAL_SHARE
    fresh_is_usual = bool(dues) and (
        np.mean([due + DAYS_PER_MONTH > latest + NEXT_INVOICE_DAYS for due in dues]) >= USUAL_SHARE
    )
    # An invoice is written long before it is due, so who is missing among the newest left before that.
    lead = max(latest - as_of_day, 0) if owing_is_usual else 0
    chances = []
    for client, has_settled in zip(clients, settled, strict=True):
        if client.newest_due is not None:
            lags = client.newest_due + client.gap <= latest + NEXT_INVOICE_DAYS
            days = as_of_day + lead - client.newest_due if lags else client.gap / 2
            seen = MISSING_INVOICE if lags and fresh_is_usual else 1.0
        elif owing_is_usual and has_settled:
            days, seen = client.gap / 2, 1.0
        else:
            silence = as_of_day - client.last_day
            days = silence + lead
            seen = 0.5 * erfc((silence - client.gap) / client.delay_sd / sqrt(2))
            # Who pays by the quarter owes nothing for most of it.
            seen *= max(MISSING_INVOICE, 1 - usual_gap / client.gap) if owing_is_usual else 1.0
        stayed = exp(-loss * max(days, 0.0) / DAYS_PER_MONTH)
        chances.append(stayed * seen / (stayed * seen + 1 - stayed) if stayed < 1.0 else 1.0)
    return np.array(chances)
