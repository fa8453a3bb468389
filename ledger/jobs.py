"""Work of the queues `imports` (files, deliveries, the chain) and `books` (legs of transfers, rules)."""

import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_rq import get_queue
from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from ledger.breaker import CircuitBreaker
from ledger.domain.company import CompanyNotFound
from ledger.gate import open_gate, shut_gate
from ledger.providers.plaid import plaid_client
from ledger.redis_client import impatient_client
from ledger.selectors.category_rules import companies_to_categorise
from ledger.selectors.chain_verdicts import companies_to_verify
from ledger.services import deliveries, plaid_queue
from ledger.services.categorise import apply_rules
from ledger.services.chain_heads.place import PlaceUnusable
from ledger.services.chain_verdicts import verify_and_keep
from ledger.services.import_file import abandoned_imports, job_name, run_import
from ledger.services.match import companies_to_match, follow_journal
from ledger.services.plaid_sync import walk

logger = logging.getLogger(__name__)

QUEUE = "imports"
# Apart from the imports, so that a long file keeps no match waiting (ADR 0085).
BOOKS_QUEUE = "books"
KEEP_BOOKS = "ledger.jobs.keep_books"
# Events that come without a pause leave the processor to those who record them.
PACE_SECONDS = 1.0
SLICE_SECONDS = 0.05
# A failed job keeps its id for so long, and with it keeps the sweeper from trying at once.
FAILED_JOB_SECONDS = 60


# Requests enqueue too: a hanging Redis costs one of them a tenth of a second now and then, and the sweeper finds
# what was not enqueued.
_breaker = CircuitBreaker(rest_seconds=2.0)
# When this worker looked at a company last, in monotonic seconds.
_last_kept: dict[int, float] = {}


def work_on_import(*, file_id: int) -> str:
    """Check or import a file, whichever is its turn. Returns what happened, for the log."""
    return run_import(file_id=file_id, clock=timezone.now)


def wake_import(*, file_id: int) -> bool:
    """Enqueue work on a file; false when Redis does not answer, and then the sweeper does it later."""
    return _enqueue("ledger.jobs.work_on_import", job_id=job_name(file_id=file_id), file_id=file_id)


def keep_books(*, company_id: int) -> str:
    """Follow a company's journal to its end: legs of transfers, twins, rules. Returns what happened, for the log.

    A company whose events come without a pause is looked at once in PACE_SECONDS, and lets others go first.
    """
    if not _paced(company_id):
        _put(BOOKS_QUEUE, KEEP_BOOKS, company_id=company_id)
        return "paced"
    try:
        open_gate(_client(), work=BOOKS_QUEUE, company_id=company_id)
    except (RedisError, OSError) as error:
        # The gate opens by itself; until then the sweeper wakes.
        logger.warning("books_gate_left_shut: %s", error)
    _last_kept[company_id] = time.monotonic()
    now = timezone.now()
    try:
        position = follow_journal(company_id=company_id, now=now)
        assigned = apply_rules(company_id=company_id, actor="rules", now=now)
    except CompanyNotFound:
        return "gone"
    return f"followed to {position}, {assigned} assigned"


def _paced(company_id: int) -> bool:
    """Wait until a company may be looked at again; False when the job of another should go first."""
    due = _last_kept.get(company_id, -PACE_SECONDS) + PACE_SECONDS
    while (left := due - time.monotonic()) > 0:
        time.sleep(min(SLICE_SECONDS, left))
        if _others_wait():
            return due <= time.monotonic()
    return True


def _others_wait() -> bool:
    try:
        return bool(get_queue(BOOKS_QUEUE, connection=_client()).count)
    except (RedisError, OSError):
        return False


def wake_books(*, company_id: int) -> bool:
    """Enqueue the following of a company's journal unless it waits already; false when Redis does not answer."""

    def enqueue() -> None:
        if shut_gate(_client(), work=BOOKS_QUEUE, company_id=company_id):
            _put(BOOKS_QUEUE, KEEP_BOOKS, company_id=company_id)

    return _guarded(f"books-{company_id}", enqueue)


def sweep_books(*, now: datetime) -> int:
    """Wake the books of every company with events that matcher or rules have not seen; called by the scheduler.

    Returns:
        How many there were.
    """
    behind = {*companies_to_match(now=now), *companies_to_categorise()}
    for company_id in sorted(behind):
        if not wake_books(company_id=company_id):
            # Redis is away; the next round finds them all again.
            break
    return len(behind)


