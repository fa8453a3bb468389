"""Importing a file in the browser: hand it in, see what would happen, confirm."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from ledger.admin.page import admin_page
from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.jobs import wake_import
from ledger.models.import_file import ImportFile, ImportState
from ledger.services.import_file import confirm_import, discard_import
from ledger.views.upload_form import UploadForm

REFRESH_SECONDS = 2

FIELDSETS = (
    (None, {"fields": ["company", "file", "format", "account"]}),
    (
        "CSV that does not say enough about itself",
        {
            "fields": [
                "positive_is",
                "date_order",
                "decimal_mark",
                "currency",
                "source",
                "columns",
                "save_as",
            ],
            "classes": ["collapse"],
        },
    ),
)


@admin.register(ImportFile)
class ImportFileAdmin(CompanyScopedAdmin):
    add_roles = FINANCE
    list_display = ("name", "company", "format", "state", "uploaded_at", "actor")
    list_filter = (CompanyFilter, "state")
    list_select_related = ("company",)
    ordering = ("-uploaded_at",)

    def get_urls(self) -> list[URLPattern]:
        mine = [
            path("<int:pk>/confirm/", self.admin_site.admin_view(self.confirm), name="ledger_importfile_confirm"),
            path("<int:pk>/discard/", self.admin_site.admin_view(self.discard), name="ledger_importfile_discard"),
        ]
        return mine + super().get_urls()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        company_ids = companies_with(request, FINANCE)
        if not company_ids:
            raise PermissionDenied
        posted = request.method == "POST"
        form = UploadForm(
            company_ids=company_ids,
            data=request.POST if posted else None,
            files=request.FILES if posted else None,
        )
        if form.is_valid():
            file_id = form.hand_in(actor=actor_of(request), now=timezone.now())
            if file_id is not None:
                wake_import(file_id=file_id, state=ImportState.CHECKING)
                return _to_file(file_id)
        return admin_page(
            self,
            request,
            "import_upload.html",
            title="Import a file",
            form=form,
            fieldsets=FIELDSETS,
            status=422 if form.errors else 200,
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        file = self.get_object(request, object_id)
        if file is None:
            return super().change_view(request, object_id, form_url, extra_context)
        at_work = file.state in {ImportState.CHECKING, ImportState.WAITING}
        response = admin_page(
            self,
            request,
            "import_file.html",
            title=file.name,
            file=file,
            result=file.report or file.preview,
            at_work=at_work,
            percent=_percent(file) if at_work else None,
            may_confirm=file.state == ImportState.CHECKED,
            may_discard=file.state in {ImportState.CHECKED, ImportState.REFUSED},
        )
        if at_work:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._posted_file(request, pk)
        if confirm_import(file_id=pk, actor=actor_of(request)):
            wake_import(file_id=pk, state=ImportState.WAITING)
        else:
            messages.warning(request, "The file is not waiting for a confirmation.")
        return _to_file(pk)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._posted_file(request, pk)
        if discard_import(file_id=pk, now=timezone.now()):
            messages.success(request, "The file is discarded; nothing of it was recorded.")
        else:
            messages.warning(request, "Only a checked or refused file can be discarded.")
        return HttpResponseRedirect(reverse("admin:ledger_importfile_changelist"))

    def _posted_file(self, request: HttpRequest, pk: int) -> None:
        known = self.get_queryset(request).filter(pk=pk).exists()
        if request.method != "POST" or not known:
            raise PermissionDenied


def _percent(file: ImportFile) -> int | None:
    """How much of the content is read; None while no worker has said."""
    return min(100, file.bytes_read * 100 // file.bytes_total) if file.bytes_total else None


def _to_file(file_id: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:ledger_importfile_change", args=(file_id,)))
