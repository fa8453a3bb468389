"""Adjustments above a company's limit: a second person approves or rejects them here."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst

from ledger.admin.event_address import outcome_address
from ledger.admin.page import admin_page
from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin, companies_with
from ledger.domain.outcome import REJECTED
from ledger.models.pending_adjustment import PendingAdjustment, PendingState
from ledger.services.adjustments import MAX_REASON, NotDecidable, approve_adjustment, reject_adjustment

APPROVE, REJECT = "approve", "reject"


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(
        choices=[(APPROVE, "Approve and record it"), (REJECT, "Reject it")], widget=forms.RadioSelect
    )
    reason = forms.CharField(
        max_length=MAX_REASON,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept, with your name. Required to reject.",
    )


@admin.register(PendingAdjustment)
class PendingAdjustmentAdmin(CompanyScopedAdmin):
    list_display = (
        "requested_at", "company", "account", "direction", "amount", "currency", "reason", "requested_by", "state",
    )  # fmt: skip
    list_filter = (CompanyFilter, "state")
    list_select_related = ("company", "account", "requested_by")
    ordering = ("-requested_at",)
    fields = (
        "company", "account", "direction", "amount", "currency", "base_amount", "occurred_at", "category",
        "counterparty", "reason", "into_closed_month", "requested_by", "requested_at", "state", "decided_by",
        "decided_at", "decision_reason", "event_id_hex",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="event id")
    def event_id_hex(self, pending: PendingAdjustment) -> str:
        return bytes(pending.event_id).hex() if pending.event_id else "-"

    def get_urls(self) -> list[URLPattern]:
        decide = path(
            "<int:pk>/decide/", self.admin_site.admin_view(self.decide), name="ledger_pendingadjustment_decide"
        )
        return [decide, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        pending = self.get_object(request, object_id)
        context = {}
        if pending is not None and _may_decide(request, pending):
            context["decide_url"] = reverse("admin:ledger_pendingadjustment_decide", args=(pending.pk,))
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        pending = (
            self.get_queryset(request).filter(pk=pk).select_related("company", "account", "requested_by").first()
        )
        if pending is None or pending.company_id not in companies_with(request, FINANCE):
            raise PermissionDenied
        form = DecisionForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            address = _decide(form, pending, request)
            if address is not None:
                return HttpResponseRedirect(address)
        return admin_page(
            self,
            request,
            "decision.html",
            title="Decide about an adjustment",
            form=form,
            pending=pending,
            pending_url=reverse("admin:ledger_pendingadjustment_change", args=(pending.pk,)),
            status=422 if form.errors else 200,
        )


def _may_decide(request: HttpRequest, pending: PendingAdjustment) -> bool:
    return pending.state == PendingState.WAITING and pending.requested_by_id != request.user.pk


def _decide(form: DecisionForm, pending: PendingAdjustment, request: HttpRequest) -> str | None:
    """Address of what follows; None when it could not be decided, and then the form says why."""
    user_id = int(request.user.pk or 0)
    reason, now = form.cleaned_data["reason"], timezone.now()
    try:
        if form.cleaned_data["decision"] == REJECT:
            reject_adjustment(pending_id=pending.pk, user_id=user_id, reason=reason, now=now)
            messages.success(request, "The adjustment is rejected; nothing is recorded.")
            return reverse("admin:ledger_pendingadjustment_change", args=(pending.pk,))
        outcome = approve_adjustment(pending_id=pending.pk, user_id=user_id, reason=reason, now=now)
    except NotDecidable as error:
        form.add_error(None, str(error))
        return None
    if outcome.status == REJECTED or not outcome.event_id:
        for problem in outcome.problems:
            form.add_error(None, capfirst(f"{problem.field} {problem.message}."))
        return None
    messages.success(request, "The adjustment is approved and recorded.")
    return outcome_address(company_id=pending.company_id, outcome=outcome)