def verify_chain(*, company_id: int) -> str:
    """Hold a company's journal against its chain and keep the verdict. Returns what was found, for the log."""
    try:
        found = verify_and_keep(company_id=company_id, now=timezone.now())
    except CompanyNotFound:
        return "gone"
    except PlaceUnusable as error:
        # The verdict before stays and grows old, which whoever relies on it sees.
        logger.error("chain_not_verified: company %s: %s", company_id, error)
        return "heads unusable"
    broken = found.verdict.broken
    return f"{found.verdict.rows} rows fit" if broken is None else f"broken at {broken.position}: {broken.detail}"


def sweep_chains(*, now: datetime) -> int:
    """Enqueue the verification of every chain that was not looked at for long; called by the scheduler.

    Returns:
        How many there were.
    """
    due = companies_to_verify(now=now)
    for company_id in due:
        # The hour is part of the name: the job of a worker that was killed stands for its whole time.
        job_id = f"verify-{company_id}-{now:%Y%m%d%H}"
        if not _enqueue("ledger.jobs.verify_chain", job_id=job_id, company_id=company_id):
            break
    return len(due)


def sweep_imports(*, now: datetime) -> int:
    """Wake every file that waits and that nobody is at work on; called by the scheduler.

    Returns:
        How many there were.
    """
    abandoned = abandoned_imports(now=now)
    for file_id in abandoned:
        wake_import(file_id=file_id)
    return len(abandoned)


def work_on_delivery(*, delivery_id: int) -> str:
    """Turn a delivery into events, and read the feeds that it says have news. Returns its state, for the log."""
    state = deliveries.work_on_delivery(delivery_pk=delivery_id, clock=timezone.now)
    for item_number in deliveries.items_to_read(delivery_pk=delivery_id):
        wake_plaid_item(item_number=item_number)
    return state


def wake_delivery(*, delivery_id: int) -> bool:
    """Enqueue work on a delivery; false when Redis does not answer, and then the sweeper does it later."""
    job_id = deliveries.job_name(delivery_pk=delivery_id)
    return _enqueue("ledger.jobs.work_on_delivery", job_id=job_id, delivery_id=delivery_id)


def sweep_deliveries(*, now: datetime) -> int:
    """Wake every delivery that is due and that nobody is at work on; called by the scheduler.

    Returns:
        How many there were.
    """
    waiting = deliveries.waiting_deliveries(now=now)
    for delivery_id in waiting:
        if not wake_delivery(delivery_id=delivery_id):
            # Redis is away; the next round finds them all again.
            break
    return len(waiting)


def read_plaid_item(*, item_number: int) -> str:
    """Read what a bank has to tell through Plaid. Returns what happened, for the log."""
    walked = walk(item_number=item_number, client=plaid_client(), clock=timezone.now)
    counts = ", ".join(f"{count} {fate}" for fate, count in sorted(walked.outcome.counts().items()))
    return f"{walked.status}: {walked.reason or counts or 'no news'}"


def wake_plaid_item(*, item_number: int) -> bool:
    """Enqueue a walk, past the commit; false when Redis does not answer, and then the sweeper does it later."""
    job_id = plaid_queue.job_name(item_number=item_number)
    return _enqueue("ledger.jobs.read_plaid_item", job_id=job_id, item_number=item_number)


def sweep_plaid(*, now: datetime) -> int:
    """Wake every bank that should be read now; called by the scheduler.

    Returns:
        How many there were.
    """
    if not settings.PLAID_CLIENT_ID:
        return 0
    waiting = plaid_queue.waiting_items(now=now)
    for item_number in waiting:
        if not wake_plaid_item(item_number=item_number):
            break
    return len(waiting)


def _enqueue(job: str, *, job_id: str, **arguments: object) -> bool:
    """Put a job into the imports queue unless it waits there already; false when Redis does not answer.

    Args:
        job_id: another one once a worker that began on the same was killed. Queues take a job for running until
            all the time that it may take is over, and until then take no other one of its name.
    """

    def enqueue() -> None:
        with contextlib.suppress(DuplicateJobError):
            _put(QUEUE, job, **arguments, job_id=job_id, unique=True)

    return _guarded(job_id, enqueue)


def _guarded(name: str, enqueue: Callable[[], None]) -> bool:
    if not _breaker.allows():
        return False
    try:
        enqueue()
    except (RedisError, OSError) as error:
        _breaker.failed()
        logger.warning("wake_failed: %s: %s", name, error)
        return False
    _breaker.succeeded()
    return True


def _put(queue: str, job: str, **arguments: Any) -> None:
    # commit_mode="auto": callers are past their commit. A job is gone once done; its work lies in the database.
    get_queue(queue, connection=_client(), commit_mode="auto").enqueue(
        job, **arguments, result_ttl=0, failure_ttl=FAILED_JOB_SECONDS
    )


def _client() -> Redis:
    return impatient_client(settings.REDIS_QUEUE_URL)
