"""What somebody says who hands in a file on the import page."""

from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from ledger.domain.currency import ACTIVE_CURRENCIES
from ledger.importers.csv_mapping import COLUMNS, CsvChoices
from ledger.importers.registry import AUTO, importers
from ledger.importers.row import FileRefused
from ledger.importers.source import binary
from ledger.services.import_file import MAX_UPLOAD_BYTES, receive_file, refuse_large_uploads

DETECT = ("", "As the file shows")


class UploadForm(forms.Form):
    file = forms.FileField(
        help_text=(
            "OFX, QFX, CAMT.053, MT940, CSV, cloud bill or NDJSON, plain or gzip, "
            f"up to {MAX_UPLOAD_BYTES // 1_048_576} MB."
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

    def __init__(
        self, data: QueryDict | None = None, files: MultiValueDict[str, UploadedFile] | None = None
    ) -> None:
        super().__init__(data, files)
        formats = [(name, importer.label) for name, importer in sorted(importers().items())]
        self.fields["format"].choices = [(AUTO, "As the file shows"), *formats]  # type: ignore[attr-defined]

    def clean_file(self) -> UploadedFile:
        """Refuse what is too large before anything of it is read or kept."""
        file: UploadedFile = self.cleaned_data["file"]
        try:
            refuse_large_uploads(file.size or 0)
        except FileRefused as error:
            raise ValidationError(f"{error}.") from None
        return file

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

    def hand_in(self, *, company_id: int, actor: str, now: datetime) -> int | None:
        """Keep the file to be checked; return its number, or None when it is refused: then the form says why."""
        values = self.cleaned_data
        try:
            return receive_file(
                company_id=company_id,
                name=values["file"].name,
                stream=binary(values["file"]),
                format_name=values["format"] or AUTO,
                account=values["account"].strip() or None,
                choices=self.choices(),
                actor=actor,
                now=now,
                save_as=values["save_as"].strip(),
            )
        except FileRefused as error:
            self.add_error("file", f"{error}.")
            return None
