"""The journal: read here, corrected by adjustment and reversal, never edited."""

import json
import re
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from ledger.admin.adjustment import adjustment_view
from ledger.admin.event_address import event_address
from ledger.admin.reversal import reversal_view
from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin, companies_with
from ledger.models.event import CapitalEvent
from ledger.models.source import Source

# Pages end here; whoever looks for something older filters.
MAX_COUNTED_EVENTS = 10_000
MAX_LISTED_SOURCES = 100
_EVENT_KEY = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class BoundedCountPaginator(Paginator):
    """Counts up to MAX_COUNTED_EVENTS + 1 rows and no further: a count of ten million takes seconds."""

    counted_events = MAX_COUNTED_EVENTS

    @cached_property
    def count(self) -> int:
        rows: QuerySet = self.object_list  # type: ignore[assignment]
        return rows.order_by()[: MAX_COUNTED_EVENTS + 1].count()


class JournalChangeList(ChangeList):
    """The list in the journal's own order, which an index serves, with addresses by company and position."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> Any:
        return ["-company_id", "-position"]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # The count stands below the list; this keeps a second one out of the search bar.
        self.full_result_count = self.result_count

    def url_for_result(self, result: Any) -> str:
        return event_address("change", company_id=result.company_id, position=result.position)


class SourceFilter(admin.SimpleListFilter):
    """Filter by source, listed from the sources' own table: DISTINCT over the journal reads all of it."""

    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        sources = Source.objects.filter(company_id__in=companies_with(request, FINANCE))
        names = sources.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in names[:MAX_LISTED_SOURCES]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset if self.value() is None else queryset.filter(source=self.value())


@admin.register(CapitalEvent)
class CapitalEventAdmin(CompanyScopedAdmin):
    paginator = BoundedCountPaginator
    list_display = (
        "occurred",
        "company",
        "account",
        "event_type",
        "flow",
        "currency",
        "category",
        "counterparty",
        "source",
        "correction",
    )
    list_display_links = ("occurred",)
    list_select_related = ("company", "account")
    list_filter = (CompanyFilter, "event_type", SourceFilter, "occurred_at")
    # What get_search_results looks at; Django shows the field for it.
    search_fields = ("counterparty", "category", "external_ref")
    search_help_text = "Beginning of counterparty or category, or a whole external reference"
    sortable_by = ()
    fieldsets = (
        (None, {"fields": [("event_type", "flow", "currency"), ("occurred", "account", "company")]}),
        ("What it was", {"fields": [("category", "counterparty"), ("source", "external_ref"), "metadata_text"]}),
        ("In the books", {"fields": [("position", "in_base_currency", "exchange_rate"), ("recorded", "actor")]}),
        ("Correction", {"fields": [("reason", "reverses_hex", "revision")]}),
        ("Identity", {"fields": ["event_id_hex"]}),
    )
    readonly_fields = (
        "event_type",
        "flow",
        "currency",
        "occurred",
        "account",
        "company",
        "category",
        "counterparty",
        "source",
        "external_ref",
        "metadata_text",
        "position",
        "in_base_currency",
        "exchange_rate",
        "recorded",
        "actor",
        "reason",
        "reverses_hex",
        "revision",
        "event_id_hex",
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return JournalChangeList

    def get_urls(self) -> list[URLPattern]:
        # In front of Django's own, whose pattern for an event takes any text.
        mine = [
            path("adjust/", self.admin_site.admin_view(self.adjust), name="ledger_capitalevent_adjust"),
            path(
                "<str:key>/reverse/",
                self.admin_site.admin_view(self.take_back),
                name="ledger_capitalevent_reverse",
            ),
        ]
        return mine + super().get_urls()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        key = _EVENT_KEY.fullmatch(object_id)
        if key is None:
            return None
        events = self.get_queryset(request).select_related("company", "account")
        return events.filter(company_id=int(key[1]), position=int(key[2])).first()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        event = self.get_object(request, object_id)
        context = {} if event is None or event.reverses else {"reverse_url": _reverse_address(event)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"adjust_url": reverse("admin:ledger_capitalevent_adjust")}
        return super().changelist_view(request, (extra_context or {}) | context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term or "\0" in term:
            return (queryset.none() if term else queryset), False
        # The whole text is one term: names hold spaces.
        begins = Q(counterparty__istartswith=term) | Q(category__istartswith=term)
        return queryset.filter(begins | Q(external_ref=term)), False

    def adjust(self, request: HttpRequest) -> HttpResponse:
        return adjustment_view(self, request)

    def take_back(self, request: HttpRequest, key: str) -> HttpResponse:
        return reversal_view(self, request, self.get_object(request, key))

    @admin.display(description="occurred (UTC)")
    def occurred(self, event: CapitalEvent) -> str:
        return f"{event.occurred_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="recorded (UTC)")
    def recorded(self, event: CapitalEvent) -> str:
        return f"{event.recorded_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="amount")
    def flow(self, event: CapitalEvent) -> str:
        whole, _, decimals = f"{event.amount:,.6f}".partition(".")
        return f"{'+' if event.direction == 'in' else '−'}{whole}.{decimals.rstrip('0').ljust(2, '0')}"

    @admin.display(description="correction")
    def correction(self, event: CapitalEvent) -> str:
        if event.reverses:
            return "takes another back"
        return format_html('<a href="{}">Reverse…</a>', _reverse_address(event))

    @admin.display(description="metadata")
    def metadata_text(self, event: CapitalEvent) -> str:
        if isinstance(event.metadata, str):
            return event.metadata
        return format_html("<pre>{}</pre>", json.dumps(event.metadata, indent=2, ensure_ascii=False))

    @admin.display(description="in the books' currency")
    def in_base_currency(self, event: CapitalEvent) -> str:
        return f"{event.base_amount:,.2f} {event.company.base_currency}"

    @admin.display(description="exchange rate")
    def exchange_rate(self, event: CapitalEvent) -> str:
        return f"{event.fx_rate.normalize():f} by {event.fx_source} of {event.fx_at:%Y-%m-%d}"

    @admin.display(description="takes back event")
    def reverses_hex(self, event: CapitalEvent) -> str:
        return bytes(event.reverses).hex() if event.reverses else "-"

    @admin.display(description="event id")
    def event_id_hex(self, event: CapitalEvent) -> str:
        return bytes(event.event_id).hex()


def _reverse_address(event: CapitalEvent) -> str:
    return event_address("reverse", company_id=event.company_id, position=event.position)
