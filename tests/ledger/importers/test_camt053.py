"""CAMT.053: entries, batches, reversals, balances; and XML that means harm."""

import io
import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger.importers.camt053 import rows
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.importer import ImportContext
from ledger.importers.row import BadRow, FileRefused, LeftOut, Row, StatedRow

SAMPLE = (Path(__file__).parent / "samples" / "camt053.xml").read_text()
HEAD, REST = SAMPLE.split("      <Ntry>", 1)
TAIL = "    </Stmt>\n  </BkToCstmrStmt>\n</Document>\n"


def entry(inner: str = "", *, amount: str = "5.00", status: str = "<Cd>BOOK</Cd>", day: str = "2026-01-05") -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt>{inner}</Ntry>\n"
    )


def events(found: list[object]) -> list[dict[str, object]]:
    return [dict(row.event) for row in found if isinstance(row, Row)]


def balances(found: list[object]) -> list[tuple[str, date]]:
    return [(f"{row.balance.amount}", row.balance.day) for row in found if isinstance(row, StatedRow)]


def test_the_sample_means_what_the_bank_says(read):
    found = read("camt053", SAMPLE, timezone="Europe/Berlin")
    assert [(e["event_type"], e.get("direction"), e["amount"], e.get("external_ref")) for e in events(found)] == [
        ("income", None, "10000.00", "2026010500001"),
        ("expense", None, "1250.50", "2026-01-06:2/1"),
        ("expense", None, "8.40", "2026-01-06:2/2"),
        ("adjustment", "in", "99.00", None),
        ("expense", None, "10.00", "2026010900001"),
    ]
    first = events(found)[0]
    assert first["counterparty"] == "Großkunde & Co"
    assert first["metadata"]["original_amount"] == "11000.00"
    assert first["metadata"]["rate"] == "0.909091"
    # A time without an offset is the bank's own clock.
    assert events(found)[1]["occurred_at"] == "2026-01-06T08:30:00+00:00"
    assert balances(found) == [("1000.00", date(2026, 1, 4)), ("9830.10", date(2026, 1, 9))]
    assert not any(row.review for row in found if isinstance(row, StatedRow))


def test_the_opening_balance_is_that_of_the_day_before_however_the_bank_dates_it(read):
    dated_before = SAMPLE.replace(
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-05</Dt>", "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-04</Dt>"
    )
    assert balances(read("camt053", dated_before))[0] == ("1000.00", date(2026, 1, 4))


def test_a_statement_whose_entries_do_not_add_up_is_put_to_review(read):
    (review,) = [
        row.review for row in read("camt053", HEAD + entry() + TAIL) if isinstance(row, StatedRow) and row.review
    ]
    assert review[0].message == (
        "is 9830.10 where the opening balance and the entries add up to 995.00: is an entry missing?"
    )


def test_payments_that_do_not_add_up_to_their_entry_are_recorded_as_one(read):
    details = "".join(f'<TxDtls><Amt Ccy="EUR">{amount}</Amt></TxDtls>' for amount in ("2.00", "2.00"))
    (row,) = [
        row
        for row in read("camt053", HEAD + entry(f"<NtryDtls>{details}</NtryDtls>") + TAIL)
        if isinstance(row, Row)
    ]
    assert row.event["amount"] == "5.00"
    assert "add up to -4.00: it is recorded as one" in row.review[0].message


def test_only_booked_entries_are_recorded_and_the_others_listed(read):
    found = read("camt053", HEAD + entry(status="PDNG") + entry(status="<Cd>INFO</Cd>") + entry() + TAIL)
    assert len(events(found)) == 1
    assert [row.problem.message for row in found if isinstance(row, LeftOut)] == [
        "is pending: the bank has not booked it",
        "is information, and no booking",
    ]


def test_two_like_payments_with_one_weak_id_are_two(read):
    twin = entry("<NtryDtls><TxDtls><Refs><EndToEndId>RENT</EndToEndId></Refs></TxDtls></NtryDtls>")
    references = [event.get("external_ref") for event in events(read("camt053", HEAD + twin + twin + TAIL))]
    assert references == ["2026-01-05:RENT", None]


