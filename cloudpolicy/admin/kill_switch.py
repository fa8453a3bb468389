"""Pausing everything, and letting it go on, from the admin: each turn of the switch is a row that stays."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.services.kill_switch import turn_kill_switch
from cloudpolicy.services.refusals import MAX_REASON, NotAllowed
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.models.company import Company


class TurnForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    turn = forms.ChoiceField(
        choices=[("on", "Pause: change nothing in the cloud"), ("off", "Let it go on")], widget=forms.RadioSelect
    )
    reason = forms.CharField(max_length=MAX_REASON, help_text="Kept, with your name.")


@admin.register(KillSwitchTurn)
class KillSwitchTurnAdmin(CompanyScopedAdmin):
    add_roles = ADMINS
    list_display = ("turned_at", "company", "on", "reason", "actor")
    list_filter = (CompanyFilter,)
    list_select_related = ("company",)
    ordering = ("-id",)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        company_ids = companies_with(request, ADMINS)
        if not company_ids:
            raise PermissionDenied
        form = TurnForm(request.POST if request.method == "POST" else None)
        form.fields["company"].queryset = Company.objects.filter(id__in=company_ids)  # type: ignore[attr-defined]
        if form.is_valid():
            values = form.cleaned_data
            try:
                switch = turn_kill_switch(
                    company_id=values["company"].id,
                    on=values["turn"] == "on",
                    actor=actor_of(request),
                    reason=values["reason"],
                    now=timezone.now(),
                )
            except NotAllowed as refused:
                form.add_error("reason", str(refused))
            else:
                messages.success(request, f"{switch.because}.".capitalize())
                return HttpResponseRedirect(reverse("admin:cloudpolicy_killswitchturn_changelist"))
        status = 422 if form.errors else 200
        return admin_page(self, request, "form_page.html", title="Pause, or go on", form=form, status=status)
