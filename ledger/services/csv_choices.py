"""Choices about a CSV file, written down and read back."""

from typing import Any
from zoneinfo import ZoneInfo

from ledger.importers.csv_mapping import CsvChoices


def choices_json(choices: CsvChoices) -> dict[str, Any]:
    """Write choices so that `choices_from_json` reads them back."""
    return {
        "columns": dict(choices.columns),
        "date_order": choices.date_order,
        "decimal_mark": choices.decimal_mark,
        "positive_is": choices.positive_is,
        "timezone": choices.timezone.key if choices.timezone else None,
        "source": choices.source,
        "currency": choices.currency,
    }


def choices_from_json(written: dict[str, Any]) -> CsvChoices:
    return CsvChoices(
        **{**written, "timezone": ZoneInfo(written["timezone"]) if written.get("timezone") else None}
    )
