"""The whole river over HTTP: events in, journal, forecast, page, scaling plan. Every server and worker is real."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from capstack.demo.cloud import seed_groups
from capstack.supervision.program import RunningProgram
from ledger.services.companies import create_company
from ledger.services.tokens import create_token
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.conftest import LiveApp

PATIENCE_SECONDS = 60.0


@pytest.fixture
def cloud(aws: RecordingProxy, monkeypatch: pytest.MonkeyPatch) -> RecordingProxy:
    """Give three groups; processes started after this one look for them here."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    seed_groups(endpoint=aws.url, region="us-east-1")
    aws.actions.clear()
    return aws


class Caller:
    """A machine with a token."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        try:
            with urlopen(Request(self.url + path, data, headers, method=method), timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as refusal:
            return refusal.code, json.loads(refusal.read())

    def until(self, path: str, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask until the answer is as it should be."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            _, answer = self("GET", path)
            if met(answer):
                return answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)


def history(today: datetime) -> Iterator[dict[str, str]]:
    """150 days: 500 a day comes in, 28,000 of payroll every 14 days and 6,000 of rent every 30 go out."""
    for ago in range(150, 0, -1):
        day = (today - timedelta(days=ago)).replace(hour=10).isoformat()
        rows = [("income", "500.00", "revenue", "Stripe")]
        if ago % 14 == 1:
            rows.append(("expense", "28000.00", "payroll", "Gusto"))
        if ago % 30 == 5:
            rows.append(("expense", "6000.00", "rent", "Landlord"))
        for event_type, amount, category, counterparty in rows:
            yield {
                "source": "feed",
                "event_type": event_type,
                "amount": amount,
                "currency": "USD",
                "occurred_at": day,
                "category": category,
                "counterparty": counterparty,
                "external_ref": f"{category}-{ago}",
            }


def test_an_event_moves_the_runway_and_the_scaling_plan(
    cloud: RecordingProxy, live_app: LiveApp, start_worker: Callable[[str], RunningProgram]
) -> None:
    now = datetime.now(UTC)
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=now)
    scopes = ["ingest", "read", "policy"]
    call = Caller(live_app.url, create_token(company_id=company.id, name="feed", scopes=scopes, now=now))
    start_worker("forecast")
    start_worker("scaling")

    lines = [json.dumps(event) for event in history(now)]
    status, report = call("POST", "/api/v1/events/bulk", "\n".join(lines).encode())
    assert (status, report["recorded"], report["rejected"]) == (200, len(lines), [])
    yesterday = (now - timedelta(days=1)).date().isoformat()
    plan = {"company": "acme", "as_of": yesterday, "opening_balance": {"USD": "260000.00"}}
    assert call("PUT", "/api/v1/plan", plan)[0] in {200, 201}

    before = call.until("/api/v1/runway?basis=bank", lambda answer: answer.get("balance") == "260000.00")
    # 1,700 a day from 260,000 last 153 days, give or take one payroll.
    assert 153 - 14 <= before["p50_days"] <= 153 + 14
    calm = call.until("/api/v1/policy/plans", lambda answer: bool(answer.get("plans")))["plans"][0]
    assert calm["band"] == "above the ladder"

    expense = {
        "source": "feed",
        "event_type": "expense",
        "amount": "180000.00",
        "currency": "USD",
        "occurred_at": now.isoformat(),
        "category": "one_off",
        "counterparty": "Landlord of the new office",
        "external_ref": "deposit-1",
    }
    assert call("POST", "/api/v1/events", expense)[0] == 201
    assert call("POST", "/api/v1/events", expense)[0] == 200  # the webhook came twice

    after = call.until("/api/v1/runway?basis=bank", lambda answer: answer["p50_days"] < 60)
    assert after["p50_days"] < before["p50_days"] - 60
    tight = call.until("/api/v1/policy/plans", lambda answer: answer["plans"][0]["plan_id"] != calm["plan_id"])
    newest = tight["plans"][0]
    assert newest["band"] in {"below 60", "below 45"}
    free = call("GET", "/api/v1/runway")[1]
    assert newest["p5_days"] == free["p5_days"]
    resized = {each["environment"]: each["after"] for each in newest["calls"] if each["action"] == "resize_group"}
    assert resized["staging"] == {"min": 1, "max": 4, "desired": 2}
    assert not cloud.mutating
