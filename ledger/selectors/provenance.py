"""By what an event came, and which events something brought."""

from dataclasses import dataclass
from datetime import datetime

from ledger.domain.shown_delivery import ShownBody, shown_body, shown_headers
from ledger.models.delivery import Delivery
from ledger.models.import_file import ImportFile
from ledger.models.plaid import PlaidWalk
from ledger.models.provenance import Provenance

SHOWN_CHARACTERS = 32_768


@dataclass(frozen=True, slots=True)
class DeliveryContent:
    """What came, for those who may read it.

    Attributes:
        headers: (name, value).
        body: None when it is no JSON.
        sha256: of the whole body, in hexadecimal.
    """

    headers: tuple[tuple[str, str], ...]
    body: ShownBody | None
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CameByDelivery:
    """Attributes:
    verdict, state: for people.
    content: None for who may not read it.
    """

    delivery_id: int
    provider: str
    endpoint: str
    received_at: datetime
    verdict: str
    state: str
    reason: str
    content: DeliveryContent | None


@dataclass(frozen=True, slots=True)
class CameByWalk:
    """A walk through a bank's news at Plaid. `items`: how many things it said."""

    walk_id: int
    item: str
    ended_at: datetime
    pages: int
    items: int | None


@dataclass(frozen=True, slots=True)
class CameByFile:
    """A file that somebody handed in. `sha256` in hexadecimal."""

    file_id: int
    name: str
    format: str
    actor: str
    uploaded_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class EventProvenance:
    """By what an event came: one of these.

    Attributes:
        first_position, last_position: of the events that came with it, in the same transaction.
    """

    first_position: int
    last_position: int
    delivery: CameByDelivery | None = None
    walk: CameByWalk | None = None
    file: CameByFile | None = None


def event_provenance(*, company_id: int, position: int, with_content: bool) -> EventProvenance | None:
    """Return by what the event at a position came; None where nothing is known, as of events of API clients.

    Args:
        with_content: with headers and body of a delivery.
    """
    row = (
        Provenance.objects.filter(company_id=company_id, first_position__lte=position)
        .order_by("-first_position")
        .first()
    )
    if row is None or row.last_position < position:
        return None
    return EventProvenance(
        first_position=row.first_position,
        last_position=row.last_position,
        delivery=_delivery(company_id, row.delivery_id, with_content=with_content) if row.delivery_id else None,
        walk=_walk(company_id, row.walk_id) if row.walk_id else None,
        file=_file(company_id, row.import_file_id) if row.import_file_id else None,
    )


def positions_brought(*, company_id: int, delivery_id: int) -> tuple[tuple[int, int], ...]:
    """Return (first, last) of the positions that a delivery brought, in order, both included."""
    rows = Provenance.objects.filter(company_id=company_id, delivery_id=delivery_id).order_by("first_position")
    return tuple(rows.values_list("first_position", "last_position"))


def _delivery(company_id: int, delivery_id: int, *, with_content: bool) -> CameByDelivery:
    rows = Delivery.objects.select_related("endpoint").filter(company_id=company_id)
    delivery = (rows if with_content else rows.defer("body", "headers")).get(pk=delivery_id)
    content = None
    if with_content:
        content = DeliveryContent(
            headers=shown_headers(delivery.headers),
            body=shown_body(bytes(delivery.body), most_characters=SHOWN_CHARACTERS),
            size_bytes=delivery.size_bytes,
            sha256=bytes(delivery.sha256).hex(),
        )
    return CameByDelivery(
        delivery_id=delivery.pk,
        provider=delivery.endpoint.provider,
        endpoint=delivery.endpoint.name,
        received_at=delivery.received_at,
        verdict=delivery.get_verdict_display(),
        state=delivery.get_state_display(),
        reason=delivery.reason,
        content=content,
    )


def _walk(company_id: int, walk_id: int) -> CameByWalk:
    walk = PlaidWalk.objects.select_related("item").get(company_id=company_id, pk=walk_id)
    return CameByWalk(walk.pk, walk.item.item_id, walk.ended_at, walk.pages, walk.items)


def _file(company_id: int, file_id: int) -> CameByFile:
    file = ImportFile.objects.get(company_id=company_id, pk=file_id)
    return CameByFile(file.pk, file.name, file.format, file.actor, file.uploaded_at, bytes(file.sha256).hex())
