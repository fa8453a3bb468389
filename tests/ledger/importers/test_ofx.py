"""OFX and QFX: what a bank's statement means, and what is refused."""

import io
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ofxtools.Parser import OFXTree

from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.file_accounts import KnownAccount, fingerprint
from ledger.importers.importer import ImportContext
from ledger.importers.ofx import rows
from ledger.importers.ofx_values import InvalidValue, read_amount, read_moment
from ledger.importers.row import BadRow, FileRefused, LeftOut, Row, StatedRow

SAMPLE = (Path(__file__).parent / "samples" / "ofx.ofx").read_text()
NEW_YORK = ZoneInfo("America/New_York")


def statement(transactions: str, *, card: bool = False, header: str = "", currency: str = "USD") -> str:
    prefix, account = ("CC", "CCACCTFROM") if card else ("", "BANKACCTFROM")
    return (
        f"{header}<OFX>\n<{prefix}STMTRS><CURDEF>{currency}<{account}><ACCTID>4111 1111 1111 1234</{account}>\n"
        f"<BANKTRANLIST>\n{transactions}\n</BANKTRANLIST></{prefix}STMTRS></OFX>"
    )


def transaction(**values: str) -> str:
    said = {"TRNTYPE": "DEBIT", "DTPOSTED": "20260105", "TRNAMT": "-5.00", "FITID": "1", "NAME": "Shop", **values}
    return "<STMTTRN>" + "".join(f"<{name}>{value}" for name, value in said.items()) + "</STMTTRN>"


def events(found: list[object]) -> list[dict[str, object]]:
    return [dict(row.event) for row in found if isinstance(row, Row)]


def test_amounts_signs_dates_and_ids_of_the_sample(read):
    found = read("ofx", SAMPLE, timezone="America/New_York")
    assert [(e["event_type"], e["amount"], e["occurred_at"][:16], e["external_ref"]) for e in events(found)] == [
        ("income", "10000", "2026-01-05T17:00", "2026010501"),
        ("expense", "1250.5", "2026-01-06T14:30", "2026010601"),
        ("expense", "99.5", "2026-01-07T17:00", "2026010701"),
        ("adjustment", "12", "2026-01-08T17:00", "2026010801"),
        ("expense", "500", "2026-01-09T17:00", "2026010901"),
    ]
    (balance,) = [row.balance for row in found if isinstance(row, StatedRow)]
    assert (balance.account, balance.amount, balance.day) == ("bank-00123456", Decimal(8162), date(2026, 1, 31))


def test_a_card_is_named_by_its_last_digits_and_what_comes_onto_it_is_never_income(read):
    found = read(
        "ofx",
        statement(
            transaction()
            + transaction(TRNTYPE="CREDIT", TRNAMT="500.00", FITID="2", NAME="ONLINE PAYMENT - THANK YOU")
            + transaction(TRNTYPE="CREDIT", TRNAMT="5.00", FITID="3", NAME="Shop"),
            card=True,
        ),
    )
    assert [(e["account"], e["event_type"], e.get("direction")) for e in events(found)] == [
        ("card-1234", "expense", None),
        ("card-1234", "transfer", "in"),
        ("card-1234", "adjustment", "in"),
    ]
    assert "4111" not in str(found)


def test_a_transfer_is_one_only_when_the_other_account_is_the_companys_own():
    to = "<BANKACCTTO><ACCTID>99-1</BANKACCTTO>"
    content = statement(transaction(TRNTYPE="XFER", NAME=f"Wire{to}"))
    for known, expected in (({}, "expense"), ({fingerprint("991"): KnownAccount("bank", NEW_YORK)}, "transfer")):
        context = ImportContext(
            account=None, currency="USD", timezone=NEW_YORK, choices=CsvChoices(), known_accounts=known
        )
        (event,) = events(list(rows(io.BytesIO(content.encode()), context)))
        assert event["event_type"] == expected


def test_an_id_that_stands_for_two_entries_is_none_for_the_second(read):
    found = read("ofx", statement(transaction() + transaction() + transaction(TRNAMT="-6.00")))
    assert [event.get("external_ref") for event in events(found)] == ["1", "1", None]


def test_an_amount_in_another_currency_is_converted_by_the_banks_rate_and_the_original_kept(read):
    in_euro = transaction(TRNAMT="-10.00", MEMO="x<CURRENCY><CURRATE>1.0855<CURSYM>EUR</CURRENCY>")
    was_euro = transaction(FITID="2", MEMO="x<ORIGCURRENCY><CURRATE>1.0855<CURSYM>EUR</ORIGCURRENCY>")
    no_rate = transaction(FITID="3", MEMO="x<CURRENCY><CURSYM>EUR</CURRENCY>")
    converted, original, bad = read("ofx", statement(in_euro + was_euro + no_rate))
    assert (converted.event["amount"], converted.event["currency"]) == ("10.86", "USD")
    assert converted.event["metadata"]["original_currency"] == "EUR"
    assert (original.event["amount"], original.event["metadata"]["original_currency"]) == ("5", "EUR")
    assert isinstance(bad, BadRow)
    assert bad.problems[0].field == "CURRENCY"


def test_a_sign_that_contradicts_the_type_is_put_to_review(read):
    (row,) = read("ofx", statement(transaction(TRNAMT="5.00")))
    assert row.event["event_type"] == "adjustment"
    assert row.review[0].message == "is DEBIT, and the amount says that money came in"


