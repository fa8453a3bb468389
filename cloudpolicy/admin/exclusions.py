"""What is left alone for a while because of what a person did: read by finance staff, lifted by admins of the
company."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.services.exclusions import lift_exclusion
from cloudpolicy.services.refusals import MAX_REASON, NotAllowed
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with


class LiftForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept, with your name."
    )


@admin.register(Exclusion)
class ExclusionAdmin(CompanyScopedAdmin):
    list_display = ("name", "company", "region", "where_it_stands", "because", "actor", "ends_at")
    list_filter = (CompanyFilter, "only_growth")
    list_select_related = ("company",)
    ordering = ("-id",)
    fields = (
        "company", "name", "account", "region", "where_it_stands", "only_growth", "because", "plan", "actor",
        "made_at", "ends_at", "lifted_at", "lifted_by",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="where it stands")
    def where_it_stands(self, row: Exclusion) -> str:
        if row.lifted_at is not None:
            return "lifted"
        return "counts" if _counts(row, timezone.now()) else "has ended"

    def get_urls(self) -> list[URLPattern]:
        lift = path("<int:pk>/lift/", self.admin_site.admin_view(self.lift), name="cloudpolicy_exclusion_lift")
        return [lift, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, object_id)
        context = {}
        if row is not None and _counts(row, timezone.now()) and self.allows(request, ADMINS, row):
            context["lift_url"] = reverse("admin:cloudpolicy_exclusion_lift", args=(row.pk,))
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.get_queryset(request).filter(pk=pk).select_related("company").first()
        if row is None or row.company_id not in companies_with(request, ADMINS):
            raise PermissionDenied
        address = reverse("admin:cloudpolicy_exclusion_change", args=(row.pk,))
        form = LiftForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                lift_exclusion(
                    company_id=row.company_id,
                    exclusion_id=row.pk,
                    actor=actor_of(request),
                    reason=form.cleaned_data["reason"],
                    now=timezone.now(),
                )
            except NotAllowed as refused:
                form.add_error(refused.field or None, f"{refused}.".capitalize())
            else:
                messages.success(request, f"{row.name} is the policy's to decide about again.")
                return HttpResponseRedirect(address)
        return admin_page(
            self,
            request,
            "cloudpolicy/exclusion_lift.html",
            title=f"Lift the exclusion of {row.name}",
            form=form,
            exclusion=row,
            exclusion_url=address,
            status=422 if form.errors else 200,
        )


def _counts(row: Exclusion, now: datetime) -> bool:
    return row.lifted_at is None and row.ends_at > now
