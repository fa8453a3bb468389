"""What imports remember: saved CSV mappings, and which account a bank's number is."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin
from ledger.models.import_memory import AccountNumber, SavedMapping


@admin.register(SavedMapping)
class SavedMappingAdmin(CompanyScopedAdmin):
    """Made where a file is imported; here it gets another name or account, or is deleted."""

    change_roles = FINANCE
    delete_roles = FINANCE
    list_display = ("name", "company", "account", "columns", "saved_at", "actor")
    list_filter = (CompanyFilter,)
    list_select_related = ("company",)
    ordering = ("name",)
    fields = ("company", "name", "account", "columns", "choices", "actor", "saved_at")
    readonly_fields = ("company", "columns", "choices", "actor", "saved_at")

    @admin.display(description="Columns of the file")
    def columns(self, mapping: SavedMapping) -> str:
        return ", ".join(mapping.header)


@admin.register(AccountNumber)
class AccountNumberAdmin(CompanyScopedAdmin):
    """To be read only: a number that changed its account would let a statement be counted twice."""

    list_display = ("shown", "company", "account", "created_at")
    list_filter = (CompanyFilter,)
    list_select_related = ("company", "account")
    ordering = ("account__name", "ending")
    exclude = ("fingerprint",)

    @admin.display(description="Number")
    def shown(self, number: AccountNumber) -> str:
        return f"…{number.ending}"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
