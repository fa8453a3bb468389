"""Recording the lines of a bulk request, one transaction after the other, in the order of the lines."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from ledger.domain.outcome import DUPLICATE, RECORDED, Outcome
from ledger.metrics import EVENTS_INGESTED
from ledger.services.alongside import Turn
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


@dataclass(frozen=True, slots=True)
class _Written:
    """All rows are recorded.

    Attributes:
        before: position before the first.
    """

    before: int


@dataclass(frozen=True, slots=True)
class _Unrecorded:
    """Nothing was written.

    Attributes:
        ordinals: of the rows that are not recorded already, ascending.
    """

    ordinals: list[int]


class _LetGo(Exception):
    """The batch before has to begin again, and may need what this one has locked."""


class ArrivalRecorder:
    """Records arrivals of one request.

    While all events are new they are written at once, without a look at each. From a batch that meets a repeat on,
    those that are recorded already are found first, and what is left is recorded event by event; until a batch is
    all new again.
    """

    def __init__(self, *, company_id: int, base_currency: str, actor: str, now: datetime) -> None:
        self._company_id = company_id
        self._base_currency = base_currency
        self._actor = actor
        self._now = now
        self._expects_new = True

    def record(self, arrivals: Arrivals, turn: Turn | None = None) -> list[Outcome] | None:
        """Record a batch in one transaction; return the outcome of each place, None when all are recorded.

        A repeat that was found with all others comes without the time of its event.

        Args:
            turn: among the batches that are recorded at once: the objects of one are inserted while the events of
                the one before are.

        Raises:
            Abandoned: the batch before could not be recorded.
            OperationalError: the database refused six times.
        """
        if not arrivals.lines:
            return []
        turn = turn or Turn()
        make_missing_months(arrivals.months)
        while True:
            try:
                found = try_again(lambda: self._attempt(arrivals, turn))
            except _LetGo:
                turn.stumbles()  # for the batch after this one, too
                turn.await_end()
            else:
                break
        count = len(arrivals.lines)
        if isinstance(found, _Written):
            EVENTS_INGESTED.labels(status=RECORDED).inc(count)
            announce_advance(company_id=self._company_id, position=found.before + count)
            return None
        EVENTS_INGESTED.labels(status=DUPLICATE).inc(count - len(found.ordinals))
        outcomes = [Outcome(DUPLICATE, event_id, None) for event_id in arrivals.event_ids]
        if found.ordinals:
            turn.await_end()
            self._record_strictly(arrivals, found.ordinals, outcomes)
        return outcomes

    def _record_strictly(self, arrivals: Arrivals, ordinals: list[int], outcomes: list[Outcome]) -> None:
        recorded = record(
            company_id=self._company_id,
            drafts=strict_drafts([arrivals.lines[ordinal] for ordinal in ordinals], now=self._now),
            actor=self._actor,
            now=self._now,
        )
        for ordinal, outcome in zip(ordinals, recorded, strict=True):
            outcomes[ordinal] = outcome

    def _attempt(self, arrivals: Arrivals, turn: Turn) -> _Written | _Unrecorded:
        """Write all rows when all are new; else write nothing and tell which are not recorded already."""
        if turn.stumbled:
            turn.await_end()
        within_another = connection.in_atomic_block
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_STAGE)
                if within_another:  # by an earlier batch: there was no commit to remove its rows
                    cursor.execute("TRUNCATE ledger_arrivals")
                with cursor.copy("COPY ledger_arrivals FROM STDIN") as copy:
                    copy.write("".join(arrivals.copied))
                turn.waits()
                found = self._write_or_tell(cursor, len(arrivals.lines), turn)
                if within_another:  # what a commit would look at is looked at now
                    cursor.execute("SET CONSTRAINTS closed_months_stay_closed IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS closed_months_stay_closed DEFERRED")
                return found
        except DatabaseError as error:
            turn.stumbles()
            if getattr(error.__cause__, "sqlstate", None) in {_UNIQUE_VIOLATION, _BOOKS_CHANGED}:
                return _Unrecorded(list(range(len(arrivals.lines))))
            raise

    def _write_or_tell(self, cursor: Any, count: int, turn: Turn) -> _Written | _Unrecorded:
        expects_new = self._expects_new
        if expects_new:
            before = self._write(cursor, turn)
            if before is not None:
                return _Written(before)
        cursor.execute("SELECT ledger_unrecorded_arrivals(%s)", [self._company_id])
        ((ordinals,),) = cursor.fetchall()
        if len(ordinals) == count and not expects_new:
            before = self._write(cursor, turn)
            if before is not None:
                self._expects_new = True
                return _Written(before)
        self._expects_new = False
        return _Unrecorded(ordinals)

    def _write(self, cursor: Any, turn: Turn) -> int | None:
        """Return the position before the first row; None, and nothing is written, when not all rows are new."""
        turn.await_preparation()
        cursor.execute("SELECT ledger_insert_arrived_objects(%s, %s)", [self._company_id, self._now])
        ((count,),) = cursor.fetchall()
        if count is None:
            return None
        turn.prepared()
        if not turn.comes():
            raise _LetGo
        cursor.execute(
            "SELECT ledger_append_arrivals(%s, %s, %s, %s, %s)",
            [self._company_id, self._base_currency, self._now, self._actor, count],
        )
        ((before,),) = cursor.fetchall()
        return int(before)
