"""What webhooks leave out, asked of a small server that speaks like Stripe."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import override_settings

from ledger.providers.provider import FetchContext, ProviderUnavailable, Unreadable
from ledger.providers.stripe import PROVIDER
from tests.ledger.conftest import NOW
from tests.ledger.providers.outside_server import OutsideServer, Reply
from tests.ledger.providers.stripe_events import CREATED, charge, envelope, transaction
from tests.ledger.providers.test_stripe import context, invoice, lines

REFUND = {"id": "re_1", "object": "refund", "amount": 300, "currency": "usd", "created": CREATED}
ANSWERS: dict[str, Any] = {
    "/v1/balance_transactions/txn_1": transaction("txn_1", 1050, "usd", fee=61),
    "/v1/refunds": {"data": [{**REFUND, "status": "succeeded"}], "has_more": False},
    "/v1/invoice_payments": {
        "data": [{"payment": {"payment_intent": {"id": "pi_1", "latest_charge": "ch_9"}}}],
        "has_more": False,
    },
}


class Stripe(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path.partition("?")[0])
        status = 200 if answer else 404
        if self.headers["Authorization"] != "Bearer sk_test":
            status = 503 if self.headers["Authorization"] == "Bearer sk_down" else 401
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def stripe_api() -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stripe)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with override_settings(STRIPE_API_URL=f"http://127.0.0.1:{server.server_port}"):
        yield
    server.shutdown()
    thread.join()
    server.server_close()


def ask(kind: str, thing: dict[str, Any], key: str = "sk_test") -> Any:
    credentials = {"api_key": key} if key else {}
    asking = FetchContext(parse=context(), cursor={}, credentials=credentials, now=NOW)
    assert PROVIDER.fetch is not None
    return PROVIDER.fetch(envelope(kind, thing), asking)


def test_fee_and_refunds_of_a_charge_are_asked_for(stripe_api: None) -> None:
    fetched = ask("charge.refunded", charge(balance_transaction="txn_1", amount_refunded=300))
    assert [line[0] + " " + line[4] for line in lines(fetched.intake)] == [
        "income ch_1",
        "expense txn_1",
        "expense re_1",
    ]


def test_the_charge_of_an_invoice_is_asked_for(stripe_api: None) -> None:
    (period,) = ask("invoice.paid", invoice(charge=None)).intake.service_periods
    assert period.external_ref == "ch_9"


def test_without_a_key_or_without_need_nothing_is_asked() -> None:
    assert ask("charge.succeeded", charge(balance_transaction="txn_1"), key="") is None
    assert ask("customer.created", {"id": "cus_1"}) is None


def test_a_stripe_that_is_down_is_asked_again_and_a_refused_key_is_told(stripe_api: None) -> None:
    with pytest.raises(ProviderUnavailable):
        ask("charge.succeeded", charge(balance_transaction="txn_1"), key="sk_down")
    with pytest.raises(Unreadable, match="401"):
        ask("charge.succeeded", charge(balance_transaction="txn_1"), key="sk_wrong")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_is_carried_to_no_other_address(outside: OutsideServer, status: int) -> None:
    outside.on("/v1/balance_transactions/txn_1", Reply(status, b"", {"Location": f"{outside.url}/elsewhere"}))
    outside.on("/elsewhere", Reply(200, transaction("txn_1", 1050, "usd", fee=61)))
    with override_settings(STRIPE_API_URL=outside.url), pytest.raises(ProviderUnavailable, match="redirects"):
        ask("charge.succeeded", charge(balance_transaction="txn_1"))
    assert not outside.asked_for("/elsewhere")


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500])
def test_what_passes_is_asked_again(outside: OutsideServer, status: int) -> None:
    outside.on("/v1/balance_transactions/txn_1", Reply(status, {}))
    with override_settings(STRIPE_API_URL=outside.url), pytest.raises(ProviderUnavailable, match=str(status)):
        ask("charge.succeeded", charge(balance_transaction="txn_1"))


def test_an_answer_that_breaks_off_is_asked_again(outside: OutsideServer) -> None:
    short = Reply(200, b"{}", {"Content-Length": "100", "Connection": "close"})

    outside.on("/v1/balance_transactions/txn_1", short)
    with override_settings(STRIPE_API_URL=outside.url), pytest.raises(ProviderUnavailable):
        ask("charge.succeeded", charge(balance_transaction="txn_1"))
