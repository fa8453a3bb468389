"""The exports of single providers."""

from pathlib import Path

import pytest

from ledger.importers.row import BadRow, FileRefused, LeftOut, Row

SAMPLES = Path(__file__).parent / "samples"
MERCURY = (SAMPLES / "mercury.csv").read_text()
STRIPE = (SAMPLES / "stripe.csv").read_text()
BREX = (SAMPLES / "brex.csv").read_text()
BREX_CASH = (SAMPLES / "brex-cash.csv").read_text()
REVOLUT = (SAMPLES / "revolut.csv").read_text()
WISE = (SAMPLES / "wise.csv").read_text()
CHASE = (SAMPLES / "chase.csv").read_text()
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


def test_brexs_ids_name_its_transactions(read):
    assert [reference for *_, reference in said(read("brex", BREX))] == ["t1", "t2", "t3", "t4"]
    assert read("brex", BREX)[0].event["occurred_at"] == "2026-01-05T12:00:00+00:00"


def test_brexs_older_export_has_times_and_large_amounts_in_powers_of_ten(read):
    older = (
        "Swipe Date (UTC),Posted Date (UTC),Type,Amount,Merchant Name,Statement Descriptor,Last 4,Memo\n"
        "2020-03-01 10:00:00.000Z,2020-03-02 11:00:00.000Z,Transaction,1.3055e3,Airline,AIRLINE,*0042,\n"
        "2020-03-03 10:00:00.000Z,,Transaction,4.5,Cafe,CAFE,42,\n"
    )
    first, second = read("brex", older)
    assert (first.event["amount"], first.event["occurred_at"]) == ("1305.5", "2020-03-02T11:00:00+00:00")
    assert first.event["metadata"]["card"] == "0042"
    assert second.event["occurred_at"] == "2020-03-03T10:00:00+00:00"


def test_brexs_expenses_are_read_by_their_payment_status(read):
    expenses = (
        "Transaction date,Amount,Original amount,Original currency,Merchant,Memo,Expense status,Payment status\n"
        "01/27/2026,120,110,EUR,Trade fair,,Submitted,Completed\n"
        "01/28/2026,5,5,USD,Cafe,,Submitted,Pending\n"
        "01/29/2026,-20,-20,USD,Trade fair,,Approved,Completed\n"
    )
    fair, pending, refund = read("brex", expenses)
    assert (fair.event["event_type"], fair.event["amount"], fair.event["currency"]) == ("expense", "120", "USD")
    assert fair.event["metadata"]["original_currency"] == "EUR"
    assert isinstance(pending, LeftOut)
    assert (refund.event["event_type"], refund.event["direction"]) == ("adjustment", "in")


def test_brexs_cash_accounts_are_signed_as_a_bank_and_leave_out_what_is_not_posted(read):
    found = read("brex-cash", BREX_CASH.replace("75.00,996324.50,Posted", "75.00,996324.50,Insufficient Funds"))
    assert [each[:3] for each in said(found)] == [
        ("income", None, "12345.67"),
        ("expense", None, "2500.00"),
        ("expense", None, "1250.50"),
    ]
    assert found[0].event["account"] == "bank-BREX8083"
    assert found[3].problem.message == "is insufficient funds: no money moved"


def test_mercurys_older_export_names_no_account(read):
    older = (
        "Date (UTC),Description,Amount,Status,Bank Description,Reference,Note\n"
        "11-30-2022,Supplier,-25.00,Sent,SUPPLIER ACH,,\n"
    )
    (row,) = read("mercury", older)
    assert (row.event["account"], row.event["amount"]) == ("bank-mercury", "25.00")


