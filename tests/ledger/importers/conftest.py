"""What every test of an importer needs: a context, and bytes read as a format."""

import io
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.importer import ImportContext
from ledger.importers.registry import importer_named
from ledger.importers.row import Found

Read = Callable[..., list[Found]]


@pytest.fixture
def read() -> Read:
    """Give a function that reads text or bytes by a format's name: `read("csv", "date,amount\\n...")`."""

    def read_as(
        name: str,
        content: str | bytes,
        *,
        account: str | None = None,
        timezone: str = "UTC",
        choices: CsvChoices | None = None,
    ) -> list[Found]:
        context = ImportContext(
            account=account, currency="USD", timezone=ZoneInfo(timezone), choices=choices or CsvChoices()
        )
        stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
        return list(importer_named(name).rows(stream, context))

    return read_as
