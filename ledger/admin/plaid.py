"""Banks read through Plaid: whether they speak, and rows that wait because they could not be recorded."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from ledger.admin.scope import CompanyFilter, CompanyScopedAdmin
from ledger.models.plaid import PlaidItem, PlaidRefusal


@admin.register(PlaidItem)
class PlaidItemAdmin(CompanyScopedAdmin):
    """To be looked at; `connect_plaid` connects."""

    list_display = ("item_id", "company", "silent", "trouble", "synced_at", "wanted_at", "retry_at", "failures")
    list_filter = (CompanyFilter, "silent")
    list_select_related = ("company",)
    search_fields = ("item_id",)
    ordering = ("company__name", "item_id")
    # The sealed token is nobody's business here.
    exclude = ("access_token", "claimed_at")


@admin.register(PlaidRefusal)
class PlaidRefusalAdmin(CompanyScopedAdmin):
    list_display = ("transaction_id", "item", "reason", "refused_at", "settled_at")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    list_select_related = ("item",)
    search_fields = ("transaction_id",)
    ordering = ("-refused_at",)

    def company_id_of(self, row: Any) -> int:
        return int(row.item.company_id)

    def only_companies(self, rows: QuerySet, company_ids: Collection[int]) -> QuerySet:
        return rows.filter(item__company_id__in=company_ids)
