"""Prices of instance-hours: entered by finance staff where no bill says them, and never changed afterwards."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from cloudpolicy.models.instance_price import InstancePrice, Market
from cloudpolicy.models.saving_score import SavingScore
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.prices import MAX_REASON, PriceRefused, enter_price
from ledger.admin.page import admin_page
from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.models.company import Company
from ledger.selectors.companies import company_ref


class PriceForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    region = forms.CharField(max_length=32, initial="us-east-1")
    instance_type = forms.CharField(max_length=64, required=False, help_text="Such as m6i.large; or a group.")
    group = forms.CharField(max_length=255, required=False, help_text="Name of an auto-scaling group.")
    account = forms.CharField(max_length=64, required=False, help_text="Empty for all cloud accounts.")
    market = forms.ChoiceField(choices=Market)
    per_hour = forms.CharField(
        label="Price per hour", max_length=32, required=False, help_text="Empty takes the price before it back."
    )
    currency = forms.CharField(max_length=3, required=False, help_text="Empty for the company's.")
    because = forms.CharField(label="Why", max_length=MAX_REASON)


@admin.register(InstancePrice)
class InstancePriceAdmin(CompanyScopedAdmin):
    add_roles = FINANCE
    list_display = ("company", "instance_type", "group", "market", "region", "per_hour", "currency", "entered_at")
    list_filter = (CompanyFilter,)
    list_select_related = ("company",)
    ordering = ("company__name", "-id")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        company_ids = companies_with(request, FINANCE)
        if not company_ids:
            raise PermissionDenied
        form = PriceForm(request.POST) if request.method == "POST" else PriceForm()
        form.fields["company"].queryset = Company.objects.filter(id__in=company_ids)  # type: ignore[attr-defined]
        if form.is_valid() and self._entered(request, form):
            messages.success(request, "The price counts from the next plan on, where no bill says it.")
            return HttpResponseRedirect(reverse("admin:cloudpolicy_instanceprice_changelist"))
        status = 422 if form.errors else 200
        return admin_page(self, request, "form_page.html", title="Enter a price", form=form, status=status)

    def _entered(self, request: HttpRequest, form: PriceForm) -> bool:
        values = dict(form.cleaned_data)
        company = company_ref(company_id=values.pop("company").id)
        values["per_hour"] = values["per_hour"].strip() or None
        try:
            enter_price(company=company, actor=actor_of(request), now=timezone.now(), **values)
        except PriceRefused as refused:
            for problem in refused.problems:
                form.add_error(problem.field, problem.message)
            return False
        except CloudUnavailable as unavailable:
            form.add_error("account", str(unavailable))
            return False
        return True


@admin.register(SavingScore)
class SavingScoreAdmin(CompanyScopedAdmin):
    list_display = ("company", "run", "after_days", "band", "verdict", "predicted", "billed", "currency")
    list_filter = (CompanyFilter, "verdict")
    list_select_related = ("company", "run")
    ordering = ("company__name", "-id")
