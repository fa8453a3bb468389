"""Everything three times in random order from 8 clients: not one row more, sums equal to the cent.

A tenth of the requests are single events, the others batches; every event is sent three times, by whichever client
draws it.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from decimal import Decimal
from typing import Any

from bench.events import event, start_of_today
from bench.stack import Stack, manage, running_stack

EVENTS = 12_000
TIMES = 3
CLIENTS = 8
BATCH = 200
SINGLES = 1_200

GOALS = {"rows_too_many": "<= 0", "difference_of_sums": "<= 0"}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    with running_stack() as stack:
        return replay(stack)


def replay(stack: Stack) -> dict[str, Any]:
    start = start_of_today()
    events = [event(number, start=start) for number in range(EVENTS)]
    requests = _requests(events)
    answers: Counter[str] = Counter()
    lock = threading.Lock()
    begun = time.perf_counter()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=120)
        while True:
            with lock:
                if not requests:
                    return
                path, body = requests.pop()
            said = post(connection, path, body, token=stack.token)
            with lock:
                answers.update(said)

    clients = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds = time.perf_counter() - begun
    with stack.connect() as connection:
        rows = connection.execute("select count(*), count(distinct event_id) from ledger_capitalevent").fetchone()
        sums = dict(
            connection.execute(
                "select currency, sum(amount) from ledger_capitalevent group by currency"
            ).fetchall()
        )
    assert rows is not None
    expected: dict[str, Decimal] = {}
    for sent in events:
        expected[sent["currency"]] = expected.get(sent["currency"], Decimal()) + Decimal(sent["amount"])
    manage(stack.env, "audit_invariants")
    return {
        "events": EVENTS,
        "sent": EVENTS * TIMES,
        "recorded": answers["recorded"],
        "duplicates": answers["duplicates"],
        "rows_too_many": abs(rows[0] - EVENTS) + abs(rows[1] - EVENTS),
        "difference_of_sums": float(sum(abs(expected[code] - sums.get(code, 0)) for code in expected)),
        "events_per_second": EVENTS * TIMES / seconds,
    }


def post(connection: http.client.HTTPConnection, path: str, body: bytes, *, token: str) -> Counter[str]:
    """Post events and return how many were recorded and how many were duplicates."""
    kind = "application/x-ndjson" if path.endswith("bulk") else "application/json"
    connection.request("POST", path, body=body, headers={"Authorization": f"Bearer {token}", "Content-Type": kind})
    answer = connection.getresponse()
    said = json.loads(answer.read())
    if answer.status not in {200, 201} or said.get("conflicts") or said.get("rejected"):
        raise RuntimeError(f"{path} answered {answer.status}: {json.dumps(said)[:500]}")
    if kind == "application/json":
        return Counter(
            {"recorded": int(said["status"] == "recorded"), "duplicates": int(said["status"] == "duplicate")}
        )
    return Counter({"recorded": said["recorded"], "duplicates": said["duplicates"]})


def _requests(events: list[dict[str, str]]) -> list[tuple[str, bytes]]:
    """Every event TIMES times, shuffled, as single requests and as batches."""
    draw = random.Random(7)
    sent = [one for one in events for _ in range(TIMES)]
    draw.shuffle(sent)
    requests = [("/api/v1/events", json.dumps(one).encode()) for one in sent[:SINGLES]]
    for first in range(SINGLES, len(sent), BATCH):
        body = b"\n".join(json.dumps(one).encode() for one in sent[first : first + BATCH])
        requests.append(("/api/v1/events/bulk", body))
    draw.shuffle(requests)
    return requests
