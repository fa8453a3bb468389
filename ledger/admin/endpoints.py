"""Webhook endpoints: made, given new secrets and closed by admins of the company."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.models.company import Company
from ledger.models.endpoint import WebhookEndpoint
from ledger.providers.registry import providers
from ledger.services.endpoints import (
    InvalidEndpoint,
    add_secret,
    create_endpoint,
    endpoint_path,
    retire_old_secrets,
    set_enabled,
)

_SECRET_HELP = "As the provider shows it. Empty: it is generated where the provider lets us, or added later."  # noqa: S105


class EndpointForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    provider = forms.ChoiceField()
    name = forms.CharField(
        max_length=100, required=False, help_text="Tells several endpoints of a provider apart."
    )
    account = forms.CharField(
        max_length=64, required=False, help_text="Account that events go to. Empty: the provider's default."
    )
    settings = forms.JSONField(required=False, initial=dict, widget=forms.Textarea(attrs={"rows": 3}))
    secret = forms.CharField(required=False, help_text=_SECRET_HELP, widget=forms.PasswordInput)

    def clean_settings(self) -> dict[str, Any]:
        value = self.cleaned_data["settings"] or {}
        if not isinstance(value, dict):
            raise forms.ValidationError("Must be a JSON object.")
        return value


class SecretForm(forms.Form):
    secret = forms.CharField(required=False, help_text=_SECRET_HELP, widget=forms.PasswordInput)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(CompanyScopedAdmin):
    view_roles = ADMINS
    add_roles = ADMINS
    list_display = ("name", "company", "provider", "enabled", "created_at")
    list_filter = (CompanyFilter, "enabled")
    list_select_related = ("company",)
    ordering = ("company__name", "provider", "name")
    fields = ("company", "provider", "name", "address", "accounts", "settings", "enabled", "created_at", "actor")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        def at(name: str, view: Any) -> URLPattern:
            return path(
                f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"ledger_webhookendpoint_{name}"
            )

        mine = [at("rotate", self.rotate), at("retire", self.retire), at("switch", self.switch)]
        return [*mine, *super().get_urls()]

    @admin.display(description="address")
    def address(self, endpoint: WebhookEndpoint) -> str:
        return endpoint_path(provider=endpoint.provider, endpoint_id=endpoint.endpoint_id)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return never_cache(self._add)(request)

    def _add(self, request: HttpRequest) -> HttpResponse:
        company_ids = companies_with(request, ADMINS)
        if not company_ids:
            raise PermissionDenied
        form = EndpointForm(request.POST if request.method == "POST" else None)
        form.fields["company"].queryset = Company.objects.filter(id__in=company_ids)  # type: ignore[attr-defined]
        labels = [(name, provider.label) for name, provider in sorted(providers().items())]
        form.fields["provider"].choices = labels  # type: ignore[attr-defined]
        if form.is_valid():
            values = form.cleaned_data
            role = next(iter(providers()[values["provider"]].accounts), "account")
            try:
                made = create_endpoint(
                    company_id=values["company"].id,
                    provider_name=values["provider"],
                    name=values["name"],
                    actor=actor_of(request),
                    now=timezone.now(),
                    accounts={role: values["account"]} if values["account"] else {},
                    settings=values["settings"],
                    secret=values["secret"],
                )
            except InvalidEndpoint as error:
                _explain(form, error)
            else:
                return self._shown_once(request, made.path, made.secret, status=201)
        return admin_page(
            self,
            request,
            "form_page.html",
            title="Make a webhook endpoint",
            form=form,
            status=422 if form.errors else 200,
        )

    def _shown_once(self, request: HttpRequest, address: str, secret: str, *, status: int) -> HttpResponse:
        # Shown in the answer itself: a message would lay it into the session, a redirect into an address.
        return admin_page(
            self,
            request,
            "endpoint_made.html",
            title="The endpoint",
            address=address,
            secret=secret,
            status=status,
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        endpoint = self.get_object(request, object_id)
        context = {} if endpoint is None else {"endpoint": endpoint}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        return never_cache(self._rotate)(request, pk)

    def _rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk)
        form = SecretForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                generated = add_secret(
                    endpoint_pk=endpoint.pk, secret=form.cleaned_data["secret"], now=timezone.now()
                )
            except InvalidEndpoint as error:
                _explain(form, error)
            else:
                return self._shown_once(request, self.address(endpoint), generated, status=200)
        return admin_page(
            self,
            request,
            "form_page.html",
            title="Add a secret",
            form=form,
            status=422 if form.errors else 200,
        )

    def retire(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk, posted=True)
        count = retire_old_secrets(endpoint_pk=endpoint.pk, now=timezone.now())
        messages.success(request, f"Only the newest secret is accepted from now on; {count} retired.")
        return _to(endpoint)

    def switch(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk, posted=True)
        enabled = request.POST.get("enabled") == "true"
        set_enabled(endpoint_pk=endpoint.pk, enabled=enabled)
        messages.success(request, f"The endpoint is {'open' if enabled else 'closed'}.")
        return _to(endpoint)

    def _mine(self, request: HttpRequest, pk: int, *, posted: bool = False) -> WebhookEndpoint:
        endpoint = self.get_queryset(request).filter(pk=pk).first()
        if endpoint is None or (posted and request.method != "POST"):
            raise PermissionDenied
        return endpoint


def _explain(form: forms.Form, error: InvalidEndpoint) -> None:
    for problem in error.errors:
        field = problem.field.partition(".")[0]
        field = "account" if field == "accounts" else field
        known = field if field in form.fields else None
        form.add_error(known, f"{problem.field} {problem.message}.")


def _to(endpoint: WebhookEndpoint) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:ledger_webhookendpoint_change", args=(endpoint.pk,)))
