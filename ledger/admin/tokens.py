"""API tokens: made and revoked by admins of the company; the token itself is shown once."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, companies_with
from ledger.models.company import Company
from ledger.models.token import ApiToken, Scope
from ledger.services.tokens import create_token, revoke_token


class TokenForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    name = forms.CharField(max_length=100, help_text="Which machine will use it.")
    scopes = forms.MultipleChoiceField(choices=Scope, widget=forms.CheckboxSelectMultiple)


@admin.register(ApiToken)
class ApiTokenAdmin(CompanyScopedAdmin):
    view_roles = ADMINS
    add_roles = ADMINS
    list_display = ("name", "company", "scope_names", "created_at", "last_used_at", "revoked_at")
    list_filter = (CompanyFilter, ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("company",)
    ordering = ("company__name", "-created_at")
    fields = ("company", "name", "scope_names", "created_at", "last_used_at", "revoked_at")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        revoke = path("<int:pk>/revoke/", self.admin_site.admin_view(self.revoke), name="ledger_apitoken_revoke")
        return [revoke, *super().get_urls()]

    @admin.display(description="scopes")
    def scope_names(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return never_cache(self._add)(request)

    def _add(self, request: HttpRequest) -> HttpResponse:
        company_ids = companies_with(request, ADMINS)
        if not company_ids:
            raise PermissionDenied
        form = TokenForm(request.POST if request.method == "POST" else None)
        form.fields["company"].queryset = Company.objects.filter(id__in=company_ids)  # type: ignore[attr-defined]
        if not form.is_valid():
            status = 422 if form.errors else 200
            return admin_page(
                self, request, "token_form.html", title="Make an API token", form=form, status=status
            )
        values = form.cleaned_data
        token = create_token(
            company_id=values["company"].id, name=values["name"], scopes=values["scopes"], now=timezone.now()
        )
        # Shown in the answer itself: a message would lay it into the session, a redirect into an address.
        return admin_page(
            self, request, "token_made.html", title="The token", token=token, name=values["name"], status=201
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        token = self.get_object(request, object_id)
        context = {}
        if token is not None and token.revoked_at is None:
            context["revoke_url"] = reverse("admin:ledger_apitoken_revoke", args=(token.pk,))
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self.get_queryset(request).filter(pk=pk).select_related("company").first()
        if token is None:
            raise PermissionDenied
        if request.method != "POST":
            return admin_page(self, request, "token_revoke.html", title="Revoke an API token", token=token)
        if revoke_token(token_id=token.pk, now=timezone.now()):
            messages.success(request, f"The token {token.name} is refused from now on.")
        return HttpResponseRedirect(reverse("admin:ledger_apitoken_changelist"))
