"""Webhook endpoints: made, given new secrets and closed by admins of the company."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from ledger.admin.endpoint_forms import (
    ACCOUNT,
    CREDENTIAL,
    CredentialsForm,
    EndpointForm,
    SecretForm,
    SettingsForm,
    credentials_in,
)
from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.models.company import Company
from ledger.models.endpoint import WebhookEndpoint
from ledger.providers.registry import provider_named, providers
from ledger.services.deliveries import release_endpoint_for_replay
from ledger.services.endpoints import (
    InvalidEndpoint,
    add_secret,
    change_endpoint,
    create_endpoint,
    credential_names,
    endpoint_path,
    retire_old_secrets,
    set_credentials,
    set_enabled,
)
from ledger.services.sealed_secrets import SealBroken


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(CompanyScopedAdmin):
    view_roles = ADMINS
    add_roles = ADMINS
    list_display = ("name", "company", "provider", "enabled", "created_at")
    list_filter = (CompanyFilter, "enabled")
    list_select_related = ("company",)
    ordering = ("company__name", "provider", "name")
    fields = (
        "company",
        "provider",
        "name",
        "address",
        "accounts",
        "settings",
        "credentials_kept",
        "active_secrets",
        "enabled",
        "created_at",
        "actor",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        def at(name: str, view: Any) -> URLPattern:
            return path(
                f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"ledger_webhookendpoint_{name}"
            )

        mine = {
            "settings": self.change_settings,
            "credentials": self.change_credentials,
            "rotate": self.rotate,
            "retire": self.retire,
            "switch": self.switch,
            "replay": self.replay,
        }
        return [*(at(name, view) for name, view in mine.items()), *super().get_urls()]

    @admin.display(description="address")
    def address(self, endpoint: WebhookEndpoint) -> str:
        return endpoint_path(provider=endpoint.provider, endpoint_id=endpoint.endpoint_id)

    @admin.display(description="credentials")
    def credentials_kept(self, endpoint: WebhookEndpoint) -> str:
        try:
            return ", ".join(sorted(credential_names(endpoint_pk=endpoint.pk))) or "none"
        except SealBroken:
            return "sealed with another SECRET_KEY: enter them again"

    @admin.display(description="signing secrets")
    def active_secrets(self, endpoint: WebhookEndpoint) -> str:
        if provider_named(endpoint.provider).signing_secrets == "none":
            return "none: the provider signs with keys that it publishes"
        added = endpoint.secrets.filter(retired_at__isnull=True).order_by("-added_at", "-id")
        times = [f"{secret.added_at:%Y-%m-%d %H:%M} UTC" for secret in added]
        return f"{len(times)} active, added {', '.join(times)}" if times else "none yet"

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
                    credentials=credentials_in(values),
                    secret=values["secret"],
                )
            except InvalidEndpoint as error:
                _explain(form, error)
            else:
                endpoint = WebhookEndpoint.objects.get(pk=made.id)
                self.log_addition(request, endpoint, "Made the endpoint.")
                return self._shown_once(request, made.path, made.secret, status=201)
        return admin_page(
            self,
            request,
            "form_page.html",
            title="Make a webhook endpoint",
            form=form,
            fieldsets=_add_fieldsets(form),
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
        context = {} if endpoint is None else {"endpoint": endpoint, "provider": provider_named(endpoint.provider)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def change_settings(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk)
        form = SettingsForm(endpoint, request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                changed = change_endpoint(
                    endpoint_pk=endpoint.pk, accounts=form.accounts, settings=form.cleaned_data["settings"]
                )
            except InvalidEndpoint as error:
                _explain(form, error)
            else:
                return self._changed(request, endpoint, changed)
        title = f"Accounts and settings of {endpoint.name}"
        return self._form(request, form, endpoint, title=title)

    def change_credentials(self, request: HttpRequest, pk: int) -> HttpResponse:
        return never_cache(self._change_credentials)(request, pk)

    def _change_credentials(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk)
        try:
            kept = credential_names(endpoint_pk=endpoint.pk)
        except SealBroken:
            kept = frozenset()
        form = CredentialsForm(endpoint, kept, request.POST if request.method == "POST" else None)
        if not form.fields:
            raise PermissionDenied
        if form.is_valid():
            try:
                changed = set_credentials(endpoint_pk=endpoint.pk, given=form.given, removed=form.removed)
            except InvalidEndpoint as error:
                _explain(form, error)
            else:
                return self._changed(request, endpoint, [f"credentials.{name}" for name in changed])
        return self._form(request, form, endpoint, title=f"Credentials of {endpoint.name}")

    def _changed(self, request: HttpRequest, endpoint: WebhookEndpoint, names: Collection[str]) -> HttpResponse:
        """Say and log what was changed, by name and never by value."""
        if names:
            self.log_change(request, endpoint, f"Changed {', '.join(names)}.")
            messages.success(request, f"Changed: {', '.join(names)}.")
        else:
            messages.info(request, "Nothing was changed.")
        return _to(endpoint)

    def _form(
        self, request: HttpRequest, form: forms.Form, endpoint: WebhookEndpoint, *, title: str
    ) -> HttpResponse:
        status = 422 if form.errors else 200
        back = reverse("admin:ledger_webhookendpoint_change", args=(endpoint.pk,))
        return admin_page(self, request, "endpoint_form.html", title=title, form=form, status=status, back=back)

    def replay(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk, posted=True)
        count = release_endpoint_for_replay(endpoint_pk=endpoint.pk, now=timezone.now())
        self.log_change(request, endpoint, f"Had {count} deliveries read again.")
        messages.success(request, f"{count} deliveries are read again, in the order in which they came.")
        return _to(endpoint)

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
                self.log_change(request, endpoint, "Added a signing secret.")
                return self._shown_once(request, self.address(endpoint), generated, status=200)
        return self._form(request, form, endpoint, title=f"Add a signing secret to {endpoint.name}")

    def retire(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk, posted=True)
        count = retire_old_secrets(endpoint_pk=endpoint.pk, now=timezone.now())
        self.log_change(request, endpoint, f"Retired {count} signing secrets.")
        messages.success(request, f"Only the newest secret is accepted from now on; {count} retired.")
        return _to(endpoint)

    def switch(self, request: HttpRequest, pk: int) -> HttpResponse:
        endpoint = self._mine(request, pk, posted=True)
        enabled = request.POST.get("enabled") == "true"
        if set_enabled(endpoint_pk=endpoint.pk, enabled=enabled):
            self.log_change(request, endpoint, "Opened." if enabled else "Closed.")
        messages.success(request, f"The endpoint is {'open' if enabled else 'closed'}.")
        return _to(endpoint)

    def _mine(self, request: HttpRequest, pk: int, *, posted: bool = False) -> WebhookEndpoint:
        endpoint = self.get_queryset(request).filter(pk=pk).first()
        if endpoint is None or (posted and request.method != "POST"):
            raise PermissionDenied
        return endpoint


def _add_fieldsets(form: forms.Form) -> list[tuple[str | None, dict[str, Any]]]:
    credentials = [name for name in form.fields if name.startswith(CREDENTIAL)]
    others = [name for name in form.fields if name not in credentials]
    about = "Keys for the provider's API: sealed at once, and never shown again. They can be entered later too."
    return [(None, {"fields": others}), ("Credentials", {"fields": credentials, "description": about})]


def _explain(form: forms.Form, error: InvalidEndpoint) -> None:
    for problem in error.errors:
        whole, _, part = problem.field.partition(".")
        own = {"accounts": f"{ACCOUNT}{part}", "credentials": f"{CREDENTIAL}{part}"}.get(whole, whole)
        if whole == "accounts" and own not in form.fields:
            own = "account"
        form.add_error(own if own in form.fields else None, f"{problem.field} {problem.message}.")


def _to(endpoint: WebhookEndpoint) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:ledger_webhookendpoint_change", args=(endpoint.pk,)))
