"""Many events in one HTTP request against what a client reaches with COPY into the database.

Two baselines: a raw COPY into a plain table, and what a careful client would do, a COPY into a staging table plus
INSERT ... ON CONFLICT DO NOTHING into one with the ledger's unique key.

The long stream is a file that is sent as it is read: making a line costs this machine a quarter of what recording
it does, and the bodies of the short requests, which it is compared with, are made before their clock starts too.
Its second and its last tenth say whether it slows down as the ledger grows (buffers take the beginning at once).

Goals: >= 40,000 events/s over HTTP, in short requests and in a long stream, durable and idempotent, and at least
half of the careful client; the server's memory stays flat over a long stream.
"""

import http.client
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

import psutil
import psycopg

from bench.bare_table import BARE_TABLE, INSERT_STAGED, KEYED_TABLE, STAGING_TABLE
from bench.events import event, ndjson, start_of_today
from bench.stack import Stack, running_stack

EVENTS = 60_000
ROUNDS = 5
STREAMED_EVENTS = 2_000_000
# The stream's memory is compared with that of the server after this many of its lines.
WARM_EVENTS = 200_000
LINES_PER_CHUNK = 2_000
CHUNKS_PER_LOOK = 10
MEGABYTE = 1 << 20

GOALS = {
    "bulk_events_per_second": ">= 40000",
    "keyed_copy_over_bulk": "<= 2",
    "streamed_events_per_second": ">= 40000",
    "stream_memory_growth_mb": "<= 30",
}

COLUMNS = (
    "source",
    "event_type",
    "amount",
    "currency",
    "occurred_at",
    "account",
    "category",
    "counterparty",
    "external_ref",
)


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack, stack.connect() as connection:
        connection.execute(BARE_TABLE)
        connection.execute(KEYED_TABLE)
        connection.execute(STAGING_TABLE)
        rounds = []
        for number in range(ROUNDS + 1):
            first = number * EVENTS
            rounds.append(
                (
                    bulk_per_second(stack, first),
                    copy_per_second(connection, first),
                    keyed_copy_per_second(connection, first),
                )
            )
        repeat_per_second = bulk_per_second(stack, 0, expected="duplicates")
        memory = stream(stack, first=(ROUNDS + 1) * EVENTS)
    measured = rounds[1:]  # the first one warms up
    return {
        "events": EVENTS,
        "bulk_events_per_second": median(bulk for bulk, _, _ in measured),
        "raw_copy_rows_per_second": median(copy for _, copy, _ in measured),
        "keyed_copy_rows_per_second": median(keyed for _, _, keyed in measured),
        "copy_over_bulk": median(copy / bulk for bulk, copy, _ in measured),
        "keyed_copy_over_bulk": median(keyed / bulk for bulk, _, keyed in measured),
        "repeated_events_per_second": repeat_per_second,
        **memory,
    }


def median(figures: Iterator[float]) -> float:
    ordered = sorted(figures)
    return ordered[len(ordered) // 2]


def bulk_per_second(stack: Stack, first: int, *, expected: str = "recorded") -> float:
    """Post EVENTS events as one NDJSON body; every one must be `expected`."""
    body = ndjson(first, EVENTS, start=start_of_today())
    begun = time.perf_counter()
    answer = post(stack, body)
    seconds = time.perf_counter() - begun
    if answer.get(expected) != EVENTS:
        raise RuntimeError(f"expected {EVENTS} {expected}, got {json.dumps(answer)[:500]}")
    return EVENTS / seconds


def post(stack: Stack, body: bytes | Iterator[bytes]) -> dict[str, Any]:
    """Send one bulk request, in chunks when the body is an iterator; return its report."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=600)
    headers = {"Authorization": f"Bearer {stack.token}", "Content-Type": "application/x-ndjson"}
    chunked = not isinstance(body, bytes)
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    connection.request("POST", "/api/v1/events/bulk", body=body, headers=headers, encode_chunked=chunked)
    report: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return report


def copy_per_second(connection: psycopg.Connection, first: int) -> float:
    """COPY the same rows into a plain table: no check, no key, no position."""
    rows = events(first)
    begun = time.perf_counter()
    with connection.transaction():
        copy_rows(connection, "bench_bare_event", rows)
    return EVENTS / (time.perf_counter() - begun)


def keyed_copy_per_second(connection: psycopg.Connection, first: int) -> float:
    """COPY the same rows into a staging table, and from there into one with the ledger's unique key."""
    rows = events(first)
    begun = time.perf_counter()
    with connection.transaction():
        copy_rows(connection, "bench_staging", rows)
        inserted = connection.execute(INSERT_STAGED).rowcount
    seconds = time.perf_counter() - begun
    if inserted != EVENTS:
        raise RuntimeError(f"expected {EVENTS} rows, inserted {inserted}")
    return EVENTS / seconds


def events(first: int) -> list[dict[str, str]]:
    start = start_of_today()
    return [event(number, start=start) for number in range(first, first + EVENTS)]


def copy_rows(connection: psycopg.Connection, table: str, rows: list[dict[str, str]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy {table} ({', '.join(COLUMNS)}) from stdin") as copy,
    ):
        for row in rows:
            copy.write_row([row[column] for column in COLUMNS])


def stream(stack: Stack, first: int) -> dict[str, Any]:
    """Send one chunked request of STREAMED_EVENTS lines; the web server's memory is read as it goes."""
    sizes: list[float] = []
    passed: list[float] = []

    def note() -> None:
        passed.append(time.perf_counter())
        if len(passed) % CHUNKS_PER_LOOK == 0:
            sizes.append(web_megabytes(stack))

    with tempfile.TemporaryFile() as lines:
        lengths = write_lines(lines, first)
        begun = time.perf_counter()
        report = post(stack, chunks(lines, lengths, note=note))
        seconds = time.perf_counter() - begun
    if report.get("recorded") != STREAMED_EVENTS:
        raise RuntimeError(f"expected {STREAMED_EVENTS} recorded, got {json.dumps(report)[:500]}")
    tenth = len(passed) // 10
    return {
        "streamed_events": STREAMED_EVENTS,
        "streamed_events_per_second": STREAMED_EVENTS / seconds,
        "stream_second_tenth_per_second": tenth * LINES_PER_CHUNK / (passed[2 * tenth] - passed[tenth]),
        "stream_last_tenth_per_second": tenth * LINES_PER_CHUNK / (passed[-1] - passed[-1 - tenth]),
        "stream_memory_mb": max(sizes),
        "stream_memory_growth_mb": max(sizes) - sizes[WARM_EVENTS // LINES_PER_CHUNK // CHUNKS_PER_LOOK],
    }


def write_lines(file: IO[bytes], first: int) -> list[int]:
    """Write the stream's lines; return the length of each chunk of it."""
    start = start_of_today()
    lengths = [
        file.write(ndjson(number, LINES_PER_CHUNK, start=start) + b"\n")
        for number in range(first, first + STREAMED_EVENTS, LINES_PER_CHUNK)
    ]
    file.seek(0)
    return lengths


def chunks(file: IO[bytes], lengths: list[int], *, note: Callable[[], None]) -> Iterator[bytes]:
    for length in lengths:
        yield file.read(length)
        note()


def web_megabytes(stack: Stack) -> float:
    """Resident memory of the web server and its children."""
    server = psutil.Process(stack.web_pid)
    return sum(process.memory_info().rss for process in [server, *server.children(recursive=True)]) / MEGABYTE
