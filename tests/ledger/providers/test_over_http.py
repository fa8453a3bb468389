"""Plaid, payroll and SNS from the webhook to the journal: real server, real worker, stand-ins for the others."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from capstack.supervision.program import RunningProgram
from ledger.domain.company import CompanyRef
from ledger.models.delivery import Delivery
from ledger.models.event import CapitalEvent, ExternalObject
from ledger.models.plaid import PlaidItem
from ledger.models.statement import BalanceStatement
from ledger.services.endpoints import create_endpoint
from ledger.services.sealed_secrets import seal
from tests.conftest import LiveApp
from tests.ledger.conftest import open_company
from tests.ledger.providers.outside_server import OutsideServer, Reply
from tests.ledger.providers.payroll_samples import (
    COMPANY,
    PAYROLL,
    SUBSCRIPTION,
    TOKEN,
    payroll,
    payroll_event,
    signature,
)
from tests.ledger.providers.plaid_server import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ITEM,
    SECRET,
    PlaidServer,
    plaid_error,
    row,
)
from tests.ledger.providers.plaid_signer import PlaidSigner
from tests.ledger.providers.sns_signer import CERTIFICATE_PATH, TOPIC, SnsSigner

WAIT_SECONDS = 30


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def outside_env(outside: OutsideServer, monkeypatch: pytest.MonkeyPatch) -> OutsideServer:
    """Lead the application and its worker to the stand-in; the fixtures below copy the environment."""
    for name, value in {
        "PLAID_BASE_URL": outside.url,
        "PLAID_CLIENT_ID": CLIENT_ID,
        "PLAID_SECRET": SECRET,
        "PAYROLL_BASE_URL": outside.url,
        "SNS_LOOPBACK_ORIGIN": outside.url,
    }.items():
        monkeypatch.setenv(name, value)
    return outside


@pytest.fixture
def app(outside_env: OutsideServer, request: pytest.FixtureRequest) -> LiveApp:
    live: LiveApp = request.getfixturevalue("live_app")
    return live


@pytest.fixture
def company(app: LiveApp) -> CompanyRef:
    return open_company()


@pytest.fixture
def worker(app: LiveApp, start_worker: Callable[[str], RunningProgram]) -> RunningProgram:
    running = start_worker("imports")
    running.wait_ready()
    return running


def address(app: LiveApp, company: CompanyRef, provider: str, **more: Any) -> str:
    made = create_endpoint(company_id=company.id, provider_name=provider, name="", actor="test", now=now(), **more)
    return f"{app.url}{made.path}"


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    sent = urllib.request.Request(
        url, data=body, headers={"Content-Type": "application/json", **(headers or {})}, method="POST"
    )
    try:
        with urllib.request.urlopen(sent, timeout=10) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not found():
        assert time.monotonic() < end, [
            (delivery.state, delivery.reason) for delivery in Delivery.objects.order_by("id")
        ]
        time.sleep(0.05)


def last_state() -> str:
    return str(Delivery.objects.order_by("-id").values_list("state", flat=True)[0])


def standing() -> dict[str, Decimal]:
    return {thing.external_ref: thing.amount for thing in ExternalObject.objects.filter(reversed=False)}


def net_out() -> Decimal:
    events = CapitalEvent.objects.all()
    return sum((event.amount if event.direction == "out" else -event.amount for event in events), Decimal(0))


# --- Plaid ------------------------------------------------------------------------------------------------


def test_a_plaid_webhook_becomes_a_walk_and_its_rows_events(
    app: LiveApp, company: CompanyRef, worker: RunningProgram, outside_env: OutsideServer
) -> None:
    plaid, signer = PlaidServer(outside_env), PlaidSigner()
    plaid.keys[signer.kid] = signer.jwk
    PlaidItem.objects.create(
        company_id=company.id, item_id=ITEM, access_token=seal(ACCESS_TOKEN), created_at=now()
    )
    url = address(app, company, "plaid")
    news = {"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": ITEM}
    body = json.dumps(news).encode()
    plaid.page(row("a", 72.1), row("p", 9, pending=True))
    plaid.page(row("b", -7500))

    def send(**changes: Any) -> int:
        return post(url, body, {"Plaid-Verification": signer.sign(body, now=now(), **changes)})[0]

    assert send() == 200
    until(lambda: standing() == {"a": Decimal("72.1"), "b": Decimal(7500)})
    until(lambda: last_state() == "done")
    assert BalanceStatement.objects.get().amount == Decimal("110.5")

    plaid.page(row("t", 11, pending_transaction_id="p"), modified=[row("a", 70)], removed=["p", "b"])
    assert send() == 200
    until(lambda: standing() == {"a": Decimal(70), "t": Decimal(11)})
    assert net_out() == 81
    item = PlaidItem.objects.get()
    until(lambda: PlaidItem.objects.get().wanted_at is None)
    assert item.cursor == "3"

    # Refused, and nothing asked for.
    asked = len(plaid.outside.asked)
    assert send(iat=int((now() - timedelta(minutes=6)).timestamp())) == 400
    assert send(request_body_sha256="0" * 64) == 400
    assert post(url, body)[0] == 400
    stranger = PlaidSigner(kid=signer.kid)
    assert post(url, body, {"Plaid-Verification": stranger.sign(body, now=now())})[0] == 400
    assert len(plaid.outside.asked) == asked
    assert Delivery.objects.filter(state="refused").count() == 4


def test_a_lost_sign_in_silences_the_feed(
    app: LiveApp, company: CompanyRef, worker: RunningProgram, outside_env: OutsideServer
) -> None:
    plaid, signer = PlaidServer(outside_env), PlaidSigner()
    plaid.keys[signer.kid] = signer.jwk
    PlaidItem.objects.create(
        company_id=company.id, item_id=ITEM, access_token=seal(ACCESS_TOKEN), created_at=now()
    )
    url = address(app, company, "plaid")
    plaid.errors = [plaid_error("ITEM_LOGIN_REQUIRED", "ITEM_ERROR")]
    news = {"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": ITEM}
    body = json.dumps(news).encode()

    assert post(url, body, {"Plaid-Verification": signer.sign(body, now=now())})[0] == 200
    until(lambda: PlaidItem.objects.get().silent)
    assert PlaidItem.objects.get().trouble.startswith("ITEM_LOGIN_REQUIRED")


def test_plaid_is_asked_to_come_again_while_its_key_cannot_be_had(
    app: LiveApp, company: CompanyRef, outside_env: OutsideServer
) -> None:
    outside_env.on("/webhook_verification_key/get", Reply(503, {}))
    url = address(app, company, "plaid")

    status, problem = post(url, b"{}", {"Plaid-Verification": PlaidSigner().sign(b"{}", now=now())})

    assert status == 503
    assert "Plaid's key" in problem["detail"] + problem["title"]
    assert Delivery.objects.count() == 0


# --- Payroll ----------------------------------------------------------------------------------------------


def test_a_payroll_from_handshake_to_cancellation(
    app: LiveApp, company: CompanyRef, worker: RunningProgram, outside_env: OutsideServer
) -> None:
    outside_env.on(f"/v1/webhook_subscriptions/{SUBSCRIPTION}/verify", Reply(200, {}))
    path = f"/v1/companies/{COMPANY}/payrolls/{PAYROLL}"
    outside_env.on(path, Reply(200, payroll()))
    url = address(
        app, company, "payroll", settings={"company_uuid": COMPANY}, credentials={"api_token": "a-token"}
    )

    def send(body: dict[str, Any]) -> int:
        content = json.dumps(body).encode()
        return post(url, content, {"X-Gusto-Signature": signature(content)})[0]

    # Before the handshake nothing is believed; after it, only what its token signs.
    assert send(payroll_event()) == 400
    assert (
        post(url, json.dumps({"verification_token": TOKEN, "webhook_subscription_uuid": SUBSCRIPTION}).encode())[0]
        == 200
    )
    until(lambda: Delivery.objects.filter(state="ignored", reason__contains="confirmed").exists())
    assert post(url, json.dumps({"verification_token": "an-attackers-own-token"}).encode())[0] == 400

    assert send(payroll_event()) == 200
    until(lambda: net_out() == Decimal("13439.60"))
    assert len(standing()) == 6
    taxes = CapitalEvent.objects.filter(category="payroll_tax").values_list("occurred_at", flat=True)
    assert {day.date().isoformat() for day in taxes} == {"2026-06-17"}

    # Paid repeats it; then a figure changes, a line falls away; then all of it is cancelled.
    assert send(payroll_event("payroll.paid")) == 200
    until(lambda: Delivery.objects.filter(state="done").count() == 2)
    assert CapitalEvent.objects.count() == 6
    changed = payroll()
    changed["totals"] |= {"reimbursements": "0.00", "reimbursement_debit": "0.00", "employer_taxes": "900.00"}
    outside_env.on(path, Reply(200, changed))
    assert send(payroll_event("payroll.updated", uuid="2")) == 200
    until(lambda: net_out() == Decimal("13439.60") - 120 - 18)

    later = int((now() + timedelta(minutes=1)).timestamp())
    assert send(payroll_event("payroll.cancelled", timestamp=later)) == 200
    until(lambda: net_out() == 0)
    assert standing() == {}


# --- SNS --------------------------------------------------------------------------------------------------


def test_sns_from_subscription_to_bill(
    app: LiveApp, company: CompanyRef, worker: RunningProgram, outside_env: OutsideServer
) -> None:
    signer = SnsSigner(now=now())
    outside_env.on(CERTIFICATE_PATH, Reply(200, signer.pem))
    outside_env.on("/", Reply(200, b"<ConfirmSubscriptionResponse/>"))
    url = address(app, company, "aws", settings={"topics": [TOPIC]})

    def send(body: dict[str, Any]) -> int:
        return post(url, json.dumps(body).encode(), {"Content-Type": "text/plain; charset=UTF-8"})[0]

    assert send(signer.subscription(now=now())) == 200
    until(lambda: len(outside_env.asked_for("/")) == 1)
    alert = "AWS Budget Notification\n\nBudget Name: Example\nACTUAL Amount: $84.20\n"
    assert send(signer.sign(now=now(), Message=alert, MessageId="2")) == 200
    until(lambda: Delivery.objects.filter(state="ignored", reason__contains="ACTUAL Amount: $84.20").exists())
    assert CapitalEvent.objects.count() == 0

    invoice = {
        "InvoiceId": "EUINDE26-1",
        "IssuedDate": "2026-06-03",
        "DueDate": "2026-06-17",
        "PaymentCurrencyAmount": {"TotalAmount": "24240.03", "CurrencyCode": "USD"},
    }
    bill = signer.sign(now=now(), Message=json.dumps(invoice), MessageId="3")
    assert send(bill) == send(bill) == 200
    until(lambda: Delivery.objects.filter(state="done").count() == 2)
    event = CapitalEvent.objects.get()
    assert (event.account.name, event.account.kind, event.amount) == ("cloud-aws", "cloud", Decimal("24240.03"))

    assert send(signer.sign(now=now(), Message="Hello from SNS!")) == 200
    until(lambda: last_state() == "quarantined")
    for refused in (
        {**bill, "Message": "changed"},
        signer.sign(now=now() - timedelta(hours=2)),
        signer.sign(now=now(), SignatureVersion="1"),
        signer.sign(now=now(), TopicArn="arn:aws:sns:us-east-1:999999999999:other"),
        signer.sign(now=now(), SigningCertURL=f"https://evil.example{CERTIFICATE_PATH}"),
    ):
        assert send(refused) == 400
    assert len(outside_env.asked_for(CERTIFICATE_PATH)) == 1
