"""Asking Stripe for what its webhooks leave out."""

import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from django.conf import settings

from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.provider import ProviderUnavailable, Unreadable
from ledger.providers.stripe_amounts import listed, text_of
from ledger.providers.stripe_invoice import charge_of

TIMEOUT_SECONDS = 20.0
MAX_ANSWER_BYTES = 4 * 1_048_576
MAX_PAGES = 50
_RETRIED = frozenset({408, 409, 425, 429})


class StripeApi:
    """Stripe as one key sees it. Everything raises ProviderUnavailable when Stripe does not answer now."""

    def __init__(self, *, key: str, account: str = "") -> None:
        self._headers = {"Authorization": f"Bearer {key}"}
        if account:
            self._headers["Stripe-Account"] = account

    def complete(self, thing: dict[str, Any]) -> None:
        """Put into an object what a webhook only names."""
        if thing.get("object") == "charge" and _awaits_transaction(thing):
            # Stripe makes it a moment after the payment; charge.updated would bring it, or has brought it.
            now = self.get(f"/v1/charges/{_quoted(text_of(thing, 'id'))}")
            thing["balance_transaction"] = now.get("balance_transaction")
        self._expand_transaction(thing)
        if thing.get("object") == "charge" and thing.get("amount_refunded"):
            refunds = self._all("/v1/refunds", {"charge": text_of(thing, "id"), "limit": "100"})
            thing["refunds"] = {"object": "list", "data": refunds}
        for refund in listed(thing, "refunds"):
            self._expand_transaction(refund)
        if thing.get("object") == "invoice":
            self._complete_invoice(thing)
        if thing.get("object") == "credit_note":
            self._complete_credit_note(thing)
        if thing.get("object") == "payout" and _lists_transactions(thing):
            query = {"payout": text_of(thing, "id"), "limit": "100", "expand[]": "data.source"}
            thing["transactions"] = {"object": "list", "data": self._all("/v1/balance_transactions", query)}

    def _expand_transaction(self, thing: dict[str, Any]) -> None:
        transaction = thing.get("balance_transaction")
        if isinstance(transaction, str) and transaction:
            thing["balance_transaction"] = self.get(f"/v1/balance_transactions/{_quoted(transaction)}")

    def _complete_invoice(self, invoice: dict[str, Any]) -> None:
        number = text_of(invoice, "id")
        lines = invoice.get("lines")
        if isinstance(lines, dict) and lines.get("has_more") is True:
            found = self._all(f"/v1/invoices/{_quoted(number)}/lines", {"limit": "100"})
            invoice["lines"] = {"object": "list", "data": found, "has_more": False}
        if invoice.get("pre_payment_credit_notes_amount"):
            notes = self._all("/v1/credit_notes", {"invoice": number, "limit": "100"})
            for note in notes:
                self._complete_credit_note(note)
            invoice["credit_notes"] = {"object": "list", "data": notes, "has_more": False}
        if charge_of(invoice) or not invoice.get("amount_paid"):
            return
        payments = self._all(
            "/v1/invoice_payments",
            {"invoice": number, "status": "paid", "expand[]": "data.payment.payment_intent", "limit": "100"},
        )
        invoice["payments"] = {"object": "list", "data": payments}

    def _complete_credit_note(self, note: dict[str, Any]) -> None:
        lines = note.get("lines")
        if isinstance(lines, dict) and lines.get("has_more") is True:
            found = self._all(f"/v1/credit_notes/{_quoted(text_of(note, 'id'))}/lines", {"limit": "100"})
            note["lines"] = {"object": "list", "data": found, "has_more": False}
        refund = note.get("refund")
        if isinstance(refund, str) and refund:
            note["refund"] = self.get(f"/v1/refunds/{_quoted(refund)}")

    def _all(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for _ in range(MAX_PAGES):
            page = self.get(path, query)
            items = listed(page, "data")
            found += items
            if page.get("has_more") is not True or not items:
                return found
            query = {**query, "starting_after": text_of(items[-1], "id")}
        raise Unreadable(f"Stripe lists more than {MAX_PAGES} pages at {path}")

    def get(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        """Return the object at a path."""
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        request = urllib.request.Request(  # noqa: S310 - the operator's own setting
            f"{settings.STRIPE_API_URL}{path}{asked}", headers=self._headers
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
                body = response.read(MAX_ANSWER_BYTES + 1)
        except urllib.error.HTTPError as error:
            if error.code >= 500 or error.code in _RETRIED:
                raise ProviderUnavailable(f"Stripe answers {error.code} at {path}") from None
            raise Unreadable(f"Stripe refuses the api_key or the question: {error.code} at {path}") from None
        except OSError as error:
            raise ProviderUnavailable(f"Stripe does not answer at {path}: {error}") from None
        try:
            answer = parse_json(body) if len(body) <= MAX_ANSWER_BYTES else None
        except InvalidJson as error:
            raise ProviderUnavailable(f"Stripe's answer at {path} is not JSON: {error}") from None
        if not isinstance(answer, dict):
            raise Unreadable(f"Stripe's answer at {path} is no object of a reasonable size")
        return answer


def _awaits_transaction(charge: dict[str, Any]) -> bool:
    return (
        charge.get("status") == "succeeded"
        and charge.get("captured") is True
        and charge.get("balance_transaction") is None
        and bool(text_of(charge, "id"))
    )


def _lists_transactions(payout: dict[str, Any]) -> bool:
    """Whether Stripe can say which payments, refunds and fees a payout is the sum of."""
    return payout.get("automatic") is True and payout.get("reconciliation_status") == "completed"


def _quoted(number: str) -> str:
    return urllib.parse.quote(number, safe="")