def test_a_fee_of_revolut_is_an_expense_of_its_own_and_the_balance_adds_up(read):
    found = read("revolut", REVOLUT)
    assert [each[:3] for each in said(found)] == [
        ("expense", None, "12.50"),
        ("expense", None, "200.00"),
        ("expense", None, "1.50"),
        ("income", None, "300.00"),
        ("transfer", "out", "100.00"),
    ]
    assert {row.event["account"] for row in found} == {"bank-revolut-eur"}
    pending = REVOLUT.replace("2026-01-07 09:00:05,Payment from a customer,300.00,0.00,EUR,COMPLETED,1086.00",
                              ",Payment from a customer,300.00,0.00,EUR,PENDING,")  # fmt: skip
    assert [row.problem.message for row in read("revolut", pending) if isinstance(row, LeftOut)] == [
        "is pending: no money moved"
    ]


def test_revoluts_business_export_states_totals_and_ids(read):
    business = (
        "Date started (UTC),Date completed (UTC),ID,Type,State,Description,Reference,Payer,Card number,"
        "Orig currency,Orig amount,Payment currency,Amount,Total amount,Fee,Balance,Account\n"
        "2026-01-04,2026-01-05,u1,CARD_PAYMENT,COMPLETED,Hosting,,Jane,123456******4522,USD,-12.00,EUR,-11.00,"
        "-11.20,0.20,988.80,EUR Main\n"
    )
    assert said(read("revolut", business)) == [
        ("expense", None, "11.00", "u1:EUR"),
        ("expense", None, "0.20", "u1:EUR:fee"),
    ]


def test_wise_is_day_first_and_a_refund_of_a_card_is_no_income(read):
    found = read("wise", WISE)
    assert said(found) == [
        ("expense", None, "714.40", "TRANSFER-2166707551"),
        ("expense", None, "54.98", "CARD-3868107236"),
        ("income", None, "910.00", "TRANSFER-2141163973"),
        ("adjustment", "in", "54.98", "CARD-3868107236"),
    ]
    assert found[1].event["occurred_at"] == "2026-01-06T19:21:33.766000+00:00"
    assert found[1].event["metadata"]["original_amount"] == "59.38"


def test_a_second_refund_under_one_id_of_wise_is_told_apart_by_what_it_says(read):
    *_, refund = WISE.splitlines()
    twice = WISE + refund.replace("20-01-2026", "21-01-2026") + "\n" + refund + "\n"
    references = [row.event.get("external_ref") for row in read("wise", twice)]
    assert references[3:] == ["CARD-3868107236", None, "CARD-3868107236"]


def test_chases_card_tells_refunds_and_payments_from_purchases(read):
    assert [each[:3] for each in said(read("chase", CHASE))] == [
        ("expense", None, "10.59"),
        ("expense", None, "420.10"),
        ("adjustment", "in", "420.10"),
        ("transfer", "in", "481.20"),
    ]


def test_chases_checking_account_leaves_out_what_is_pending(read):
    checking = (
        "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n"
        "DEBIT,07/18/2026,COFFEE,-9.99,DEBIT_CARD,,,\n"
        "CHECK,07/17/2026,CHECK 1088,-200.00,CHECK_PAID,2257.50,1088,\n"
        "CREDIT,07/16/2026,CUSTOMER,1500.00,ACH_CREDIT,2457.50,,\n"
    )
    pending, check, income = read("chase", checking)
    assert isinstance(pending, LeftOut)
    assert (check.event["amount"], check.event["metadata"]["check_number"]) == ("200.00", "1088")
    assert (income.event["event_type"], income.event["account"]) == ("income", "bank-chase")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mercury", MERCURY),
        ("stripe", STRIPE),
        ("brex", BREX),
        ("brex-cash", BREX_CASH),
        ("revolut", REVOLUT),
        ("wise", WISE.replace('"', "")),
        ("chase", CHASE),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_by_its_column(name, content, read):
    header, first, *rest = content.splitlines()
    cells = first.split(",")
    cells[header.split(",").index("Amount")] = "much"
    rows = read(name, "\n".join([header, ",".join(cells), *rest]))
    (bad,) = [row for row in rows if isinstance(row, BadRow)]
    assert (bad.line, bad.problems[0].field) == (2, "Amount")
