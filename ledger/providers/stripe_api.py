"""Asking Stripe for what its webhooks leave out."""

from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from ledger.providers.http import Unavailable, request
from ledger.providers.provider import ProviderUnavailable, Unreadable
from ledger.providers.stripe_amounts import listed, text_of
from ledger.providers.stripe_invoice import charge_of

MAX_ANSWER_BYTES = 4 * 1_048_576
MAX_PAGES = 50
_RETRIED = frozenset({408, 409, 425})


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
        """Return the object at a path. The key goes to no other address: redirects are not followed."""
        asked = f"?{urlencode(query)}" if query else ""
        try:
            found = request(
                method="GET",
                url=f"{settings.STRIPE_API_URL}{path}{asked}",
                headers=self._headers,
                max_answer_bytes=MAX_ANSWER_BYTES,
            )
            if found.status in _RETRIED:
                raise ProviderUnavailable(f"Stripe answers {found.status} at {path}")
            if found.status != 200:
                raise Unreadable(f"Stripe refuses the api_key or the question: {found.status} at {path}")
            answer = found.json()
        except Unavailable as unavailable:
            raise ProviderUnavailable(f"Stripe at {path}: {unavailable}") from None
        if not isinstance(answer, dict):
            raise Unreadable(f"Stripe's answer at {path} is no object")
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
    return quote(number, safe="")
