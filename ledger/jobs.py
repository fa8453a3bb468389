"""Work of the `imports` queue: check and import the files that people hand in, and match the legs of transfers."""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django_rq import get_queue
from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from ledger.domain.company import CompanyNotFound
from ledger.selectors.category_rules import companies_to_categorise
from ledger.services.categorise import apply_rules
from ledger.services.import_file import abandoned_imports, run_import
from ledger.services.match import companies_to_match, follow_journal

logger = logging.getLogger(__name__)

QUEUE = "imports"
# A request waits for the queue no longer than this; the sweeper finds the file anyway.
REDIS_TIMEOUT_SECONDS = 1.0
# A failed job keeps its id for so long, and with it keeps the sweeper from trying at once.
FAILED_JOB_SECONDS = 60


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


def _enqueue(job: str, *, job_id: str, **arguments: int) -> bool:
    """Enqueue a job unless the same one waits; false when Redis does not answer."""
    try:
        connection = Redis.from_url(
            settings.REDIS_QUEUE_URL,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
        )
        # commit_mode="auto": callers are past their commit.
        queue = get_queue(QUEUE, connection=connection, commit_mode="auto")
        queue.enqueue(job, **arguments, job_id=job_id, unique=True, result_ttl=0, failure_ttl=FAILED_JOB_SECONDS)
    except DuplicateJobError:
        return True
    except (RedisError, OSError) as error:
        logger.warning("wake_failed: %s: %s", job_id, error)
        return False
    return True


def sweep_imports(*, now: datetime) -> int:
    """Wake every file that waits and that nobody is at work on; called by the scheduler.

    Returns:
        How many there were.
    """
    abandoned = abandoned_imports(now=now)
    for file_id, state in abandoned:
        wake_import(file_id=file_id, state=state)
    return len(abandoned)
