"""Any system that can sign JSON: events in the shape of our own API, one object or an array of them.

The sender makes `Capstack-Signature: t=<unix seconds>,v1=<hex>`, where <hex> is the HMAC-SHA256 of the bytes
`<unix seconds>.<body>` under the endpoint's secret. Several `v1` may stand in one header while a secret is
replaced.
"""

import hmac
import re
from hashlib import sha256

from ledger.domain.intake import Intake
from ledger.domain.strict_json import InvalidJson, parse_json
from ledger.providers.provider import VERIFIED, Arrival, ParseContext, Provider, Unreadable, Verdict, refused

HEADER = "capstack-signature"
TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 8
MAX_EVENTS = 5000

_TIME = re.compile(r"[0-9]{1,12}")


def sign(*, raw: bytes, secret: str, at: int) -> str:
    """Return the header's value for a body sent at a time (unix seconds)."""
    return f"t={at},v1={_signature(raw, secret, str(at))}"


def _signature(raw: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode("ascii"), at.encode("ascii") + b"." + raw, sha256).hexdigest()


def verify(arrival: Arrival) -> Verdict:
    """Judge the signature over the raw bytes; five minutes of difference between clocks are granted, either
    way."""
    header = arrival.headers.get(HEADER, "")
    if not header:
        return refused("there is no Capstack-Signature header")
    if not arrival.secrets:
        return refused("the endpoint has no secret yet")
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1" and value.isascii()][:MAX_SIGNATURES]
    if len(times) != 1 or _TIME.fullmatch(times[0]) is None or not signatures:
        return refused("the Capstack-Signature header is not t=<unix seconds>,v1=<hex>")
    # All are compared, so that the time taken does not tell which secret was close.
    matches = [
        hmac.compare_digest(_signature(arrival.raw, secret, times[0]), signature)
        for secret in arrival.secrets
        for signature in signatures
    ]
    if not any(matches):
        return refused("the signature does not fit the body")
    if abs(arrival.now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        return refused(f"it was signed more than {TOLERANCE_SECONDS} seconds before or after now")
    return VERIFIED


def parse(raw: bytes, context: ParseContext) -> Intake:
    """Return the events as they stand; an event that names no account gets the endpoint's, where it has one."""
    try:
        value = parse_json(raw)
    except InvalidJson as error:
        raise Unreadable(f"The body is not JSON: {error}") from None
    events = value if isinstance(value, list) else [value]
    if len(events) > MAX_EVENTS:
        raise Unreadable(f"The body holds {len(events)} events, more than {MAX_EVENTS}")
    account = context.accounts["account"]
    if account:
        events = [{"account": account, **event} if type(event) is dict else event for event in events]
    return Intake(events=tuple(events), ignored="" if events else "The array is empty.")


PROVIDER = Provider(
    name="generic",
    label="Generic",
    safe_headers=frozenset({HEADER, "content-type", "user-agent"}),
    verify=verify,
    parse=parse,
    # Whoever sends again with other content has made a mistake that a person should see.
    stable_ids=False,
    accounts={"account": ""},
    signing_secrets="generated",
)
