"""Banks read through Plaid: whether they speak, and rows that wait because they could not be recorded."""

from django.contrib import admin

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
    list_display = ("transaction_id", "company", "item", "reason", "refused_at", "settled_at")
    list_filter = (CompanyFilter, ("settled_at", admin.EmptyFieldListFilter))
    list_select_related = ("company", "item")
    search_fields = ("transaction_id",)
    ordering = ("-refused_at",)
