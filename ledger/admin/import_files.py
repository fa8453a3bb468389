"""Importing a file in the browser: hand it in, see what would happen, confirm."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from ledger.admin.page import admin_page
from ledger.admin.scope import FINANCE, CompanyFilter, CompanyScopedAdmin, actor_of, companies_with
from ledger.domain.currency import ACTIVE_CURRENCIES
from ledger.importers.csv_mapping import COLUMNS, CsvChoices
from ledger.importers.registry import importers
from ledger.importers.row import FileRefused
from ledger.importers.source import binary
from ledger.jobs import wake_import
from ledger.models.company import Company
from ledger.models.import_file import ImportFile, ImportState
from ledger.services.import_events import AUTO
from ledger.services.import_file import MAX_UPLOAD_BYTES, confirm_import, discard_import, receive_file

REFRESH_SECONDS = 2
DETECT = ("", "As the file shows")


class UploadForm(forms.Form):
    company = forms.ModelChoiceField(Company.objects.none())
    file = forms.FileField(
        help_text=(
            f"OFX, QFX, CAMT.053, MT940, CSV or NDJSON, plain or gzip, up to {MAX_UPLOAD_BYTES // 1_048_576} MB."
        )
    )
    format = forms.ChoiceField(required=False)
    account = forms.CharField(
        max_length=64,
        required=False,
        help_text=(
            "Of lines that name none, and of the one account that a bank's statement is about. Empty: what the "
            "statement's account was called before, or the company's first bank account."
        ),
    )
    positive_is = forms.ChoiceField(
        label="An amount without a sign",
        required=False,
        choices=[DETECT, ("in", "is money in"), ("out", "is money out")],
    )
    date_order = forms.ChoiceField(
        required=False, choices=[DETECT, ("dmy", "31/12/2026: day first"), ("mdy", "12/31/2026: month first")]
    )
    decimal_mark = forms.ChoiceField(
        required=False, choices=[DETECT, (".", "1,250.00: decimal point"), (",", "1.250,00: decimal comma")]
    )
    source = forms.CharField(max_length=64, required=False, help_text="Empty: the name of the format.")
    currency = forms.CharField(
        max_length=3, required=False, help_text="Of every amount, whatever a column of the file says about it."
    )
    save_as = forms.CharField(
        label="Keep as mapping",
        max_length=64,
        required=False,
        help_text="A name, and every later file with the same columns is read the same way without a question.",
    )
    columns = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"One FIELD=column of the file per line, where names do not tell. Fields: {', '.join(COLUMNS)}.",
    )

    def __init__(self, *, company_ids: Collection[int], request: HttpRequest) -> None:
        posted = request.method == "POST"
        super().__init__(request.POST if posted else None, request.FILES if posted else None)
        companies = Company.objects.filter(id__in=company_ids).order_by("name")
        self.fields["company"].queryset = companies  # type: ignore[attr-defined]
        if len(company_ids) == 1:
            self.fields["company"].initial = next(iter(company_ids))
        formats = [(name, importer.label) for name, importer in sorted(importers().items())]
        self.fields["format"].choices = [(AUTO, "As the file shows"), *formats]  # type: ignore[attr-defined]

    def clean_columns(self) -> dict[str, str]:
        columns: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["columns"].splitlines())):
            field, _, name = (part.strip() for part in line.partition("="))
            if field not in COLUMNS or not name:
                raise ValidationError(f"{line!r} is not FIELD=column with a FIELD of {', '.join(COLUMNS)}.")
            columns[field] = name
        return columns

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if code and code not in ACTIVE_CURRENCIES:
            raise ValidationError(f"{code} is not a currency code of ISO 4217, such as EUR.")
        return code

    def choices(self) -> CsvChoices:
        values = self.cleaned_data
        return CsvChoices(
            columns=values["columns"],
            date_order=values["date_order"] or None,
            decimal_mark=values["decimal_mark"] or None,
            positive_is=values["positive_is"] or None,
            source=values["source"].strip() or None,
            currency=values["currency"] or None,
        )


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
        form = UploadForm(company_ids=company_ids, request=request)
        if form.is_valid():
            file_id = self._receive(form, request, timezone.now())
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

    @staticmethod
    def _receive(form: UploadForm, request: HttpRequest, now: datetime) -> int | None:
        values = form.cleaned_data
        try:
            return receive_file(
                company_id=values["company"].id,
                name=values["file"].name,
                stream=binary(values["file"]),
                format_name=values["format"] or AUTO,
                account=values["account"].strip() or None,
                choices=form.choices(),
                actor=actor_of(request),
                now=now,
                save_as=values["save_as"].strip(),
            )
        except FileRefused as error:
            form.add_error("file", f"{error}.")
            return None

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
