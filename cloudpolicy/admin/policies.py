"""Versions of policies: read by finance staff, added by admins of the company as YAML. A version never changes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.engine.policy_text import Lines, read_yaml, write_yaml
from cloudpolicy.models.policy import PolicyDraft, PolicyVersion
from cloudpolicy.services.policies import BECAUSE_LENGTH, enable_policy, stored_policy
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.models.company import Company


class PolicyForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    text = forms.CharField(
        label="Policy",
        widget=forms.Textarea(attrs={"rows": 30, "cols": 100, "spellcheck": "false", "class": "vLargeTextField"}),
        help_text="YAML. The page of the policy has a form, a preview and a replay.",
    )
    because = forms.CharField(label="Why", max_length=BECAUSE_LENGTH)

    def add_problems(self, invalid: InvalidPolicy) -> None:
        """Show what is wrong with the policy at its field, by path and line."""
        lines = Lines(self.cleaned_data["text"])
        for problem in invalid.problems:
            line = lines.line_of(problem.path)
            where = problem.path if line is None else f"{problem.path}, line {line}"
            is_reason = problem.path == "because"
            self.add_error("because" if is_reason else "text", f"{where}: {problem.message}")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(CompanyScopedAdmin):
    add_roles = ADMINS
    list_display = ("company", "version", "name", "because", "actor", "created_at")
    list_display_links = ("version", "name")
    list_filter = (CompanyFilter,)
    list_select_related = ("company",)
    ordering = ("company__name", "-version")
    fields = ("company", "version", "name", "because", "actor", "created_at", "digest", "text")
    readonly_fields = fields

    @admin.display(description="policy")
    def text(self, row: PolicyVersion) -> str:
        return write_yaml(row.document)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        company_ids = companies_with(request, ADMINS)
        if not company_ids:
            raise PermissionDenied
        form = PolicyForm(request.POST) if request.method == "POST" else PolicyForm(initial=_start(company_ids))
        form.fields["company"].queryset = Company.objects.filter(id__in=company_ids)  # type: ignore[attr-defined]
        if form.is_valid():
            values = form.cleaned_data
            try:
                enabled = enable_policy(
                    company_id=values["company"].id,
                    document=read_yaml(values["text"]),
                    actor=actor_of(request),
                    because=values["because"],
                    now=timezone.now(),
                )
            except InvalidPolicy as invalid:
                form.add_problems(invalid)
            else:
                said = "is in force" if enabled.status == "recorded" else "says this already"
                messages.success(request, f"Version {enabled.version} {said}.")
                return HttpResponseRedirect(reverse("admin:cloudpolicy_policyversion_changelist"))
        status = 422 if form.errors else 200
        return admin_page(self, request, "form_page.html", title="Put a policy in force", form=form, status=status)


@admin.register(PolicyDraft)
class PolicyDraftAdmin(CompanyScopedAdmin):
    list_display = ("name", "company", "based_on", "actor", "saved_at")
    list_filter = (CompanyFilter,)
    list_select_related = ("company",)
    ordering = ("company__name", "name")


def _start(company_ids: frozenset[int]) -> dict[str, Any]:
    """Where there is one company only, its policy is what is edited."""
    if len(company_ids) != 1:
        return {}
    (company_id,) = company_ids
    stored = stored_policy(company_id=company_id, now=timezone.now())
    return {"company": company_id, "text": write_yaml(stored.document)}
