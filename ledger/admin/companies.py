"""Companies: opened by operators, renamed by their admins, never deleted."""

from collections.abc import Collection
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ledger.admin.scope import ADMINS, CompanyScopedAdmin
from ledger.domain.currency import ACTIVE_CURRENCIES
from ledger.models.company import Company
from ledger.services.companies import create_company


def currency_choices() -> list[tuple[str, str]]:
    return [(code, code) for code in sorted(ACTIVE_CURRENCIES)]


def timezone_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(available_timezones())]


class OpeningForm(forms.ModelForm):
    base_currency = forms.ChoiceField(choices=currency_choices, initial="USD", help_text="Of its books; it stays.")
    timezone = forms.ChoiceField(
        choices=timezone_choices, initial="UTC", help_text="Decides what a day is; it stays."
    )

    class Meta:
        model = Company
        fields = ("slug", "name", "base_currency", "timezone")


@admin.register(Company)
class CompanyAdmin(CompanyScopedAdmin):
    change_roles = ADMINS
    list_display = ("name", "slug", "base_currency", "timezone", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name",)
    fields = ("slug", "name", "base_currency", "timezone", "adjustment_limit")

    def company_id_of(self, row: Any) -> int:
        return int(row.pk)

    def only_companies(self, rows: QuerySet, company_ids: Collection[int]) -> QuerySet:
        return rows.filter(id__in=company_ids)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The journal is summed in this currency and by days of this time zone; scripts know the slug.
        return ("slug", "base_currency", "timezone") if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = OpeningForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else OpeningForm.Meta.fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name", "adjustment_limit"])
            return
        opened = create_company(
            slug=obj.slug, name=obj.name, currency=obj.base_currency, timezone=obj.timezone, now=timezone.now()
        )
        obj.pk, obj.created_at = opened.pk, opened.created_at
