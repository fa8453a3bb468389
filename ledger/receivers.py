"""What wakes the books. A receiver only enqueues: whether there is something to do is decided by the job."""

from typing import Any

from django.dispatch import receiver

from ledger.jobs import wake_books
from ledger.signals import journal_advanced


@receiver(journal_advanced, dispatch_uid="ledger.journal_advanced")
def wake_on_journal_advanced(*, company_id: int, **_: Any) -> None:
    wake_books(company_id=company_id)
