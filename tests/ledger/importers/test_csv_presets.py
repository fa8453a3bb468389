"""The exports of Mercury, Brex and Stripe."""

from pathlib import Path

import pytest

from ledger.importers.row import BadRow, FileRefused, LeftOut, Row

SAMPLES = Path(__file__).parent / "samples"
MERCURY = (SAMPLES / "mercury.csv").read_text()
STRIPE = (SAMPLES / "stripe.csv").read_text()
BREX = (SAMPLES / "brex.csv").read_text()
REPORT = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,description\n"
    "txn_1,2026-01-05 09:00:00,2026-01-07 00:00:00,usd,100.00,3.20,96.80,charge,ch_1,Invoice 7\n"
)


def said(found: list[object]) -> list[tuple[object, ...]]:
    return [
        (row.event["event_type"], row.event.get("direction"), row.event["amount"], row.event.get("external_ref"))
        for row in found
        if isinstance(row, Row)
    ]


def test_mercury_is_read_in_utc_with_its_internal_transfers(read):
    found = read("mercury", MERCURY, timezone="America/Los_Angeles")
    assert [each[:3] for each in said(found)] == [
        ("income", None, "10000.00"),
        ("expense", None, "1250.50"),
        ("expense", None, "4.25"),
        ("transfer", "out", "5000.00"),
    ]
    assert found[0].event["occurred_at"] == "2026-01-05T14:00:01+00:00"
    assert found[0].event["account"] == "bank-MERCURYMERCURYCHECKINGXX3992"
    assert found[1].event["category"] == "Office"


@pytest.mark.parametrize("status", ["Pending", "Failed", "Cancelled", "Blocked"])
def test_mercury_lists_what_moved_no_money(status, read):
    found = read("mercury", MERCURY.replace("-4.25,Sent", f"-4.25,{status}"))
    assert [row.problem.message for row in found if isinstance(row, LeftOut)] == [
        f"is {status.lower()}: no money moved"
    ]


def test_two_accounts_of_mercury_under_one_name_are_refused(read):
    other = MERCURY.replace("-4.25,Sent,Mercury Checking xx3992", "-4.25,Sent,Mercury Savings xx1111")
    assert len({row.event["account"] for row in read("mercury", other)}) == 2
    with pytest.raises(FileRefused, match="about several accounts"):
        read("mercury", other, account="bank")


def test_a_line_of_stripe_is_the_payment_and_the_fee_of_it(read):
    found = read("stripe", STRIPE)
    assert said(found) == [
        ("income", None, "100.00", "ch_1"),
        ("expense", None, "3.20", "txn_1"),
        ("expense", None, "40.00", "re_1"),
        ("expense", None, "2.00", "txn_3"),
        ("transfer", "out", "54.80", "po_1"),
    ]
    assert {row.event["account"] for row in found} == {"stripe"}
    # What is left on the account is what the file says was paid out.
    assert sum(float(net) for *_, net in (line.split(",")[:8] for line in STRIPE.splitlines()[1:])) == 0
    assert found[0].event["metadata"]["original_currency"] == "EUR"


def test_stripes_report_says_the_same_as_its_history(read):
    assert said(read("stripe", REPORT)) == said(read("stripe", STRIPE))[:2]


def test_a_line_of_stripe_that_does_not_add_up_is_refused(read):
    (row,) = [row for row in read("stripe", STRIPE.replace("96.80", "96.81")) if isinstance(row, BadRow)]
    assert row.problems[0].message == "is 96.81 where the amount less the fee is 96.80"


def test_what_is_spent_with_brex_is_positive_and_refunds_are_no_income(read):
    assert [each[:3] for each in said(read("brex", BREX))] == [
        ("expense", None, "250.00"),
        ("expense", None, "420.10"),
        ("adjustment", "in", "420.10"),
        ("transfer", "in", "250.00"),
    ]


@pytest.mark.parametrize(("name", "content"), [("mercury", MERCURY), ("stripe", STRIPE), ("brex", BREX)])
def test_a_cell_that_cannot_be_read_is_named_by_its_column(name, content, read):
    header, first, *rest = content.splitlines()
    cells = first.split(",")
    cells[header.split(",").index("Amount")] = "much"
    rows = read(name, "\n".join([header, ",".join(cells), *rest]))
    (bad,) = [row for row in rows if isinstance(row, BadRow)]
    assert (bad.line, bad.problems[0].field) == (2, "Amount")
