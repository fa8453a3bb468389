"""The switch that stops everything: its turns are read by finance staff and added by admins of the company."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from cloudpolicy.admin.company_time import company_time
from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.refusals import MAX_REASON, NotAllowed
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.models.company import Company

ON, OFF = "on", "off"


class TurnForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    turn = forms.ChoiceField(
        choices=[(ON, "On: nothing may change the cloud"), (OFF, "Off: changes are allowed again")],
        initial=ON,
        widget=forms.RadioSelect,
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


@admin.register(KillSwitchTurn)
class KillSwitchTurnAdmin(CompanyScopedAdmin):
    turned = company_time("turned_at")
    add_roles = ADMINS
    list_display = ("company", "on", "reason", "actor", "turned")
    list_filter = (CompanyFilter, "on")
    list_select_related = ("company",)
    ordering = ("-id",)
    fields = ("company", "on", "reason", "actor", "turned")
    readonly_fields = fields

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        company_ids = companies_with(request, ADMINS)
        if not company_ids:
            raise PermissionDenied
        form = TurnForm(company_ids=company_ids, data=request.POST if request.method == "POST" else None)
        if form.is_valid():
            values = form.cleaned_data
            try:
                switch = turn_kill_switch(
                    company_id=values["company"].pk,
                    on=values["turn"] == ON,
                    actor=actor_of(request),
                    reason=values["reason"],
                    now=timezone.now(),
                )
            except NotAllowed as refused:
                form.add_error(refused.field or None, f"{refused}.".capitalize())
            else:
                said = f"{switch.because}." if switch.because else "The kill switch is off."
                messages.success(request, said[:1].upper() + said[1:])
                return HttpResponseRedirect(reverse("admin:cloudpolicy_killswitchturn_changelist"))
        status = 422 if form.errors else 200
        return admin_page(self, request, "form_page.html", title="Turn the kill switch", form=form, status=status)
