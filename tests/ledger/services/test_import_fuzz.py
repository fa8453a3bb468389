"""Hostile files: whatever the bytes are, each line is accounted for or the file is refused."""

import gzip
import io
import json
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.importer import ImportContext
from ledger.importers.registry import importers
from ledger.importers.row import BadRow, FileRefused, Row
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportReport
from tests.ledger.conftest import NOW, open_company

CELLS = st.one_of(
    st.sampled_from(
        [
            "", "-1.00", "1,234", "1.234,50", "2026-01-31", "31/01/2026", "USD", "JPY", "EUR", "expense",
            "in", '"', '""', '"a', "\x00", "\u2028", "\ud7ff", "9" * 70, "1e9", "NaN", "=1+1", "bank", "card",
            "{}", '{"a": NaN}',
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
HEADERS = st.sampled_from(
    [
        "Date,Amount,Description",
        "Date;Debit;Credit;Balance",
        "Date,Amount,Type,ID",
        "source,event_type,amount,currency,occurred_at,metadata",
        "external_id,occurred_at,amount_minor,currency,kind,category,counterparty_hash,reversal,running_balance_minor",
    ]
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.sampled_from(["bank", "", "x" * 65]),
        "event_type": st.sampled_from(["expense", "income", "transfer", "gift"]),
        "amount": st.sampled_from(["1.00", "0", "-1", "NaN", 1, 2.5, True, None, "1" * 20]),
        "currency": st.sampled_from(["USD", "usd", "XXX", 5]),
        "occurred_at": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01", "1900-01-01T00:00:00Z", "soon"]),
        "account": st.sampled_from(["bank", "card", "shoebox", ""]),
        "external_ref": st.sampled_from(["a", "b", "", "\x00"]),
        "metadata": st.recursive(st.text(max_size=3), lambda inner: st.dictionaries(st.text(max_size=3), inner)),
    },
)


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    header = draw(HEADERS)
    delimiter = ";" if ";" in header else ","
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=10).map(delimiter.join), max_size=12))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return end.join([header, *rows]).encode(encoding, errors="replace")


@st.composite
def ndjson_files(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(st.one_of(EVENTS.map(json.dumps), st.text(max_size=20)), min_size=1, max_size=12))
    content = "\n".join(lines).encode()
    cut = draw(st.integers(0, len(content)))
    return content[:cut] + draw(st.binary(max_size=6)) + content[cut:]


FILES = st.one_of(csv_files(), ndjson_files(), st.binary(max_size=200), csv_files().map(gzip.compress))


class EveryLine(TestCase):
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(content=FILES, dry_run=st.booleans())
    @example(content=b'Date,Amount\n2026-01-31,-1.00\n2026-01-31,"-1.00\n2026-01-31,-1.00\n', dry_run=False)
    @example(content=b'{"amount": 1}\n\xff\xfe\n{"a":\n', dry_run=True)
    def test_is_recorded_recognised_or_reported(self, content: bytes, dry_run: bool) -> None:
        company = open_company()
        try:
            report = import_events(
                company=company, stream=io.BytesIO(content), actor="tester", now=NOW, dry_run=dry_run
            )
        except FileRefused as refusal:
            reason = str(refusal)
        else:
            self.check(report)
            return
        assert reason
        assert "\n" not in reason

    def check(self, report: ImportReport) -> None:
        assert report.read == report.recorded + report.duplicates + report.conflicts + report.rejected_lines
        assert len({problem.line for problem in report.rejected}) == report.rejected_lines


@settings(max_examples=300, deadline=None)
@given(content=FILES, name=st.sampled_from(sorted(importers())))
def test_every_importer_survives_every_file(content: bytes, name: str) -> None:
    context = ImportContext(
        account=None,
        currency="USD",
        timezone=ZoneInfo("UTC"),
        choices=CsvChoices(positive_is="in", date_order="dmy"),
    )
    try:
        rows = list(importers()[name].rows(io.BytesIO(content), context))
    except FileRefused:
        return
    assert all(isinstance(row, Row | BadRow) for row in rows)
    numbers = [row.line for row in rows]
    assert numbers == sorted(set(numbers))