def test_entries_that_cannot_be_read_name_their_line_and_field(read):
    broken = entry(amount="5,00") + entry(day="2026-02-30") + entry().replace("DBIT", "BOTH")
    problems = [row.problems[0] for row in read("camt053", HEAD + broken + TAIL) if isinstance(row, BadRow)]
    line = HEAD.count("\n") + 1
    assert [(problem.line, problem.field) for problem in problems] == [
        (line, "Ntry/Amt"),
        (line + 1, "Dt"),
        (line + 2, "CdtDbtInd"),
    ]


@pytest.mark.parametrize("moment", ["2026-03-29T02:30:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_never_was_is_a_bad_entry(moment, read):
    found = read("camt053", HEAD + entry(day=moment) + TAIL, timezone="Europe/Berlin")
    (bad,) = (row for row in found if isinstance(row, BadRow))
    assert bad.problems[0].field == "Dt"


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
XXE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
DECLARED = '<?xml version="1.0"?>\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (SAMPLE.replace(DECLARED, DECLARED + BOMB), "line 2: it declares a document type or an entity"),
        (SAMPLE.replace(DECLARED, DECLARED + XXE), "line 2: it declares a document type or an entity"),
        (HEAD + "<a>" * 100 + "</a>" * 100 + TAIL, "nested more than 64 levels deep"),
        (HEAD + "<Ntry><AddtlNtryInf>" + "x" * 70_000 + "</AddtlNtryInf></Ntry>" + TAIL, "longer than 65536"),
        (HEAD + "<Ntry></Stmt>", "line 13: this is not well-formed XML: mismatched tag"),
        (SAMPLE[:-200], "not well-formed XML: no element found|unclosed token"),
        (SAMPLE.encode().replace(b"Vermieter", b"M\xfcller"), r"line 32: this is not .*invalid token"),
        (SAMPLE.replace('"1.0"', '"1.0" encoding="utf-16"').encode(), "line 1: this is not well-formed XML"),
        (SAMPLE.replace('"1.0"', '"1.0" encoding="klingon"').encode(), "line 1: "),
        (SAMPLE.replace("camt.053.001.08", "camt.053.001.01"), "older than version 02"),
        (SAMPLE.replace("IBAN>", "OTHER>"), "line 9: the statement does not say of which account"),
        (SAMPLE.replace("&amp;", "&bomb;"), "line 21: this is not well-formed XML: undefined entity"),
    ],
    ids=[
        "bomb", "external", "deep", "long", "mismatched", "cut_off", "wrong_bytes", "wrong_encoding",
        "unknown_encoding", "too_old", "no_account", "unknown_entity",
    ],
)  # fmt: skip
def test_xml_that_is_broken_or_means_harm_is_refused_with_its_line(content, reason, read):
    with pytest.raises(FileRefused, match=reason):
        read("camt053", content)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-8"])
def test_a_declared_encoding_is_kept_to(encoding, read):
    content = SAMPLE.replace('"1.0"', f'"1.0" encoding="{encoding}"').replace("Vermieter", "Müller")
    assert events(read("camt053", content.encode(encoding)))[1]["counterparty"] == "Müller"


class Endless(io.RawIOBase):
    """A statement of as many entries as it takes, made while it is read, so that the test holds none of it."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self.seek(0)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._pieces = self._content()
        self._left = b""
        return 0

    def _content(self) -> Iterator[bytes]:
        yield HEAD.encode()
        for number in range(self._entries):
            reference = f"<AcctSvcrRef>{number}</AcctSvcrRef><AddtlNtryInf>{'x' * 400}</AddtlNtryInf>"
            yield entry(reference).encode()
        yield TAIL.encode()

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._left += piece
        chunk, self._left = self._left[:size], self._left[size:]
        return chunk


def peak_bytes(entries: int) -> int:
    context = ImportContext(account=None, currency="EUR", timezone=ZoneInfo("UTC"), choices=CsvChoices())
    tracemalloc.start()
    try:
        found = sum(1 for _ in rows(Endless(entries), context))
        assert found == entries + 2
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_statement():
    small = peak_bytes(500)
    assert peak_bytes(5_000) < small + 500_000
