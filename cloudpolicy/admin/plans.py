"""Plans and what became of them: read by finance; approved, applied and rolled back by admins of the company."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from cloudpolicy.admin.company_time import company_time
from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.approval import PlanApproval
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState, ScalingRun, StepEntry
from cloudpolicy.selectors.plans import stored_plan
from cloudpolicy.services.approving import Approver, approve_plan, consent_to
from cloudpolicy.services.refusals import MAX_REASON, EngineBusy, NotAllowed
from cloudpolicy.services.runs import start_apply, start_rollback
from cloudpolicy.services.standing_plans import void_because
from cloudpolicy.views.call_words import call_rows
from cloudpolicy.wake import wake_run
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with

APPROVE, APPLY, ROLL_BACK = "approve", "apply", "roll_back"


class ActForm(forms.Form):
    act = forms.ChoiceField(
        choices=[
            (APPROVE, "Approve exactly this plan"),
            (APPLY, "Apply it, once enough people have approved"),
            (ROLL_BACK, "Take back what it has changed"),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept, with your name."
    )
    # What was read is what is approved.
    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)


@admin.register(ScalingPlan)
class ScalingPlanAdmin(CompanyScopedAdmin):
    made, applied = company_time("created_at"), company_time("applied_at")
    list_display = (
        "id",
        "company",
        "p5_days",
        "band",
        "number_of_calls",
        "is_read_only",
        "made",
        "applied",
    )
    list_filter = (CompanyFilter,)
    list_select_related = ("company",)
    ordering = ("-id",)
    fields = (
        "company", "policy", "forecast_run", "p5_days", "band", "rows_in_force", "what_it_does", "why_read_only",
        "notes", "digest", "created_at", "confirmed_at", "confirmations", "applied_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="calls")
    def number_of_calls(self, plan: ScalingPlan) -> int:
        return len(plan.calls)

    @admin.display(description="read-only", boolean=True)
    def is_read_only(self, plan: ScalingPlan) -> bool:
        return bool(plan.read_only_because)

    @admin.display(description="calls")
    def what_it_does(self, plan: ScalingPlan) -> str:
        return "\n".join(_lines(plan)) or "nothing to do"

    @admin.display(description="read-only because")
    def why_read_only(self, plan: ScalingPlan) -> str:
        return _texts(plan.read_only_because)

    @admin.display(description="notes")
    def notes(self, plan: ScalingPlan) -> str:
        return _texts(plan.warnings)

    def get_urls(self) -> list[URLPattern]:
        act = path("<int:pk>/act/", self.admin_site.admin_view(self.act), name="cloudpolicy_scalingplan_act")
        return [act, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        plan = self.get_object(request, object_id)
        context = {}
        if plan is not None and plan.calls and self.allows(request, ADMINS, plan):
            context["act_url"] = reverse("admin:cloudpolicy_scalingplan_act", args=(plan.pk,))
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        plan = self.get_queryset(request).filter(pk=pk).select_related("company", "policy").first()
        if plan is None or plan.company_id not in companies_with(request, ADMINS):
            raise PermissionDenied
        now = timezone.now()
        form = ActForm(request.POST if request.method == "POST" else None, initial={"digest": plan.digest})
        if form.is_valid():
            try:
                messages.success(request, _ACTS[form.cleaned_data["act"]](plan, form, request, now))
                return HttpResponseRedirect(reverse("admin:cloudpolicy_scalingplan_change", args=(plan.pk,)))
            except (NotAllowed, EngineBusy) as refused:
                field = getattr(refused, "field", "")
                form.add_error(field if field == "reason" else None, f"{refused}.".capitalize())
            except InvalidPolicy as broken:
                form.add_error(None, f"The stored policy is broken: {broken}.")
        return admin_page(
            self,
            request,
            "cloudpolicy/plan_act.html",
            title=f"Approve, apply or roll back plan {plan.pk}",
            form=form,
            plan=plan,
            plan_url=reverse("admin:cloudpolicy_scalingplan_change", args=(plan.pk,)),
            calls=_lines(plan),
            status=422 if form.errors else 200,
            **_where_it_stands(plan, now),
        )


@admin.register(ScalingRun)
class ScalingRunAdmin(CompanyScopedAdmin):
    started, ended = company_time("started_at"), company_time("ended_at")
    resumes = company_time("resume_at")
    list_display = ("id", "company", "plan", "kind", "state", "actor", "started", "ended", "outcome")
    list_filter = (CompanyFilter, "state")
    list_select_related = ("company", "plan")
    ordering = ("-id",)
    fields = (
        "company", "plan", "kind", "undoes", "state", "outcome", "actor", "reason", "started",
        "resumes", "attempts", "ended", "journal",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="journal")
    def journal(self, run: ScalingRun) -> str:
        calls = run.calls or ()
        lines = []
        for entry in StepEntry.objects.filter(run=run).order_by("line"):
            group = calls[entry.step]["group"] if entry.step < len(calls) else ""
            said = [entry.get_phase_display(), entry.text, entry.content.get("request_id", "")]
            at = entry.at.astimezone(ZoneInfo(run.company.timezone))
            lines.append(f"{at:%Y-%m-%d %H:%M:%S %Z} {group}: " + ", ".join(str(each) for each in said if each))
        return "\n".join(lines) or "nothing yet"


@admin.register(PlanApproval)
class PlanApprovalAdmin(CompanyScopedAdmin):
    list_display = ("plan", "company", "kind", "actor", "reason", "approved_at", "expires_at")
    list_filter = (CompanyFilter, "kind")
    list_select_related = ("company", "plan")
    ordering = ("-id",)
    fields = ("company", "plan", "kind", "actor", "reason", "digest", "approved_at", "expires_at")
    readonly_fields = fields


def _approve(plan: ScalingPlan, form: ActForm, request: HttpRequest, now: datetime) -> str:
    consent = approve_plan(
        company_id=plan.company_id,
        plan_id=plan.pk,
        approver=Approver(actor_of(request), request.user.pk),
        reason=form.cleaned_data["reason"],
        digest=form.cleaned_data["digest"],
        now=now,
    )
    if consent.is_enough:
        return f"Plan {plan.pk} is approved. Nothing is changed before it is applied."
    return f"Your approval of plan {plan.pk} is kept; {consent.missing}."


def _apply(plan: ScalingPlan, form: ActForm, request: HttpRequest, now: datetime) -> str:
    run = start_apply(
        company_id=plan.company_id,
        plan_id=plan.pk,
        actor=actor_of(request),
        reason=form.cleaned_data["reason"],
        now=now,
    )
    if run is None:
        return f"Plan {plan.pk} asks for nothing, so there is nothing to do."
    return _begun(run, f"Plan {plan.pk} is being applied, as run {run.pk}.")


def _roll_back(plan: ScalingPlan, form: ActForm, request: HttpRequest, now: datetime) -> str:
    run = start_rollback(
        company_id=plan.company_id,
        plan_id=plan.pk,
        actor=actor_of(request),
        reason=form.cleaned_data["reason"],
        now=now,
    )
    return _begun(run, f"Plan {plan.pk} is being rolled back, as run {run.pk}.")


_ACTS: dict[str, Callable[[ScalingPlan, ActForm, HttpRequest, datetime], str]] = {
    APPROVE: _approve,
    APPLY: _apply,
    ROLL_BACK: _roll_back,
}


def _begun(run: ScalingRun, said: str) -> str:
    if run.state != RunState.OPEN:
        return f"Run {run.pk} of it has ended already: {run.get_state_display().lower()}."
    wake_run(run_id=run.pk)
    return said


def _where_it_stands(plan: ScalingPlan, now: datetime) -> dict[str, Any]:
    try:
        return {"void": void_because(plan=plan, now=now), "consent": consent_to(plan=plan, now=now)}
    except InvalidPolicy as broken:
        return {"void": f"the stored policy is broken: {broken}", "consent": None}


def _lines(plan: ScalingPlan) -> list[str]:
    return [
        f"{row.does} ({row.place}): {', '.join(str(change) for change in row.changes)}, because {row.because}"
        for row in call_rows(stored_plan(plan).calls)
    ]


def _texts(reasons: list[dict[str, str]]) -> str:
    return "\n".join(reason["text"] for reason in reasons) or "-"
