"""Waking the forecast worker. It may fail silently: the sweepers find every company that was not woken.

300 events a second must not become 300 jobs a second, so a gate in Redis lets one job per company and kind of work
wait at a time (`ledger.gate`). Explanations and track records wait behind the forecasts.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from django.conf import settings
from django_rq import get_queue
from redis.exceptions import RedisError

from forecasting.metrics import WAKES
from ledger import gate
from ledger.breaker import CircuitBreaker
from ledger.redis_client import impatient_client

logger = logging.getLogger(__name__)

QUEUE = "forecast"
JOB = "forecasting.jobs.recompute"
JOB_OF_MANY = "forecasting.jobs.recompute_many"
# rq asks Redis some 27 times for a job, a tenth of a forecast's time. Who waits behind one waits half a second.
COMPANIES_PER_JOB = 10
JOB_SECONDS = 120
EXPLANATION = "explain"
EXPLANATION_JOB = "forecasting.jobs.explain"
RECORD = "record"
RECORD_JOB = "forecasting.record_jobs.keep_record"
# Jobs that give way to forecasts have ids that begin with their kind, so that nobody has to read them.
GIVING_WAY = (f"{EXPLANATION}-", f"{RECORD}-")
_FORECASTS_FIRST = """
    for _ = 1, redis.call('LLEN', KEYS[1]) do
        local first = redis.call('LINDEX', KEYS[1], 0)
        local gives_way = false
        for _, kind in ipairs(ARGV) do
            gives_way = gives_way or string.sub(first, 1, #kind) == kind
        end
        if not gives_way then
            break
        end
        redis.call('LMOVE', KEYS[1], KEYS[1], 'LEFT', 'RIGHT')
    end
"""
# Explanations wait for every forecast before them, and after a failure for a better moment.
EXPLANATION_GATE_SECONDS = 120
EXPLANATION_REST_SECONDS = 300
# Behind a long queue one slice may wait for minutes; a job that is lost is missed for this long.
RECORD_GATE_SECONDS = 900
_breaker = CircuitBreaker(rest_seconds=2.0)


def wake(*, company_id: int) -> bool:
    """Enqueue a recomputation unless one is waiting already. Never raises for Redis, never waits above ~0.2 s.

    Returns:
        Whether a job is now waiting, as far as we know. False when Redis did not answer.
    """
    return _wake(QUEUE, _enqueue, company_id=company_id, seconds=gate.GATE_SECONDS)


def wake_many(company_ids: Sequence[int]) -> None:
    """Enqueue recomputations of companies that fell behind together, several to a job. As `wake`."""
    waiting: list[int] = []
    for company_id in company_ids:
        _wake(QUEUE, waiting.append, company_id=company_id, seconds=gate.GATE_SECONDS)
    for start in range(0, len(waiting), COMPANIES_PER_JOB):
        try:
            _enqueue_many(waiting[start : start + COMPANIES_PER_JOB])
        except (RedisError, OSError) as error:
            # Their gates open by themselves; the next sweep but one finds them.
            _breaker.failed()
            logger.warning("forecast_wake_failed: %s", error)
            return


def wake_explanation(*, company_id: int) -> bool:
    """Enqueue an explanation of the company's forecasts unless one is waiting already. As `wake`."""
    return _wake(EXPLANATION, _enqueue_explanation, company_id=company_id, seconds=EXPLANATION_GATE_SECONDS)


def wake_record(*, company_id: int) -> bool:
    """Enqueue keeping a company's track record unless that is waiting already. As `wake`."""
    return _wake(RECORD, _enqueue_record, company_id=company_id, seconds=RECORD_GATE_SECONDS)


def _wake(work: str, enqueue: Callable[[int], None], *, company_id: int, seconds: int) -> bool:
    if not _breaker.allows():
        WAKES.labels("skipped").inc()
        return False
    try:
        first = gate.shut_gate(_client(), work=work, company_id=company_id, seconds=seconds)
        if first:
            enqueue(company_id)
    except (RedisError, OSError) as error:
        _breaker.failed()
        WAKES.labels("failed").inc()
        logger.warning("forecast_wake_failed: %s", error)
        return False
    _breaker.succeeded()
    WAKES.labels("enqueued" if first else "coalesced").inc()
    return True


def open_gate(*, company_id: int) -> None:
    """Let the next event enqueue again. Called by the job before it reads the journal."""
    _open(QUEUE, company_id)


def open_explanation_gate(*, company_id: int) -> None:
    """Let the next forecast enqueue its explanation. Called by the job before it looks what is unexplained."""
    _open(EXPLANATION, company_id)


def open_record_gate(*, company_id: int) -> None:
    """Let the next sweep enqueue again."""
    _open(RECORD, company_id)


def rest_explanation(*, company_id: int) -> None:
    """Keep the sweeper from trying again at once what has just failed."""
    try:
        gate.hold_gate(_client(), work=EXPLANATION, company_id=company_id, seconds=EXPLANATION_REST_SECONDS)
    except (RedisError, OSError) as error:
        logger.warning("explanation_not_rested: %s", error)


def _open(work: str, company_id: int) -> None:
    try:
        gate.open_gate(_client(), work=work, company_id=company_id)
    except (RedisError, OSError) as error:
        # The gate opens by itself after its time; until then the sweeper wakes.
        logger.warning("%s_gate_left_shut: %s", work, error)


def wake_again(*, company_id: int) -> None:
    """Put a company back at the end of the queue; the gate stays shut, since its job is still waiting."""
    _enqueue(company_id)


def explain_again(*, company_id: int) -> None:
    """Put an explanation back at the end of the queue, unless a newer forecast has enqueued the next meanwhile."""
    if gate.shut_gate(_client(), work=EXPLANATION, company_id=company_id, seconds=EXPLANATION_GATE_SECONDS):
        _enqueue_explanation(company_id)
    let_forecasts_pass()


def record_again(*, company_id: int) -> None:
    """Put the work on a track record behind everything that waits; its gate stays shut."""
    _enqueue_record(company_id)
    let_forecasts_pass()


def let_forecasts_pass() -> None:
    """Move what gives way from before the first forecast that waits to the end of the queue, in its order.

    Otherwise a forecast that comes last waits until each of them has been taken up, and has given way by itself.
    In one step, so that no other worker takes a job in the middle of it.

    Raises:
        RedisError, OSError: Redis does not answer.
    """
    _client().eval(_FORECASTS_FIRST, 1, _queue().key, *GIVING_WAY)


def forecast_waits() -> bool:
    """Whether a forecast waits in the queue, what gives way to it apart, as far as we know."""
    try:
        # All of them: a forecast that was woken last waits behind every explanation. 200 ids take 0.3 ms.
        waiting = _queue().get_job_ids()
    except (RedisError, OSError):
        return False
    return any(not job_id.startswith(GIVING_WAY) for job_id in waiting)


def others_wait() -> bool:
    """Whether any job waits in the queue, as far as we know."""
    try:
        return bool(_queue().count)
    except (RedisError, OSError):
        return False


def _enqueue(company_id: int) -> None:
    # result_ttl=0: the job is gone once done; what it made lies in the database.
    _queue().enqueue(JOB, company_id=company_id, result_ttl=0, failure_ttl=86_400)


def _enqueue_many(company_ids: Sequence[int]) -> None:
    if len(company_ids) == 1:
        _enqueue(company_ids[0])
    else:
        _queue().enqueue(
            JOB_OF_MANY,
            company_ids=list(company_ids),
            job_timeout=JOB_SECONDS * len(company_ids),
            result_ttl=0,
            failure_ttl=86_400,
        )


def _enqueue_explanation(company_id: int) -> None:
    _enqueue_giving_way(EXPLANATION, EXPLANATION_JOB, company_id)


def _enqueue_record(company_id: int) -> None:
    _enqueue_giving_way(RECORD, RECORD_JOB, company_id)


def _enqueue_giving_way(work: str, job: str, company_id: int) -> None:
    _queue().enqueue(
        job,
        company_id=company_id,
        job_id=f"{work}-{company_id}-{uuid4().hex}",
        result_ttl=0,
        failure_ttl=86_400,
    )


def _queue() -> Any:
    # commit_mode="auto": callers are past their commit; django-rq would otherwise hook onto a commit of its own
    # and raise from there when Redis is down.
    return get_queue(QUEUE, connection=_client(), commit_mode="auto")


def _client() -> Any:
    return impatient_client(settings.REDIS_QUEUE_URL)
