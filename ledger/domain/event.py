"""A capital event as it comes in: what may be said about it, and what is refused.

`parse_event` stands on the hottest path of the application, so it is one pass of plain checks. Each rule is the
table of the architecture's section on capital events; the database holds the same rules as constraints.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ledger.domain.currency import ACTIVE_CURRENCIES, FORMER_CURRENCIES
from ledger.domain.fx import SettlementRate
from ledger.domain.metadata import InvalidMetadata, metadata_json
from ledger.domain.money import InvalidAmount, parse_amount
from ledger.domain.problems import FieldProblem, InvalidEvent
from ledger.domain.strict_json import RepeatedKey

# Source of what people record by hand: no feed, so it cannot fall silent.
BY_HAND = "admin"
IMPLIED_DIRECTION = {"expense": "out", "income": "in", "credit": "in"}
# The types that say nothing about the direction, so the sender must.
DIRECTED_TYPES = frozenset({"adjustment", "transfer"})
EVENT_TYPES = frozenset(IMPLIED_DIRECTION) | DIRECTED_TYPES
DIRECTIONS = frozenset({"in", "out"})

MAX_SOURCE = 64
MAX_ACCOUNT = 64
MAX_TEXT = 255
EARLIEST = datetime(1999, 1, 1, tzinfo=UTC)
MONTHS_AHEAD = 18

FIELDS = frozenset(
    {
        "source",
        "event_type",
        "amount",
        "currency",
        "occurred_at",
        "direction",
        "account",
        "category",
        "counterparty",
        "external_ref",
        "metadata",
    }
)
KNOWN_CURRENCIES = ACTIVE_CURRENCIES | FORMER_CURRENCIES
_NO_METADATA: dict[str, Any] = {}
SEPARATORS = frozenset({"T", "t", " "})


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event that passed every check that needs no database.

    Attributes:
        amount: positive, at most 14 integer digits and 6 decimals.
        occurred_at: aware, with the offset its sender stated; None means "now", and then no repeat can be
        recognised
            by its time.
        direction: `in` or `out`; None when the event type implies it.
        account: name of the account; None means the company's first bank account.
        category, counterparty, external_ref: empty when absent.
        settlement: what a provider changed the money at. No field of an event: only providers' own parsers know
            it.
    """

    source: str
    event_type: str
    amount: Decimal
    currency: str
    occurred_at: datetime | None = None
    direction: str | None = None
    account: str | None = None
    category: str = ""
    counterparty: str = ""
    external_ref: str = ""
    metadata: Mapping[str, Any] | str = ""
    settlement: SettlementRate | None = None

    @property
    def flow(self) -> str:
        """`in` or `out`, stated or implied by the event type."""
        return self.direction or IMPLIED_DIRECTION[self.event_type]


@lru_cache(maxsize=64)
def _latest(today: date) -> datetime:
    months = today.month - 1 + MONTHS_AHEAD
    return datetime(
        today.year + months // 12, months % 12 + 1, min(today.day, 28), 23, 59, 59, 999_999, tzinfo=UTC
    )


def latest_occurrence(*, now: datetime) -> datetime:
    """Return the last instant an event may carry: 18 months ahead of `now`, to the end of that UTC day.

    Days after the 28th count as the 28th, so that every month has one.
    """
    return _latest(now.astimezone(UTC).date())


def parse_event(raw: Mapping[str, Any], *, now: datetime) -> EventDraft:
    """Return the draft that a JSON object describes.

    Args:
        raw: members as `strict_json.parse_json` reads them: numbers as int or Decimal, never float.
        now: aware; bounds how far ahead an event may lie.

    Raises:
        InvalidEvent: with every problem found, each naming its field.
    """
    if type(raw) is not dict:
        raise InvalidEvent((_not_an_object(raw),))
    get = raw.get
    problems: list[FieldProblem] = []
    if not raw.keys() <= FIELDS:
        problems += _unknown_fields(raw)

    source = get("source")
    if type(source) is not str or not 0 < len(source) <= MAX_SOURCE or source.isspace():
        problems.append(_text_problem("source", source, MAX_SOURCE, required=True))
        source = ""

    event_type = get("event_type")
    if type(event_type) is not str or event_type not in EVENT_TYPES:
        problems.append(_choice_problem("event_type", event_type, EVENT_TYPES))
        event_type = ""

    amount = _amount(get("amount"), problems)

    currency: Any = get("currency")
    if type(currency) is not str or currency not in KNOWN_CURRENCIES:
        problems.append(_currency_problem(currency))

    occurred_at = get("occurred_at")
    if occurred_at is not None:
        occurred_at = _instant(occurred_at, now, problems)

    account = get("account")
    if account is not None:
        account = _account(account, problems)

    category = _text(get("category"), "category", problems)
    counterparty = _text(get("counterparty"), "counterparty", problems)
    external_ref = _text(get("external_ref"), "external_ref", problems)

    # One look at all texts: almost all of them are plain ASCII.
    texts = f"{source}{account}{category}{counterparty}{external_ref}"
    if not texts.isascii() or "\0" in texts:
        _check_characters(
            problems,
            source=source,
            account=account,
            category=category,
            counterparty=counterparty,
            external_ref=external_ref,
        )

    metadata = get("metadata", _NO_METADATA)
    if metadata != _NO_METADATA:
        metadata = _metadata(metadata, problems)

    direction = get("direction")
    if direction is not None or event_type in DIRECTED_TYPES:
        direction = _direction(direction, event_type, metadata, problems)

    if problems or amount is None:
        raise InvalidEvent(tuple(problems))
    return EventDraft(
        source,
        event_type,
        amount,
        currency,
        occurred_at,
        direction,
        account,
        category,
        counterparty,
        external_ref,
        metadata,
    )


