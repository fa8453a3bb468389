"""What providers send: kept as it came, worked on by a job, kept for a look when it cannot be read, read again."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from rq.timeouts import BaseTimeoutException

from ledger.domain.intake import Fate, Intake
from ledger.metrics import DELIVERIES
from ledger.models.company import Company
from ledger.models.delivery import Delivery, DeliveryState, Verdict
from ledger.models.endpoint import WebhookEndpoint
from ledger.providers.provider import FetchContext, ParseContext, ProviderUnavailable, Unreadable
from ledger.services.delivery_items import counted, items_before, undivided
from ledger.services.endpoints import InvalidEndpoint, OpenedEndpoint, add_secret, open_endpoint_numbered
from ledger.services.feed_notices import Followed, follow_notices
from ledger.services.plaid_queue import wanted_items
from ledger.services.provenance import CameBy
from ledger.services.record_intake import IntakeOutcome, Item, ReadIntake, read_intake, record_intake
from ledger.services.transient import try_again

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1_048_576
MAX_HEADER_CHARACTERS = 4096
# A stranger may call an address as often as he likes: of what is refused, this much is kept per endpoint.
REFUSED_KEPT = 100
REFUSED_PER_HOUR = 100
REFUSED_BYTES = 4096
MAX_REASON = 2000
# A worker that was silent for this long is taken for dead. A fetch of many pages takes minutes.
LEASE = timedelta(minutes=15)
# 5 s, 10 s, … 1 h: a provider that is away for a day is asked again on the next.
MAX_ATTEMPTS = 24
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
MAX_CURSOR_ATTEMPTS = 5
MAX_SWEPT = 500

_REFUSE = """
    INSERT INTO ledger_delivery (
        company_id, endpoint_id, received_at, body, size_bytes, sha256, headers, verdict, state, reason,
        recorded, duplicate, corrected, rejected, attempts, due_at
    )
    SELECT %(company)s, %(endpoint)s, %(now)s, %(body)s, %(size)s, %(sha256)s, '{}', 'refused', 'refused',
           %(reason)s, 0, 0, 0, 0, 0, %(now)s
    WHERE (
        SELECT count(*) FROM (
            SELECT FROM ledger_delivery WHERE company_id = %(company)s AND endpoint_id = %(endpoint)s
            AND state = 'refused' AND received_at > %(hour_ago)s LIMIT %(per_hour)s
        ) recent
    ) < %(per_hour)s
"""
_FORGET_REFUSED = """
    DELETE FROM ledger_delivery WHERE id IN (
        SELECT id FROM ledger_delivery WHERE company_id = %(company)s AND endpoint_id = %(endpoint)s
        AND state = 'refused' ORDER BY received_at DESC OFFSET %(kept)s
    )
"""


# All are due, in the order in which they came, and at another instant than ever before: jobs are named by it.
_RELEASE_ALL = """
    UPDATE ledger_delivery d
    SET state = 'waiting', attempts = 0, claimed_at = NULL, due_at = %(now)s - o.later * interval '1 microsecond'
    FROM (
        SELECT id, row_number() OVER (ORDER BY received_at DESC, id DESC) - 1 AS later
        FROM ledger_delivery WHERE endpoint_id = %(endpoint)s AND verdict = 'verified'
    ) o
    WHERE d.id = o.id AND (d.claimed_at IS NULL OR d.claimed_at < %(dead)s)
