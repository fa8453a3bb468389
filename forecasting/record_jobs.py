"""Keeping the track record, on the `forecast` queue, in turns short enough that publishing hardly waits.

A piece of work is a few runs scored, or one past day looked back from: some 0.05 s. Before its first piece a turn
looks whether a forecast waits, and lets all that do go first. Otherwise it does one piece at least and goes on for
a second while nothing else waits; then the job goes to the end of the queue.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from forecasting.fit.history import MissingInputs
from forecasting.giving_way import GivingWay, Postponed
from forecasting.metrics import RECORD_TURNS
from forecasting.selectors.record_due import companies_to_judge
from forecasting.services.actuals import SETTLE_DAYS
from forecasting.services.track_record import (
    LEAST_SETTLED_DAYS,
    NotEnoughHistory,
    continue_backtest,
    due_backtest,
    recalibrate,
    score_published,
)
from forecasting.wake import open_record_gate, others_wait, record_again, wake, wake_record
from ledger.domain.company import CompanyNotFound, CompanyRef
from ledger.selectors.companies import company_ref

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0
RUNS_PER_PIECE = 4
COMPANIES_PER_SWEEP = 20
_giving_way = GivingWay()


def keep_record(*, company_id: int) -> str:
    """Do one turn of a company's record. Returns what happened, for the log."""
    ends = time.monotonic() + TURN_SECONDS
    try:
        company = company_ref(company_id=company_id)
        is_done = _turn(
            company,
            now=timezone.now(),
            pause=_giving_way.begin_job(),
            goes_on=lambda: time.monotonic() < ends and not others_wait(),
        )
    except Postponed:
        _giving_way.gave_way()
        record_again(company_id=company_id)
        RECORD_TURNS.labels("postponed").inc()
        return "postponed"
    except (MissingInputs, CompanyNotFound, NotEnoughHistory) as missing:
        # The gate stays shut until it opens by itself, so that this is not tried again every minute.
        logger.info("record_refused: company %s: %s", company_id, missing)
        RECORD_TURNS.labels("refused").inc()
        return "refused"
    _giving_way.got_on()
    if not is_done:
        record_again(company_id=company_id)
        RECORD_TURNS.labels("unfinished").inc()
        return "unfinished"
    open_record_gate(company_id=company_id)
    RECORD_TURNS.labels("done").inc()
    return "done"


def sweep_records(*, now: datetime) -> int:
    """Wake some companies whose record is behind; called by the scheduler once a minute.

    Returns:
        How many were found, COMPANIES_PER_SWEEP at most.
    """
    behind = companies_to_judge(
        now=now, settle_days=SETTLE_DAYS, least_days=LEAST_SETTLED_DAYS, most=COMPANIES_PER_SWEEP
    )
    for company_id in behind:
        wake_record(company_id=company_id)
    return len(behind)


def _turn(company: CompanyRef, *, now: datetime, pause: Callable[[], None], goes_on: Callable[[], bool]) -> bool:
    """Score what is due, then the back-test of the month, then what follows from it; whether nothing is left.

    Raises:
        Postponed: by `pause`, before anything was done that lasts.
    """
    pause()
    while score_published(company=company, now=now, most=RUNS_PER_PIECE):
        if not goes_on():
            return False
    pause()
    backtest = due_backtest(company=company, now=now, actor="scheduler")
    if backtest is None:
        return True
    if not continue_backtest(backtest=backtest, company=company, now=now, goes_on=goes_on, pause=pause):
        return False
    recalibrate(company=company, backtest=backtest, now=now)
    # Finds what is published unchanged where the calibration is.
    wake(company_id=company.id)
    return True