def _not_an_object(raw: object) -> FieldProblem:
    if isinstance(raw, RepeatedKey):
        return FieldProblem(raw.key, "is stated twice")
    return FieldProblem("", "must be a JSON object")


def _unknown_fields(raw: Mapping[str, Any]) -> list[FieldProblem]:
    return [FieldProblem(str(name), "is not a field of an event") for name in raw if name not in FIELDS]


def _amount(value: object, problems: list[FieldProblem]) -> Decimal | None:
    if value is None:
        problems.append(FieldProblem("amount", "is required"))
        return None
    try:
        return parse_amount(value)
    except InvalidAmount as error:
        problems.append(FieldProblem("amount", str(error)))
        return None


def _account(value: object, problems: list[FieldProblem]) -> str | None:
    if type(value) is str and 0 < len(value) <= MAX_ACCOUNT and not value.isspace():
        return value
    problems.append(_text_problem("account", value, MAX_ACCOUNT, required=False))
    return None


def _text_problem(field: str, value: object, longest: int, *, required: bool) -> FieldProblem:
    if value is None and required:
        return FieldProblem(field, "is required")
    if not isinstance(value, str):
        return FieldProblem(field, "must be text")
    if not value or value.isspace():
        return FieldProblem(field, "must not be empty")
    return FieldProblem(field, f"must have at most {longest} characters, has {len(value)}")


def _choice_problem(field: str, value: object, choices: frozenset[str]) -> FieldProblem:
    if value is None:
        return FieldProblem(field, "is required")
    return FieldProblem(field, f"must be one of {', '.join(sorted(choices))}")


def _currency_problem(value: object) -> FieldProblem:
    if value is None:
        return FieldProblem("currency", "is required")
    if isinstance(value, str) and value.upper() in KNOWN_CURRENCIES:
        return FieldProblem("currency", f"must be written in capitals: {value.upper()}")
    return FieldProblem("currency", "is not a currency code of ISO 4217")


def _text(value: object, field: str, problems: list[FieldProblem]) -> str:
    if value is None:
        return ""
    if type(value) is str and len(value) <= MAX_TEXT:
        return value
    problems.append(
        FieldProblem(
            field,
            f"must have at most {MAX_TEXT} characters, has {len(value)}"
            if isinstance(value, str)
            else "must be text",
        )
    )
    return ""


def _check_characters(problems: list[FieldProblem], **texts: str | None) -> None:
    for field, text in texts.items():
        if not text:
            continue
        if "\0" in text:
            problems.append(FieldProblem(field, "holds a NUL character"))
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            problems.append(FieldProblem(field, "holds half of a surrogate pair, which is no character"))


def _instant(value: object, now: datetime, problems: list[FieldProblem]) -> datetime | None:
    if type(value) is not str:
        problems.append(FieldProblem("occurred_at", "must be text in ISO 8601, such as 2026-03-01T09:30:00Z"))
        return None
    try:
        # The standard library also reads week dates, basic format and any separator; one spelling is enough.
        instant = datetime.fromisoformat(value) if value[10:11] in SEPARATORS and value[4:8:3] == "--" else None
    except ValueError:
        instant = None
    if instant is None:
        problems.append(_not_an_instant(value))
    elif instant.tzinfo is None:
        problems.append(FieldProblem("occurred_at", "has no time zone: add Z or an offset such as +01:00"))
    elif not EARLIEST.year - 1 <= instant.year or instant < EARLIEST:
        problems.append(FieldProblem("occurred_at", "lies before 1999-01-01"))
    elif instant > latest_occurrence(now=now):
        problems.append(FieldProblem("occurred_at", f"lies more than {MONTHS_AHEAD} months ahead"))
    else:
        return instant
    return None


def _not_an_instant(value: str) -> FieldProblem:
    try:
        date.fromisoformat(value)
    except ValueError:
        return FieldProblem("occurred_at", "is not an ISO 8601 date and time, such as 2026-03-01T09:30:00Z")
    return FieldProblem("occurred_at", "is a date without a time and a time zone, such as 2026-03-01T09:30:00Z")


def _metadata(value: object, problems: list[FieldProblem]) -> Mapping[str, Any] | str:
    if value is None:
        return _NO_METADATA
    if isinstance(value, RepeatedKey):
        problems.append(FieldProblem("metadata", f"states the key {value.key!r} twice"))
    elif not isinstance(value, dict | str):
        problems.append(FieldProblem("metadata", "must be an object or text"))
    else:
        try:
            metadata_json(value)
        except InvalidMetadata as error:
            problems.append(FieldProblem("metadata", str(error)))
        else:
            return value
    return _NO_METADATA


def _direction(
    stated: object, event_type: str, metadata: Mapping[str, Any] | str, problems: list[FieldProblem]
) -> str | None:
    """Return the direction of an adjustment or transfer; elsewhere only agree with what the type implies."""
    if stated is not None and (type(stated) is not str or stated not in DIRECTIONS):
        problems.append(FieldProblem("direction", "must be in or out"))
        return None
    implied = IMPLIED_DIRECTION.get(event_type)
    if implied is not None:
        if stated != implied:
            problems.append(FieldProblem("direction", f"of event type {event_type} is always {implied}"))
        return None
    noted = metadata.get("direction") if isinstance(metadata, dict) else None
    if noted is not None and (type(noted) is not str or noted not in DIRECTIONS):
        problems.append(FieldProblem("metadata.direction", "must be in or out"))
        return None
    if stated is None and noted is None and event_type:
        problems.append(FieldProblem("direction", f"is required for event type {event_type}: in or out"))
    elif stated is not None and noted is not None and stated != noted:
        problems.append(FieldProblem("direction", "contradicts metadata.direction"))
    return stated if isinstance(stated, str) else noted