"""


class _CursorMoved(RuntimeError):
    """Another job has fetched from this endpoint meanwhile."""


class _Overtaken(RuntimeError):
    """Another worker has taken the delivery over."""


def keep_delivery(*, endpoint: OpenedEndpoint, raw: bytes, headers: Mapping[str, str], now: datetime) -> int:
    """Keep a verified delivery, in a transaction of its own, and return its number for `wake_delivery`.

    Args:
        headers: all of the request's, by lower-case name; only those that the provider declares safe are kept.
    """
    kept = {
        name: headers[name][:MAX_HEADER_CHARACTERS]
        for name in sorted(endpoint.provider.safe_headers)
        if name in headers
    }
    with transaction.atomic():
        delivery = Delivery.objects.create(
            company_id=endpoint.company_id,
            endpoint_id=endpoint.id,
            received_at=now,
            body=raw,
            size_bytes=len(raw),
            sha256=sha256(raw).digest(),
            headers=kept,
            verdict=Verdict.VERIFIED,
            state=DeliveryState.WAITING,
            due_at=now,
        )
    DELIVERIES.labels(provider=endpoint.provider.name, state="received").inc()
    return delivery.pk


def keep_refused(*, endpoint: OpenedEndpoint, raw: bytes, reason: str, now: datetime) -> bool:
    """Keep the beginning of a refused delivery, among the last of them; false when too many came in an hour."""
    DELIVERIES.labels(provider=endpoint.provider.name, state=DeliveryState.REFUSED).inc()
    values: dict[str, Any] = {
        "company": endpoint.company_id,
        "endpoint": endpoint.id,
        "now": now,
        "hour_ago": now - timedelta(hours=1),
        "body": raw[:REFUSED_BYTES],
        "size": len(raw),
        "sha256": sha256(raw).digest(),
        "reason": _clean(reason),
        "per_hour": REFUSED_PER_HOUR,
        "kept": REFUSED_KEPT,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_REFUSE, values)
        if cursor.rowcount == 0:
            return False
        cursor.execute(_FORGET_REFUSED, values)
    return True


def waiting_deliveries(*, now: datetime) -> list[int]:
    """Return deliveries that are due and that nobody is at work on, oldest first, at most MAX_SWEPT."""
    found = _free(Delivery.objects.all(), now).order_by("due_at")
    return list(found.values_list("pk", flat=True)[:MAX_SWEPT])


def job_name(*, delivery_pk: int) -> str:
    """Return the name of the job that does the next work on a delivery, the same for everybody who asks for it."""
    told = Delivery.objects.filter(pk=delivery_pk).values_list("attempts", "due_at").first()
    if told is None:
        return f"delivery-{delivery_pk}"
    attempts, due_at = told
    # A replay begins to count anew; by when it is due it has another name than what was killed before.
    return f"delivery-{delivery_pk}-{attempts}-{due_at:%Y%m%d%H%M%S%f}"


def release_for_replay(*, delivery_pk: int, now: datetime) -> bool:
    """Let a delivery be worked on anew; false for one that was refused or that a worker has in hand."""
    free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - LEASE)
    deliveries = Delivery.objects.filter(free, pk=delivery_pk, verdict=Verdict.VERIFIED)
    return deliveries.update(state=DeliveryState.WAITING, attempts=0, due_at=now, claimed_at=None) == 1


def release_endpoint_for_replay(*, endpoint_pk: int, now: datetime) -> int:
    """Let every delivery that an endpoint took be worked on anew, such as with a key that was entered since.

    They are swept in the order in which they came. Returns how many; those that a worker has in hand are left.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE_ALL, {"endpoint": endpoint_pk, "now": now, "dead": now - LEASE})
        return cursor.rowcount


def work_on_delivery(*, delivery_pk: int, clock: Callable[[], datetime]) -> str:
    """Turn a delivery into events; return its state, or `not due` when it is not this worker's turn.

    What it says and the state of the delivery change in one transaction. A delivery that cannot be read, or of
    which something is rejected, is quarantined with the reason: nothing of it is lost, and a replay reads it
    again. What fails for want of the database, of the provider or of time (a job has so much of it) is tried
    again, each time later.
    """
    now = clock()
    claimed = _free(Delivery.objects.filter(pk=delivery_pk), now)
    if claimed.update(claimed_at=now, attempts=F("attempts") + 1) == 0:
        return "not due"
    delivery = Delivery.objects.get(pk=delivery_pk)
    try:
        state = _work(delivery, clock)
    except (OperationalError, InterfaceError, ProviderUnavailable, BaseTimeoutException) as error:
        state = _put_off(delivery, error, clock())
    except _Overtaken:
        return "not due"
    except Unreadable as error:
        state = _quarantine(delivery, str(error), clock())
    except Exception as error:
        # A bug of ours must not lose what a provider will not send again.
        logger.exception(
            "delivery_quarantined", extra={"delivery": delivery_pk, "company_id": delivery.company_id}
        )
        state = _quarantine(delivery, f"{type(error).__name__}: {error}", clock())
    DELIVERIES.labels(provider=delivery.endpoint.provider, state=state).inc()
    return state


def items_to_read(*, delivery_pk: int) -> tuple[int, ...]:
    """Numbers of the Plaid items that wait to be read in the company of a delivery that Plaid sent."""
    company_id = (
        Delivery.objects.filter(pk=delivery_pk, endpoint__provider="plaid")
        .values_list("company_id", flat=True)
        .first()
    )
    return () if company_id is None else wanted_items(company_id=company_id)


def _free(deliveries: QuerySet[Delivery], now: datetime) -> QuerySet[Delivery]:
    nobody = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - LEASE)
    return deliveries.filter(nobody, state=DeliveryState.WAITING, due_at__lte=now)


def _work(delivery: Delivery, clock: Callable[[], datetime]) -> str:
    if delivery.attempts > MAX_ATTEMPTS:
        raise Unreadable(
            f"{MAX_ATTEMPTS} workers began on it and none came to an end; the last: {delivery.reason}"
        )
    for _ in range(MAX_CURSOR_ATTEMPTS):
        try:
            return _read_and_record(delivery, clock)
        except _CursorMoved:
            continue
    raise ProviderUnavailable("other deliveries keep moving the endpoint's cursor")


