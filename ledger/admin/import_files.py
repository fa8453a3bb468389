"""Files that were handed in: a list, whose links lead to the import page, where the work on them is done."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin
from ledger.models.import_file import ImportFile


@admin.register(ImportFile)
class ImportFileAdmin(CompanyScopedAdmin):
    add_roles = FINANCE
    list_display = ("name", "company", "format", "state", "uploaded_at", "actor")
    list_filter = (CompanyFilter, "state")
    list_select_related = ("company",)
    ordering = ("-uploaded_at",)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("imports"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        file = self.get_object(request, object_id)
        if file is None:
            return super().change_view(request, object_id, form_url, extra_context)
        if not self.has_view_permission(request, file):
            raise PermissionDenied
        address = reverse("import-file", args=(file.pk,))
        return HttpResponseRedirect(f"{address}?{urlencode({'company': file.company.slug})}")
