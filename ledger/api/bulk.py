"""Recording many events of one request, some thousand at a time, while the rest still arrives."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from ledger.api.bulk_items import TOO_LONG, array_slices, array_values, line_batches, not_json
from ledger.api.bulk_report import BulkReport
from ledger.domain.event import EventDraft, parse_event
from ledger.domain.outcome import Outcome
from ledger.domain.problems import InvalidEvent
from ledger.domain.token import TokenIdentity
from ledger.selectors.books import Books, read_books
from ledger.services.alongside import Alongside, Turn
from ledger.services.arrivals import Arrivals, LineReader
from ledger.services.record import record
from ledger.services.record_arrivals import ArrivalRecorder

# One transaction each: what arrived before a broken connection stays recorded, and sending all again is harmless.
ITEMS_PER_TRANSACTION = 5000
BYTES_PER_TRANSACTION = 8 * 1024 * 1024
# The database has nothing to do until the first ones are read.
FIRST_ITEMS = 1000


def record_lines(
    chunks: Iterable[bytes], *, identity: TokenIdentity, now: datetime, with_results: bool
) -> BulkReport:
    """Record the lines of NDJSON as they come and return the report; one batch is read while others are written.

    Raises:
        Problem: 400 when not a single line is JSON; nothing was recorded then.
    """
    report = BulkReport(with_results)
    books = read_books(company_id=identity.company_id)
    reader = LineReader(company_id=identity.company_id, books=books, now=now)

    def arriving() -> Iterator[tuple[Arrivals, bool]]:
        for batch in line_batches(
            chunks,
            most_lines=ITEMS_PER_TRANSACTION,
            most_bytes=BYTES_PER_TRANSACTION,
            first_lines=FIRST_ITEMS,
        ):
            report.read += len(batch.lines)
            yield reader.read(batch.lines, too_long=TOO_LONG), batch.is_last

    _record(arriving(), report, identity=identity, books=books, now=now)
    return _checked(report)


def record_array(body: bytes, *, identity: TokenIdentity, now: datetime, with_results: bool) -> BulkReport:
    """Record the items of a JSON array and return the report; nothing is recorded unless all of it is JSON.

    Raises:
        Problem: 400 when the body is not JSON as a whole, not an array, or empty.
    """
    items = array_slices(body)
    if items is not None:
        books = read_books(company_id=identity.company_id)
        reader = LineReader(company_id=identity.company_id, books=books, now=now)
        read = [reader.read(batch, too_long="") for batch in batched(enumerate(items), ITEMS_PER_TRANSACTION)]
        if sum(arrivals.parseable for arrivals in read) == len(items):
            report = BulkReport(with_results, read=len(items))
            numbered = enumerate(read, start=1)
            arriving = ((arrivals, number == len(read)) for number, arrivals in numbered)
            _record(arriving, report, identity=identity, books=books, now=now)
            return _checked(report)
    # Not plainly an array of JSON: say what is wrong with it, or take it as strictly as it comes.
    return record_values(array_values(body), identity=identity, now=now, with_results=with_results)


def _record(
    arriving: Iterable[tuple[Arrivals, bool]],
    report: BulkReport,
    *,
    identity: TokenIdentity,
    books: Books,
    now: datetime,
) -> None:
    """Record batches, each with whether it is the last, and note what becomes of them."""
    recorder = ArrivalRecorder(
        company_id=identity.company_id, base_currency=books.base_currency, actor=identity.actor, now=now
    )

    def write(arrivals: Arrivals, turn: Turn) -> tuple[Arrivals, list[Outcome] | None]:
        return arrivals, recorder.record(arrivals, turn)

    with Alongside(write) as writing:
        for arrivals, is_last in arriving:
            for written, outcomes in writing.hand_over(arrivals, is_last=is_last):
                _note(report, written, outcomes)


def _note(report: BulkReport, arrivals: Arrivals, outcomes: list[Outcome] | None) -> None:
    report.parseable += arrivals.parseable
    for index, problems in arrivals.rejected:
        report.reject(index, problems)
    if outcomes is None:
        report.add_recorded(arrivals.places, arrivals.event_ids)
        return
    for index, outcome in zip(arrivals.places, outcomes, strict=True):
        report.add(index, outcome)


def record_values(
    values: Sequence[Any], *, identity: TokenIdentity, now: datetime, with_results: bool
) -> BulkReport:
    """Record the items of a JSON array, read strictly, and return the report.

    Args:
        values: as `strict_json.parse_json` returns them.

    Raises:
        Problem: 400 when there is none.
    """
    report = BulkReport(with_results, read=len(values), parseable=len(values))
    for batch in batched(enumerate(values), ITEMS_PER_TRANSACTION):
        drafts, places = _drafts(batch, report, now)
        outcomes = record(company_id=identity.company_id, drafts=drafts, actor=identity.actor, now=now)
        for index, outcome in zip(places, outcomes, strict=True):
            report.add(index, outcome)
    return _checked(report)


def _drafts(
    items: Iterable[tuple[int, Any]], report: BulkReport, now: datetime
) -> tuple[list[EventDraft], list[int]]:
    drafts: list[EventDraft] = []
    places: list[int] = []
    for index, value in items:
        try:
            drafts.append(parse_event(value, now=now))
        except InvalidEvent as error:
            report.reject(index, error.errors)
        else:
            places.append(index)
    return drafts, places


def _checked(report: BulkReport) -> BulkReport:
    if report.parseable == 0:
        first = report.rejected[0]["message"] if report.rejected else "is empty"
        raise not_json(first)
    return report
