"""Recording the lines of a bulk request, one transaction after the other, in the order of the lines."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import DatabaseError, connection, transaction

from ledger.domain.outcome import RECORDED, Outcome
from ledger.metrics import EVENTS_INGESTED
from ledger.services.announce import announce_advance
from ledger.services.arrivals import Arrivals, strict_drafts
from ledger.services.partitions import make_missing_months
from ledger.services.record import record
from ledger.services.transient import try_again

# The journal's own types, so that COPY says it all and nothing is converted afterwards; else as `ledger_draft`.
_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS ledger_arrivals (
        ordinal integer, event_id bytea, account_id bigint, source varchar(64), event_type varchar(10),
        direction varchar(3), amount numeric(20, 6), currency varchar(3), occurred_at timestamptz,
        category varchar(255), counterparty varchar(255), external_ref varchar(255), metadata jsonb,
        base_amount numeric(20, 6), fx_rate numeric(24, 12), fx_source varchar(32), fx_at timestamptz,
        revision integer, now_assumed boolean
    ) ON COMMIT DELETE ROWS
"""
_UNIQUE_VIOLATION, _BOOKS_CHANGED = "23505", "40001"


class ArrivalRecorder:
    """Records arrivals of one request.

    While all events are new they are written at once, without a look at each; a batch that meets a repeat is
    recorded event by event, and so is the next one, until a batch is all new again.
    """

    def __init__(self, *, company_id: int, base_currency: str, actor: str, now: datetime) -> None:
        self._company_id = company_id
        self._base_currency = base_currency
        self._actor = actor
        self._now = now
        self._expects_new = True

    def record(self, arrivals: Arrivals, waits: Callable[[], None] = lambda: None) -> list[Outcome] | None:
        """Record a batch in one transaction; return the outcome of each place, None when all are recorded.

        Args:
            waits: called when nothing is left to do but wait for the database.
        """
        if not arrivals.lines:
            return []
        if self._expects_new and self._write_new(arrivals, waits):
            return None
        outcomes = record(
            company_id=self._company_id,
            drafts=strict_drafts(arrivals.lines, now=self._now),
            actor=self._actor,
            now=self._now,
        )
        self._expects_new = all(outcome.status == RECORDED for outcome in outcomes)
        return list(outcomes)

    def _write_new(self, arrivals: Arrivals, waits: Callable[[], None]) -> bool:
        make_missing_months(arrivals.months)
        before = try_again(lambda: self._attempt(arrivals.copied, waits))
        if before is None:
            return False
        count = len(arrivals.copied)
        EVENTS_INGESTED.labels(status=RECORDED).inc(count)
        announce_advance(company_id=self._company_id, position=before + count)
        return True

    def _attempt(self, copied: Iterable[str], waits: Callable[[], None]) -> int | None:
        """Return the position before the first row; None, and nothing is written, when not all rows are new."""
        left_over = connection.in_atomic_block
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_STAGE)
                if left_over:  # by an earlier batch: there was no commit to remove its rows
                    cursor.execute("TRUNCATE ledger_arrivals")
                with cursor.copy("COPY ledger_arrivals FROM STDIN") as copy:
                    copy.write("".join(copied))
                waits()
                cursor.execute(
                    "SELECT ledger_record_new(%s, %s, %s, %s)",
                    [self._company_id, self._base_currency, self._now, self._actor],
                )
                ((before,),) = cursor.fetchall()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) in {_UNIQUE_VIOLATION, _BOOKS_CHANGED}:
                return None
            raise
        return int(before)
