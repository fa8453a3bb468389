"""Work of the `imports` queue: files handed in, deliveries of providers, legs of transfers, rules, the chain."""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django_rq import get_queue
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from ledger.breaker import CircuitBreaker
from ledger.domain.company import CompanyNotFound
from ledger.providers.plaid import plaid_client
from ledger.redis_client import impatient_client
from ledger.selectors.category_rules import companies_to_categorise
from ledger.selectors.chain_verdicts import companies_to_verify
from ledger.services import deliveries
from ledger.services.categorise import apply_rules
from ledger.services.chain_heads.place import PlaceUnusable
from ledger.services.chain_verdicts import verify_and_keep
from ledger.services.import_file import abandoned_imports, run_import
from ledger.services.match import companies_to_match, follow_journal
from ledger.services.plaid_sync import waiting_items, walk

logger = logging.getLogger(__name__)

QUEUE = "imports"
# A failed job keeps its id for so long, and with it keeps the sweeper from trying at once.
FAILED_JOB_SECONDS = 60


# Requests enqueue too: a hanging Redis costs one of them a tenth of a second now and then, and the sweeper finds
# what was not enqueued.
_breaker = CircuitBreaker(rest_seconds=2.0)


def work_on_import(*, file_id: int) -> str:
    """Check or import a file, whichever is its turn. Returns what happened, for the log."""
    return run_import(file_id=file_id, clock=timezone.now)


def wake_import(*, file_id: int, state: str) -> bool:
    """Enqueue work on a file in a state; false when Redis does not answer, and then the sweeper does it later."""
    return _enqueue("ledger.jobs.work_on_import", job_id=f"import-{file_id}-{state}", file_id=file_id)


def match_company(*, company_id: int) -> int | None:
    """Follow a company's journal to its end. Returns the position reached, None when the company is gone."""
    try:
        return follow_journal(company_id=company_id, now=timezone.now())
    except CompanyNotFound:
        return None


def wake_matcher(*, company_id: int) -> bool:
    """Enqueue the matcher for a company unless it waits already; false when Redis does not answer."""
    return _enqueue("ledger.jobs.match_company", job_id=f"match-{company_id}", company_id=company_id)


def sweep_matches(*, now: datetime) -> int:
    """Wake the matcher for every company whose journal is ahead of it; called by the scheduler.

    Returns:
        How many there were.
    """
    behind = companies_to_match(now=now)
    for company_id in behind:
        wake_matcher(company_id=company_id)
    return len(behind)


def categorise_company(*, company_id: int) -> int | None:
    """Apply a company's rules. Returns how many assignments were made, None when the company is gone."""
    try:
        return apply_rules(company_id=company_id, actor="rules", now=timezone.now())
    except CompanyNotFound:
        return None


def wake_categoriser(*, company_id: int) -> bool:
    """Enqueue the run of a company's rules unless it waits already; false when Redis does not answer."""
    return _enqueue("ledger.jobs.categorise_company", job_id=f"categorise-{company_id}", company_id=company_id)


def sweep_categories() -> int:
    """Wake the rules of every company with events they have not seen; called by the scheduler.

    Returns:
        How many there were.
    """
    behind = companies_to_categorise()
    for company_id in behind:
        wake_categoriser(company_id=company_id)
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
        if not _enqueue("ledger.jobs.verify_chain", job_id=f"verify-{company_id}", company_id=company_id):
            break
    return len(due)


def sweep_imports(*, now: datetime) -> int:
    """Wake every file that waits and that nobody is at work on; called by the scheduler.

    Returns:
        How many there were.
    """
    abandoned = abandoned_imports(now=now)
    for file_id, state in abandoned:
        wake_import(file_id=file_id, state=state)
    return len(abandoned)


def work_on_delivery(*, delivery_id: int) -> str:
    """Turn a delivery into events, and read the feeds that it says have news. Returns its state, for the log."""
    state = deliveries.work_on_delivery(delivery_pk=delivery_id, clock=timezone.now)
    for item_number in deliveries.items_to_read(delivery_pk=delivery_id):
        wake_plaid_item(item_number=item_number)
    return state


def wake_delivery(*, delivery_id: int) -> bool:
    """Enqueue work on a delivery; false when Redis does not answer, and then the sweeper does it later."""
    return _enqueue("ledger.jobs.work_on_delivery", job_id=f"delivery-{delivery_id}", delivery_id=delivery_id)


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
    said = walked.restated
    counts = f"{said.recorded} recorded, {said.corrected} corrected, {said.reversed} reversed"
    return f"{walked.status}: {walked.reason or f'{counts}, {len(said.refused)} refused'}"


def wake_plaid_item(*, item_number: int) -> bool:
    """Enqueue a walk, past the commit; false when Redis does not answer, and then the sweeper does it later."""
    return _enqueue("ledger.jobs.read_plaid_item", job_id=f"plaid-{item_number}", item_number=item_number)


def sweep_plaid(*, now: datetime) -> int:
    """Wake every bank that should be read now; called by the scheduler.

    Returns:
        How many there were.
    """
    if not settings.PLAID_CLIENT_ID:
        return 0
    waiting = waiting_items(now=now)
    for item_number in waiting:
        if not wake_plaid_item(item_number=item_number):
            break
    return len(waiting)


def _enqueue(job: str, *, job_id: str, **arguments: object) -> bool:
    """Put a job into the queue unless it waits there already; false when Redis does not answer."""
    if not _breaker.allows():
        return False
    try:
        # commit_mode="auto": callers are past their commit.
        queue = get_queue(QUEUE, connection=impatient_client(settings.REDIS_QUEUE_URL), commit_mode="auto")
        queue.enqueue(job, **arguments, job_id=job_id, unique=True, result_ttl=0, failure_ttl=FAILED_JOB_SECONDS)
    except DuplicateJobError:
        pass
    except (RedisError, OSError) as error:
        _breaker.failed()
        logger.warning("wake_failed: %s: %s", job_id, error)
        return False
    _breaker.succeeded()
    return True
