"""Everything three times in random order from 8 clients over HTTP: not one row more, sums equal to the cent."""

import http.client
import json
import random
import threading
from collections import Counter, defaultdict
from decimal import Decimal
from io import StringIO
from urllib.parse import urlsplit

from django.core.management import call_command
from django.db.models import Sum

from ledger.models.event import CapitalEvent
from ledger.services.tokens import create_token
from tests.conftest import LiveApp
from tests.ledger.conftest import NOW, open_company

EVENTS, TIMES, CLIENTS, BATCH = 400, 3, 8, 25


def test_a_replay_from_eight_clients_records_nothing_twice(live_app: LiveApp) -> None:
    company = open_company()
    token = create_token(company_id=company.id, name="feed", scopes=["ingest"], now=NOW)
    events = [
        {
            "source": "card",
            "event_type": "expense" if number % 3 else "income",
            "amount": f"{number % 90 + 1}.{number % 100:02d}",
            "currency": "EUR" if number % 7 == 0 else "USD",
            "occurred_at": f"2026-{number % 5 + 1:02d}-{number % 28 + 1:02d}T12:00:00Z",
            "external_ref": f"txn-{number}" if number % 4 else "",
            # Without a reference the content is the identity; the category is no part of it.
            "counterparty": f"Vendor {number}",
        }
        for number in range(EVENTS)
    ]
    once = {
        event["external_ref"] or json.dumps({**event, "counterparty": ""}): event  # what its identity is made of
        for event in events
    }
    draw = random.Random(3)
    sent = [event for event in events for _ in range(TIMES)]
    draw.shuffle(sent)
    requests = [("/api/v1/events", sent[at : at + 1]) for at in range(200)]
    requests += [("/api/v1/events/bulk", sent[at : at + BATCH]) for at in range(200, len(sent), BATCH)]
    draw.shuffle(requests)
    answers: Counter[str] = Counter()
    failures: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        address = urlsplit(live_app.url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        while True:
            with lock:
                if not requests:
                    return
                path, batch = requests.pop()
            is_bulk = path.endswith("bulk")
            body = "\n".join(map(json.dumps, batch)).encode()
            kind = "application/x-ndjson" if is_bulk else "application/json"
            connection.request(
                "POST", path, body=body, headers={"Authorization": f"Bearer {token}", "Content-Type": kind}
            )
            answer = connection.getresponse()
            said = json.loads(answer.read())
            with lock:
                if answer.status not in {200, 201} or said.get("conflicts") or said.get("rejected"):
                    failures.append(f"{answer.status} {said}")
                answers["recorded"] += said["recorded"] if is_bulk else said["status"] == "recorded"
                answers["duplicates"] += said["duplicates"] if is_bulk else said["status"] == "duplicate"

    clients = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(timeout=120)
    assert failures == []
    assert answers == {"recorded": len(once), "duplicates": len(sent) - len(once)}
    assert CapitalEvent.objects.count() == len(once)
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for event in once.values():
        expected[event["currency"]] += Decimal(event["amount"])
    sums = CapitalEvent.objects.values_list("currency").annotate(total=Sum("amount")).order_by()
    assert dict(sums) == dict(expected)
    call_command("audit_invariants", stdout=StringIO())
