"""What a provider of webhooks is to the rest of capstack, and what it is given to work with.

A provider is one file with a `PROVIDER`. Of its functions only `verify` runs while the sender waits; `parse` and
`fetch` run in a job, and may be run again at any time for the same delivery.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ledger.domain.intake import Intake
from ledger.domain.problems import FieldProblem

JSON_TYPES = frozenset({"application/json"})


class VerifierUnavailable(RuntimeError):
    """A signature cannot be judged now, e.g. because a key server does not answer: the sender is asked to
    return."""


class ProviderUnavailable(RuntimeError):
    """What a delivery announces cannot be fetched now. It is tried again, later each time."""


class Unreadable(ValueError):
    """A delivery that is not what its provider sends; the message says what is wrong. It is quarantined."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a delivery comes from whom it says.

    Attributes:
        reason: why not, for the operator's eyes; empty when it does.
    """

    verified: bool
    reason: str = ""


VERIFIED = Verdict(True)


def refused(reason: str) -> Verdict:
    """Return the verdict on a delivery that is not believed."""
    return Verdict(False, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request as it came, and what is known to judge it.

    Attributes:
        raw: the body, byte for byte.
        headers: by lower-case name; cookies and Authorization are not among them.
        secrets: active signing secrets, newest first, at most two.
        settings: of the endpoint, readable by its admins.
        credentials: of the endpoint, kept encrypted: keys with which the provider's API is called.
        now: aware.
    """

    raw: bytes
    headers: Mapping[str, str]
    secrets: tuple[str, ...]
    settings: Mapping[str, Any]
    credentials: Mapping[str, str]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseContext:
    """What a stored delivery is read against.

    Attributes:
        accounts: {role: name of the account}, every role that the provider declares.
        settings: of the endpoint.
        headers: those that were kept: the provider's `safe_headers`, lower-case.
        currency, timezone: of the company's books.
        received_at: aware.
    """

    accounts: Mapping[str, str]
    settings: Mapping[str, Any]
    headers: Mapping[str, str]
    currency: str
    timezone: ZoneInfo
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchContext:
    """What a delivery that only announces something is followed up with.

    Attributes:
        cursor: what the last fetch of this endpoint left behind, {} at first.
        credentials: of the endpoint.
        now: aware.
    """

    parse: ParseContext
    cursor: Mapping[str, Any]
    credentials: Mapping[str, str]
    now: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """Attributes:
    intake: what the provider said when asked.
    cursor: kept in the transaction that records the intake. Should another job have moved the endpoint's cursor
        meanwhile, both are thrown away and the fetch is made again from there.
    """

    intake: Intake
    cursor: Mapping[str, Any] = field(default_factory=dict)


def _no_problems(_settings: Mapping[str, Any], _credentials: Mapping[str, str]) -> tuple[FieldProblem, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider of webhooks.

    Attributes:
        name: stands in the address, `/webhooks/{name}/{endpoint_id}`, and is the origin of stated balances.
        label: for people.
        safe_headers: lower-case names of the headers worth keeping with a delivery; no other is kept.
        verify: judges the raw bytes. Never raises for anything a stranger can send. Raises VerifierUnavailable
            when it cannot judge now.
        parse: pure. Raises Unreadable for what is not this provider's; anything else it raises is a bug of ours.
            Both quarantine the delivery.
        stable_ids: whether `external_ref` names an object for good, so that other content is a correction.
        accounts: {role: default name of the account}. The first role is what `--account NAME` names.
        settings: {name: default} of what an endpoint's settings may hold; others, and values of another type than
            the default's, are refused.
        credentials: {name: what it is, for people} of what an endpoint's credentials may hold.
        problems: what is wrong with an endpoint's settings (complete, of the right types) and credentials, before
            it is made or changed. Fields are named `settings.<name>` and `credentials.<name>`.
        signing_secrets: `given` by the provider, `generated` by us and told to the sender, or `none`: the provider
            signs with keys that it publishes.
        media_types: of the body; a request without one passes.
        answer: body of the 200 that answers a verified delivery, for a provider that wants an echo; None for none.
        fetch: for deliveries that only announce: asks the provider and returns what it said, or None when this
            delivery needs no fetch and `parse` says it all. Runs outside of any transaction. Raises
            ProviderUnavailable.
    """

    name: str
    label: str
    safe_headers: frozenset[str]
    verify: Callable[[Arrival], Verdict]
    parse: Callable[[bytes, ParseContext], Intake]
    stable_ids: bool
    accounts: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    problems: Callable[[Mapping[str, Any], Mapping[str, str]], Iterable[FieldProblem]] = _no_problems
    signing_secrets: str = "given"
    media_types: frozenset[str] = JSON_TYPES
    answer: Callable[[bytes], str | None] | None = None
    fetch: Callable[[bytes, FetchContext], Fetched | None] | None = None
