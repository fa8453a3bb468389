"""Banks read through Plaid: connected by admins, whether they speak, and rows that could not be recorded."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from ledger.admin.page import admin_page
from ledger.admin.scope import ADMINS, CompanyFilter, CompanyScopedAdmin, companies_with
from ledger.jobs import wake_plaid_item
from ledger.models.company import Company
from ledger.models.plaid import PlaidItem, PlaidRefusal
from ledger.providers.http import Unavailable
from ledger.providers.plaid import plaid_client
from ledger.services.plaid_items import InvalidPlaidItem, connect_plaid_item

MAX_TOKEN = 255


class ConnectForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    item_id = forms.CharField(max_length=100, help_text="Plaid's item_id.")
    access_token = forms.CharField(
        max_length=MAX_TOKEN,
        help_text="Sealed at once and never shown again. For an item that is connected already, it is replaced.",
        # Not rendered again after an error either.
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )
    accounts = forms.JSONField(
        required=False,
        initial=dict,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text='{"Plaid\'s account_id": "name of an account that is there"}. The others are made.',
    )

    def clean_accounts(self) -> dict[str, str]:
        value = self.cleaned_data["accounts"] or {}
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
            raise forms.ValidationError("Must be a JSON object of account names.")
        return value


@admin.register(PlaidItem)
class PlaidItemAdmin(CompanyScopedAdmin):
    add_roles = ADMINS
    list_display = ("item_id", "company", "silent", "trouble", "synced_at", "wanted_at", "retry_at", "failures")
    list_filter = (CompanyFilter, "silent")
    list_select_related = ("company",)
    search_fields = ("item_id",)
    ordering = ("company__name", "item_id")
    # The sealed token is nobody's business here.
    exclude = ("access_token", "claimed_at")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return never_cache(self._connect)(request)

    def _connect(self, request: HttpRequest) -> HttpResponse:
        company_ids = companies_with(request, ADMINS)
        if not company_ids:
            raise PermissionDenied
        form = ConnectForm(request.POST if request.method == "POST" else None)
        form.fields["company"].queryset = Company.objects.filter(id__in=company_ids)  # type: ignore[attr-defined]
        if form.is_valid():
            number = self._connected(form)
            if number is not None:
                item = PlaidItem.objects.get(pk=number)
                self.log_addition(request, item, "Connected the bank with an access token.")
                wake_plaid_item(item_number=number)
                messages.success(request, f"{item.item_id} is connected and will be read now.")
                return HttpResponseRedirect(reverse("admin:ledger_plaiditem_change", args=(number,)))
        status = 422 if form.errors else 200
        return admin_page(
            self, request, "form_page.html", title="Connect a bank through Plaid", form=form, status=status
        )

    def _connected(self, form: ConnectForm) -> int | None:
        """Connect what the form names and return its number; None when that is refused, and the form says why."""
        values = form.cleaned_data
        if not settings.PLAID_CLIENT_ID or not settings.PLAID_SECRET:
            form.add_error(None, "This installation has no PLAID_CLIENT_ID and PLAID_SECRET yet.")
            return None
        try:
            return connect_plaid_item(
                company_id=values["company"].id,
                item_id=values["item_id"],
                access_token=values["access_token"],
                accounts=values["accounts"],
                client=plaid_client(),
                now=timezone.now(),
            )
        except InvalidPlaidItem as error:
            form.add_error(None, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        except Unavailable as error:
            form.add_error(None, f"Plaid {error}; try again later.")
        return None


@admin.register(PlaidRefusal)
class PlaidRefusalAdmin(CompanyScopedAdmin):
    list_display = ("transaction_id", "company", "item", "reason", "refused_at", "settled_at")
    list_filter = (CompanyFilter, ("settled_at", admin.EmptyFieldListFilter))
    list_select_related = ("company", "item")
    search_fields = ("transaction_id",)
    ordering = ("-refused_at",)
