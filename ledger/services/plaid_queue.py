"""Which banks wait to be read through Plaid, and which have fallen silent."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from ledger.models.plaid import PlaidItem

# A walk takes seconds; whoever holds an item for this long is taken for dead.
LEASE = timedelta(minutes=15)
# Webhooks may be lost: look at least this often.
LONGEST_SILENCE = timedelta(hours=12)
MAX_SWEPT = 100


def request_sync(*, company_id: int, item_id: str, complete: bool, now: datetime) -> int | None:
    """Note that there is something to read; return the item's number for the job, None for a stranger's item."""
    items = PlaidItem.objects.filter(company_id=company_id, item_id=item_id)
    # The latest wish stands: a walk that began before it may not have seen what it announced.
    items.update(wanted_at=now)
    if complete:
        items.update(history_complete=True)
    return items.values_list("id", flat=True).first()


def note_trouble(*, company_id: int, item_id: str, silent: bool, reason: str) -> bool:
    """Keep why a feed fell silent, or will; false for a stranger's item."""
    items = PlaidItem.objects.filter(company_id=company_id, item_id=item_id)
    if silent:
        return bool(items.update(silent=True, trouble=reason[:255]))
    # A warning does not end a silence.
    items.filter(silent=False).update(trouble=reason[:255])
    return items.exists()


def note_repair(*, company_id: int, item_id: str, now: datetime) -> int | None:
    """Let a feed speak again and read what happened meanwhile; None for a stranger's item."""
    PlaidItem.objects.filter(company_id=company_id, item_id=item_id).update(
        silent=False, trouble="", failures=0, retry_at=None
    )
    return request_sync(company_id=company_id, item_id=item_id, complete=False, now=now)


def waiting_items(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the items that should be read now and that nobody is reading, longest waiting first."""
    overdue = Q(silent=False) & (Q(synced_at__lt=now - LONGEST_SILENCE) | Q(synced_at=None))
    due = Q(wanted_at__isnull=False) | overdue
    return tuple(claimable(now).filter(due).order_by("wanted_at", "id").values_list("id", flat=True)[:MAX_SWEPT])


def job_name(*, item_number: int) -> str:
    """Return the name of the next walk's job, the same for everybody who asks for it until a worker begins."""
    moments = PlaidItem.objects.filter(id=item_number).values_list("claimed_at", "synced_at", "failures").first()
    if moments is None:
        return f"plaid-{item_number}"
    *times, failures = moments
    # Whatever ends a walk changes it too, so that the name of one that was killed never comes back.
    told = "-".join(f"{moment:%Y%m%d%H%M%S%f}" if moment else "never" for moment in times)
    return f"plaid-{item_number}-{told}-{failures}"


def wanted_items(*, company_id: int) -> tuple[int, ...]:
    """Numbers of a company's items that wait to be read."""
    waiting = PlaidItem.objects.filter(company_id=company_id, wanted_at__isnull=False)
    return tuple(waiting.order_by("wanted_at", "id").values_list("id", flat=True)[:MAX_SWEPT])


def claimable(now: datetime) -> QuerySet[PlaidItem]:
    """Items that nobody reads, and that need not be left alone for a while yet."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    return PlaidItem.objects.filter(free, Q(retry_at=None) | Q(retry_at__lte=now))
