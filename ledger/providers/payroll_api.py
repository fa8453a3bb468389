"""What we ask a Gusto-style payroll provider: a payroll, and to accept the token of a handshake."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ledger.providers.http import Answer, Unavailable, request

API_VERSION = "2024-04-01"


class PayrollRefused(Exception):
    """The provider answered with an error that trying again does not end; the message holds its status."""


class PayrollNotFound(PayrollRefused):
    """There is no such payroll (any more)."""


@dataclass(frozen=True, slots=True)
class PayrollClient:
    """One subscription's way to its provider. The token does not show in its representation."""

    base_url: str
    token: str = field(repr=False)

    def payroll(self, *, company: str, payroll: str) -> Mapping[str, Any]:
        """Return a payroll with its totals, taxes, benefits and deductions.

        Raises:
            Unavailable: ask again later.
            PayrollNotFound, PayrollRefused: asking again does not help.
        """
        path = f"/v1/companies/{quote(company, safe='')}/payrolls/{quote(payroll, safe='')}"
        answer = self._ask("GET", f"{path}?include=taxes,benefits,deductions")
        if answer.status == 404:
            raise PayrollNotFound("answered 404")
        if answer.status != 200:
            raise PayrollRefused(f"answered {answer.status}")
        content = answer.json()
        if not isinstance(content, dict):
            raise Unavailable("answered with something else than a JSON object")
        return content

    def accept_handshake(self, *, subscription: str, token: str) -> bool:
        """Ask the provider whether a handshake's token is its own; false when it is not.

        Raises:
            Unavailable: ask again later.
        """
        path = f"/v1/webhook_subscriptions/{quote(subscription, safe='')}/verify"
        return self._ask("PUT", path, {"verification_token": token}).status in (200, 204)

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Answer:
        return request(
            method=method,
            url=f"{self.base_url.rstrip('/')}{path}",
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/json",
                "Content-Type": "application/json",
                "X-Gusto-API-Version": API_VERSION,
            },
            body=None if content is None else json.dumps(content).encode(),
        )
