"""Events for measurements: all different, shaped like a card feed."""

import json
from datetime import UTC, datetime, timedelta


def event(number: int, *, start: datetime) -> dict[str, str]:
    """Event number `number`: unique by its external_ref, spread over the 60 days before `start`."""
    return {
        "source": "card",
        "event_type": "expense" if number % 5 else "income",
        "amount": f"{number % 9_000 + 1}.{number % 100:02d}",
        "currency": "EUR" if number % 10 == 0 else "USD",
        "occurred_at": (start - timedelta(seconds=number * 37 % 5_184_000)).isoformat(),
        "account": "bank",
        "category": "saas",
        "counterparty": f"Vendor {number % 300:03d}",
        "external_ref": f"bench-{number:09d}",
    }


def start_of_today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def ndjson(first: int, count: int, *, start: datetime) -> bytes:
    """`count` events as newline-delimited JSON."""
    return b"\n".join(json.dumps(event(number, start=start)).encode() for number in range(first, first + count))