def test_pending_and_empty_entries_are_left_out(read):
    pending = "<STMTTRNP><TRNTYPE>DEBIT<TRNAMT>-1</STMTTRNP>"
    found = read("ofx", statement(pending + transaction(TRNAMT="0.00")))
    assert [row.problem.field for row in found if isinstance(row, LeftOut)] == ["STMTTRNP", "amount"]


def test_several_statements_are_several_accounts_and_one_name_for_them_is_refused(read, shared_data):
    content = (shared_data / "ofx" / "ofxparse" / "multiple_accounts.ofx").read_bytes()
    assert [row.balance.account for row in read("ofx", content)] == ["bank-9100", "bank-9200"]
    with pytest.raises(FileRefused, match="about several accounts"):
        read("ofx", content, account="bank")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "b">]>\n<OFX></OFX>', "line 2: it declares"),
        ("<OFX>\n<STMTRS>\n<STMTTRN>", "line 1: <OFX> is not closed"),
        (SAMPLE[: SAMPLE.index("<LEDGERBAL>") + 5], "a tag begins here and does not end"),
        ("<OFX>" + "<STATUS>" * 100, "nested more than 64 levels"),
        ("<OFX>\n<MEMO>" + "x" * 70_000 + "</OFX>", "line 2: a value is longer"),
        (statement(transaction()).replace("<ACCTID>", "<OTHER>"), "does not say of which account"),
        ("<OFX><BANKTRANLIST>" + transaction() + "</BANKTRANLIST></OFX>", "outside of any statement"),
        (statement("").replace("<BANKTRANLIST>", "").replace("</BANKTRANLIST>", ""), "without entries"),
        ("<OFX>\n<1>", "line 2: <1> is not a tag"),
        (
            b'<?xml version="1.0" encoding="utf-8"?>\n<OFX>\n<NAME>\xe9</NAME></OFX>',
            "line 3: byte 0xE9 is not utf-8",
        ),
        (b'<?xml version="1.0" encoding="utf-7"?><OFX></OFX>', "the encoding utf-7 is not read"),
        (b"<OFX>\n<NAME>\x00</OFX>", "line 2: a NUL"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(content, reason, read):
    with pytest.raises(FileRefused, match=reason):
        read("ofx", content)


def test_nothing_of_a_file_that_breaks_late_comes_out():
    context = ImportContext(account=None, currency="USD", timezone=NEW_YORK, choices=CsvChoices())
    content = statement("\n".join(transaction(FITID=str(number)) for number in range(5_000)))[:-20]
    with pytest.raises(FileRefused):
        next(rows(io.BytesIO(content.encode()), context))


def test_characters_of_windows_are_read_as_the_bytes_tell(read):
    header = "OFXHEADER:100\nENCODING:USASCII\nCHARSET:1252\n\n"
    content = statement(transaction(NAME="Café"), header=header)
    for encoding in ("cp1252", "utf-8"):
        assert events(read("ofx", content.encode(encoding)))[0]["counterparty"] == "Café"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260131", "2026-01-31T17:00:00+00:00"),
        ("20260131000000.000[-8:PST]", "2026-01-31T17:00:00+00:00"),
        ("20260131093000", "2026-01-31T14:30:00+00:00"),
        ("20260131093000.500[+1:CET]", "2026-01-31T08:30:00.500000+00:00"),
        ("20260131093000[5.5:IST]", "2026-01-31T04:00:00+00:00"),
        ("20260131093000[-:EST]", "2026-01-31T14:30:00+00:00"),
    ],
)
def test_a_moment_is_what_the_bank_means(text, expected):
    assert read_moment(text, timezone_of_account=NEW_YORK).at.isoformat() == expected


def test_a_time_that_clocks_skip_is_none_unless_an_offset_says_whose():
    with pytest.raises(InvalidValue, match="America/New_York never showed 02:30"):
        read_moment("20260308023000", timezone_of_account=NEW_YORK)
    assert read_moment("20260308023000[-5:EST]", timezone_of_account=NEW_YORK).at.hour == 7


@given(st.text(alphabet="0123456789.,+-[]:ESTx ", max_size=30))
def test_any_text_is_a_value_or_says_why_not(text):
    with suppress(InvalidValue):
        assert read_amount(text).is_finite()
    with suppress(InvalidValue):
        assert read_moment(text, timezone_of_account=NEW_YORK).at.tzinfo is not None


@pytest.mark.parametrize("name", ["bank_medium.ofx", "suncorp.ofx"])
def test_it_agrees_with_ofxtools_where_that_can_read(name, read, shared_data):
    path = shared_data / "ofx" / "ofxparse" / name
    tree = OFXTree()
    with path.open("rb") as stream:
        tree.parse(stream)
    (theirs,) = tree.convert().statements
    found = read("ofx", path.read_bytes())
    ours = [
        (e["external_ref"], Decimal(e["amount"]) * (1 if e["event_type"] == "income" else -1))
        for e in events(found)
    ]
    assert ours == [(each.fitid, each.trnamt) for each in theirs.banktranlist]
    assert [row.balance.amount for row in found if isinstance(row, StatedRow)] == [theirs.ledgerbal.balamt]
