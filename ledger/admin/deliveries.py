"""Deliveries of webhooks: read only, byte for byte, and read anew by the parser on demand."""

import itertools
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from ledger.admin.event_address import event_address
from ledger.admin.scope import CompanyFilter, CompanyScopedAdmin
from ledger.jobs import wake_delivery
from ledger.models.delivery import Delivery
from ledger.selectors.provenance import positions_brought
from ledger.services.deliveries import release_for_replay

SHOWN_BYTES = 65_536
SHOWN_EVENTS = 100
SHOWN_REASON = 120
COUNTED = ("recorded", "corrected", "duplicate", "taken_back", "stated", "ignored", "rejected")


@admin.register(Delivery)
class DeliveryAdmin(CompanyScopedAdmin):
    list_display = (
        "received_at",
        "company",
        "endpoint",
        "state",
        "outcome",
    )
    list_filter = (CompanyFilter, "state")
    list_select_related = ("company", "endpoint")
    ordering = ("-received_at",)
    fields = (
        "company",
        "endpoint",
        "received_at",
        "verdict",
        "state",
        "reason",
        "items",
        "recorded",
        "corrected",
        "duplicate",
        "taken_back",
        "stated",
        "ignored",
        "rejected",
        "events",
        "attempts",
        "due_at",
        "finished_at",
        "size_bytes",
        "digest",
        "headers",
        "payload",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("body")

    def get_urls(self) -> list[URLPattern]:
        replay = path("<int:pk>/replay/", self.admin_site.admin_view(self.replay), name="ledger_delivery_replay")
        return [replay, *super().get_urls()]

    @admin.display(description="what became of it")
    def outcome(self, delivery: Delivery) -> str:
        """The counts that are not zero, else the reason: a column of zeros says nothing."""
        counts = [(name, getattr(delivery, name)) for name in COUNTED]
        said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts if count)
        return Truncator(": ".join(text for text in (said, delivery.reason) if text)).chars(SHOWN_REASON)

    @admin.display(description="SHA-256")
    def digest(self, delivery: Delivery) -> str:
        return bytes(delivery.sha256).hex()

    @admin.display(description="events")
    def events(self, delivery: Delivery) -> str:
        """The events that it brought, as links."""
        ranges = positions_brought(company_id=delivery.company_id, delivery_id=delivery.pk)
        positions = itertools.chain.from_iterable(range(first, last + 1) for first, last in ranges)
        shown = [
            (event_address("change", company_id=delivery.company_id, position=position), position)
            for position in itertools.islice(positions, SHOWN_EVENTS)
        ]
        more = sum(last - first + 1 for first, last in ranges) - len(shown)
        links = format_html_join(", ", '<a href="{}">{}</a>', shown)
        if more:
            return format_html("{} and {} more", links, more)
        return links or "none"

    @admin.display(description="payload")
    def payload(self, delivery: Delivery) -> str:
        """The bytes as text, escaped by the template; what is no UTF-8 stands as its escapes."""
        return bytes(delivery.body)[:SHOWN_BYTES].decode("utf-8", "backslashreplace")

    def replay(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST" or not self.get_queryset(request).filter(pk=pk).exists():
            raise PermissionDenied
        if release_for_replay(delivery_pk=pk, now=timezone.now()):
            wake_delivery(delivery_id=pk)
            messages.success(request, "The delivery is read again; what is recorded already stays recorded once.")
        else:
            messages.warning(request, "A refused delivery, or one that a worker has in hand, is not read again.")
        return HttpResponseRedirect(reverse("admin:ledger_delivery_change", args=(pk,)))
