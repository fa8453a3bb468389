"""Plans in the admin: read by finance staff; approved, carried out and taken back by admins of the company."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.approval import PlanApproval
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.selectors.plans import stored_plan
from cloudpolicy.services.approving import Approver, approve_plan
from cloudpolicy.services.refusals import MAX_REASON, EngineBusy, NotAllowed, PlanNotFound
from cloudpolicy.services.runs import start_apply, start_rollback
from cloudpolicy.wake import wake_run
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with

APPROVE, APPLY, ROLL_BACK = "approve", "apply", "roll back"


class PlanDecisionForm(forms.Form):
    decision = forms.ChoiceField(
        choices=[
            (APPROVE, "Approve exactly this plan"),
            (APPLY, "Carry it out"),
            (ROLL_BACK, "Take back what it has changed"),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept, with your name."
    )


@admin.register(ScalingPlan)
class ScalingPlanAdmin(CompanyScopedAdmin):
    list_display = ("id", "company", "p5_days", "band", "changes", "created_at", "confirmed_at", "applied_at")
    list_filter = (CompanyFilter,)
    list_select_related = ("company",)
    ordering = ("-id",)
    fields = (
        "company", "policy", "forecast_run", "p5_days", "band", "says", "why_read_only", "notes", "digest",
        "created_at", "confirmed_at", "confirmations", "applied_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="calls")
    def changes(self, plan: ScalingPlan) -> int:
        return len(plan.calls)

    @admin.display(description="what it would do")
    def says(self, plan: ScalingPlan) -> str:
        return _what_it_does(plan)

    @admin.display(description="read-only because")
    def why_read_only(self, plan: ScalingPlan) -> str:
        return stored_plan(plan).read_only_text or "-"

    @admin.display(description="notes")
    def notes(self, plan: ScalingPlan) -> str:
        return "\n".join(warning.text for warning in stored_plan(plan).warnings) or "-"

    def get_urls(self) -> list[URLPattern]:
        decide = path(
            "<int:pk>/decide/", self.admin_site.admin_view(self.decide), name="cloudpolicy_scalingplan_decide"
        )
        return [decide, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        plan, context = self.get_object(request, object_id), {}
        if plan is not None and plan.calls and self.allows(request, ADMINS, plan):
            context["decide_url"] = reverse("admin:cloudpolicy_scalingplan_decide", args=(plan.pk,))
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        plan = self.get_queryset(request).filter(pk=pk).select_related("policy").first()
        if plan is None or plan.company_id not in companies_with(request, ADMINS):
            raise PermissionDenied
        form = PlanDecisionForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and _decide(form, plan, request):
            return HttpResponseRedirect(reverse("admin:cloudpolicy_scalingplan_change", args=(plan.pk,)))
        return admin_page(
            self,
            request,
            "plan_decision.html",
            title=f"Decide about plan {plan.pk}",
            form=form,
            plan_text=_what_it_does(plan),
            plan_url=reverse("admin:cloudpolicy_scalingplan_change", args=(plan.pk,)),
            status=422 if form.errors else 200,
        )


@admin.register(PlanApproval)
class PlanApprovalAdmin(CompanyScopedAdmin):
    list_display = ("plan", "company", "kind", "actor", "reason", "approved_at", "expires_at")
    list_filter = (CompanyFilter, "kind")
    list_select_related = ("company", "plan")
    ordering = ("-id",)


def _what_it_does(plan: ScalingPlan) -> str:
    return "\n".join(call["says"] for call in stored_plan(plan).calls) or "nothing"


def _decide(form: PlanDecisionForm, plan: ScalingPlan, request: HttpRequest) -> bool:
    """Do what was decided. False when it may not be done, and then the form says why."""
    reason, now, actor = form.cleaned_data["reason"], timezone.now(), actor_of(request)
    try:
        if form.cleaned_data["decision"] == APPROVE:
            consent = approve_plan(
                company_id=plan.company_id,
                plan_id=plan.pk,
                approver=Approver(actor, int(request.user.pk or 0)),
                reason=reason,
                digest=plan.digest,
                now=now,
            )
            but = f", but {consent.missing}" if consent.missing else ""
            messages.success(request, f"Plan {plan.pk} is approved{but}.")
            return True
        start = start_apply if form.cleaned_data["decision"] == APPLY else start_rollback
        run = start(company_id=plan.company_id, plan_id=plan.pk, actor=actor, reason=reason, now=now)
    except (NotAllowed, EngineBusy, PlanNotFound, InvalidPolicy) as refused:
        form.add_error(None, f"{refused}.".capitalize())
        return False
    if run is not None and run.state == RunState.OPEN:
        wake_run(run_id=run.pk)
    messages.success(
        request,
        "There is nothing to do." if run is None else f"Run {run.pk} is {run.get_state_display().lower()}.",
    )
    return True
