"""Accounts: opened and renamed by admins of the company; what they hold is decided by the journal."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from ledger.admin.companies import currency_choices, timezone_choices
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin
from ledger.models.account import Account


class AccountForm(forms.ModelForm):
    currency = forms.ChoiceField(choices=currency_choices, initial="USD")
    timezone = forms.ChoiceField(
        choices=timezone_choices, initial="UTC", help_text="A date without a time is noon here."
    )

    class Meta:
        model = Account
        fields = ("company", "name", "kind", "currency", "timezone")


@admin.register(Account)
class AccountAdmin(CompanyScopedAdmin):
    add_roles = ADMINS
    change_roles = ADMINS
    form = AccountForm
    list_display = ("name", "company", "kind", "currency", "timezone")
    list_filter = (CompanyFilter, "kind")
    list_select_related = ("company",)
    search_fields = ("name",)
    ordering = ("company__name", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Whether its events move cash, and in what, is history.
        return ("company", "kind", "currency") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)