def _read_and_record(delivery: Delivery, clock: Callable[[], datetime]) -> str:
    endpoint = open_endpoint_numbered(endpoint_pk=delivery.endpoint_id)
    provider = endpoint.provider
    context = _context(delivery, endpoint)
    raw = bytes(delivery.body)
    fetched = None
    cursor = WebhookEndpoint.objects.values_list("cursor", flat=True).get(pk=endpoint.id)
    if provider.fetch is not None:
        ask = FetchContext(parse=context, cursor=cursor, credentials=endpoint.credentials, now=clock())
        fetched = provider.fetch(raw, ask)
    intake = provider.parse(raw, context) if fetched is None else fetched.intake
    now = clock()
    read = read_intake(intake, now=now)

    def write() -> str:
        with transaction.atomic():
            _hold(delivery)
            if fetched is not None and dict(fetched.cursor) != cursor:
                kept = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.id)
                if kept.cursor != cursor:
                    raise _CursorMoved
                kept.cursor = dict(fetched.cursor)
                kept.save(update_fields=["cursor"])
            return _record(delivery, endpoint, read, now)

    return try_again(write)


def _context(delivery: Delivery, endpoint: OpenedEndpoint) -> ParseContext:
    currency, timezone = Company.objects.values_list("base_currency", "timezone").get(pk=endpoint.company_id)
    return ParseContext(
        accounts=endpoint.accounts,
        settings=endpoint.settings,
        headers=delivery.headers,
        currency=currency,
        timezone=ZoneInfo(timezone),
        received_at=delivery.received_at,
    )


def _hold(delivery: Delivery) -> None:
    """Lock the delivery until the commit, provided that it is still this worker's."""
    mine = Delivery.objects.select_for_update().filter(
        pk=delivery.pk, state=DeliveryState.WAITING, claimed_at=delivery.claimed_at, attempts=delivery.attempts
    )
    if mine.first() is None:
        raise _Overtaken


def _record(delivery: Delivery, endpoint: OpenedEndpoint, read: ReadIntake, now: datetime) -> str:
    provider = endpoint.provider
    before = items_before(delivery)
    outcome = record_intake(
        company_id=endpoint.company_id,
        read=read,
        origin=provider.name,
        label=provider.label,
        stable_ids=provider.stable_ids,
        actor=f"webhook:{provider.name}",
        now=now,
        came_by=CameBy(delivery_id=delivery.pk),
    )
    followed = follow_notices(company_id=endpoint.company_id, notices=read.intake.notices, now=now)
    if read.intake.signing_secret:
        _keep_secret(endpoint, read.intake.signing_secret, now)
    items = (*outcome.items, *_notices(read.intake, followed))
    if outcome.problems:
        state, reason = DeliveryState.QUARANTINED, _sentences(outcome)
    elif followed.strangers:
        state, reason = DeliveryState.IGNORED, f"Not connected here: {', '.join(followed.strangers)}"
    elif items:
        overtaken = outcome.count(Fate.IGNORED)
        state, reason = DeliveryState.DONE, f"Something newer is known of {overtaken} of it." if overtaken else ""
    else:
        state, reason = DeliveryState.IGNORED, read.intake.ignored or "It says nothing about money."
        items = undivided(Fate.IGNORED)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state,
        reason=_clean(reason),
        claimed_at=None,
        finished_at=now,
        **counted(delivery, items, before=before),
    )
    return state


def _notices(intake: Intake, followed: Followed) -> tuple[Item, ...]:
    return tuple(
        Item(
            ("notice", notice.feed, notice.state),
            Fate.IGNORED if notice.feed in followed.strangers else Fate.STATED,
        )
        for notice in intake.notices
    )


def _keep_secret(endpoint: OpenedEndpoint, secret: str, now: datetime) -> None:
    try:
        add_secret(endpoint_pk=endpoint.id, secret=secret, now=now, retire_oldest=True)
    except InvalidEndpoint as error:
        if any(problem.message != "is active already" for problem in error.errors):
            raise Unreadable(str(error)) from None


def _sentences(outcome: IntakeOutcome) -> str:
    # A problem of the whole body has no field.
    return "; ".join(": ".join(filter(None, (each.field, each.message))) for each in outcome.problems)


def _put_off(delivery: Delivery, error: Exception, now: datetime) -> str:
    reason = f"{type(error).__name__}: {error}".strip()
    if delivery.attempts >= MAX_ATTEMPTS:
        return _quarantine(delivery, reason, now)
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(delivery.attempts - 1, 20))
    logger.warning("delivery_put_off", extra={"delivery": delivery.pk, "seconds": wait.total_seconds()})
    _mine(delivery).update(claimed_at=None, due_at=now + wait, reason=_clean(reason))
    return DeliveryState.WAITING


def _quarantine(delivery: Delivery, reason: str, now: datetime) -> str:
    state = DeliveryState.QUARANTINED
    counts = counted(delivery, undivided(Fate.REJECTED))
    _mine(delivery).update(state=state, reason=_clean(reason), claimed_at=None, finished_at=now, **counts)
    return state


def _mine(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.WAITING, claimed_at=delivery.claimed_at, attempts=delivery.attempts
    )


def _clean(reason: str) -> str:
    """What PostgreSQL can keep of a text that may quote a stranger."""
    plain = reason.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    return plain[:MAX_REASON]
