"""Closed months: closed and opened again by admins of the company; every step stays on record."""

import re
from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.models.closed_month import MonthClosing
from ledger.models.company import Company
from ledger.services.closed_months import MAX_REASON, NotClosable, close_month, reopen_month

CLOSE, REOPEN = "close", "reopen"
_MONTH = re.compile(r"((?:19|20)[0-9]{2})-(0[1-9]|1[0-2])")


class MonthField(forms.CharField):
    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2026-03"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = _MONTH.fullmatch(text)
        if found is None:
            raise forms.ValidationError("Enter a month such as 2026-03.")
        return date(int(found[1]), int(found[2]), 1)


class ClosingForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    month = MonthField(help_text="By the calendar of the company.")
    step = forms.ChoiceField(
        choices=[(CLOSE, "Close the month"), (REOPEN, "Open it again")], initial=CLOSE, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept, with your name."
    )

    def __init__(self, *, company_ids: Collection[int], data: Any = None) -> None:
        super().__init__(data)
        companies = Company.objects.filter(id__in=company_ids).order_by("name")
        self.fields["company"].queryset = companies  # type: ignore[attr-defined]
        if len(company_ids) == 1:
            self.fields["company"].initial = next(iter(company_ids))


@admin.register(MonthClosing)
class MonthClosingAdmin(CompanyScopedAdmin):
    add_roles = ADMINS
    list_display = ("month_name", "company", "closed", "reason", "actor", "recorded_at")
    list_filter = (CompanyFilter, "closed")
    list_select_related = ("company",)
    ordering = ("-month", "-id")
    fields = ("company", "month_name", "closed", "reason", "actor", "recorded_at")
    readonly_fields = fields

    @admin.display(description="month", ordering="month")
    def month_name(self, closing: MonthClosing) -> str:
        return f"{closing.month:%Y-%m}"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        company_ids = companies_with(request, ADMINS)
        if not company_ids:
            raise PermissionDenied
        form = ClosingForm(company_ids=company_ids, data=request.POST if request.method == "POST" else None)
        if form.is_valid() and _take_step(form, request):
            return HttpResponseRedirect(reverse("admin:ledger_monthclosing_changelist"))
        return admin_page(
            self,
            request,
            "form_page.html",
            title="Close a month or open it again",
            form=form,
            status=422 if form.errors else 200,
        )


def _take_step(form: ClosingForm, request: HttpRequest) -> bool:
    values = form.cleaned_data
    step = close_month if values["step"] == CLOSE else reopen_month
    try:
        step(
            company_id=values["company"].id,
            month=values["month"],
            reason=values["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
    except NotClosable as error:
        form.add_error(error.problem.field, capfirst(f"{error.problem.field} {error.problem.message}."))
        return False
    done = "closed" if values["step"] == CLOSE else "open again"
    messages.success(request, f"{values['month']:%Y-%m} of {values['company']} is {done}.")
    return True
