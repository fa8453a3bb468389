"""Importing cloud bills: precise lines, few events, no cash, and the last delivery in force."""

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.domain.company import CompanyRef
from ledger.importers.row import FileRefused
from ledger.models.account import Account
from ledger.models.cloud_bill import CloudBill, CloudBillLine
from ledger.models.event import CapitalEvent
from ledger.selectors.balances import cash_by_currency
from ledger.selectors.flows import daily_flows
from ledger.selectors.journal import journal_position
from ledger.services.daily_flows import catch_up
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportReport
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db
FOCUS = (Path(__file__).parents[1] / "importers" / "samples" / "focus.csv").read_text(encoding="utf-8")
CUR = (Path(__file__).parents[1] / "importers" / "samples" / "aws-cur.csv").read_text(encoding="utf-8")


def take(company: CompanyRef, content: str | bytes, **options: object) -> ImportReport:
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return import_events(company=company, stream=stream, actor="tester", now=NOW, **options)  # type: ignore[arg-type]


def counts(report: ImportReport) -> tuple[int, ...]:
    return report.read, report.recorded, report.duplicates, report.conflicts, report.rejected_lines


def standing(company: CompanyRef) -> dict[tuple[str, ...], Decimal]:
    """Events of bills that are not taken back, as (day in the company's zone, type, direction, service)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (e.occurred_at AT TIME ZONE %s)::date::text, e.event_type, e.direction,
                   e.metadata ->> 'service', e.amount
            FROM ledger_capitalevent e WHERE e.company_id = %s AND e.reverses IS NULL
            AND NOT EXISTS (SELECT FROM ledger_capitalevent r WHERE r.reverses = e.event_id)
            """,
            [company.timezone, company.id],
        )
        rows = cursor.fetchall()
    found = {tuple(row[:4]): row[4] for row in rows}
    assert len(found) == len(rows)
    return found


def journal_total(company: CompanyRef) -> Decimal:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(CASE direction WHEN 'out' THEN amount ELSE -amount END) FROM ledger_capitalevent"
            " WHERE company_id = %s",
            [company.id],
        )
        (total,) = cursor.fetchone()
    return Decimal(total)


def test_a_bill_is_one_event_per_day_service_and_charge_type(company: CompanyRef) -> None:
    report = take(company, FOCUS)
    assert counts(report) == (7, 7, 0, 0, 0)
    ec2 = "Amazon Elastic Compute Cloud"
    assert standing(company) == {
        ("2025-11-03", "expense", "out", ec2): Decimal("0.0832"),
        ("2025-11-04", "adjustment", "in", ec2): Decimal("1.5"),
        ("2025-11-01", "expense", "out", "Savings Plans"): Decimal(720),
        ("2025-11-01", "expense", "out", ec2): Decimal("57.60"),
        # Both credits, on the day after the period.
        ("2025-12-01", "credit", "in", ec2): Decimal("400.123457"),
    }


def test_the_lines_keep_every_digit(company: CompanyRef) -> None:
    take(company, FOCUS)
    lines = CloudBillLine.objects.filter(company_id=company.id).order_by("ordinal")
    assert [line.billed for line in lines][:2] == [Decimal("0.0416000000001")] * 2
    assert lines[5].billed == Decimal("-300.123456789")
    assert {line.digest.hex() if isinstance(line.digest, bytes) else bytes(line.digest).hex() for line in lines}
    bill = CloudBill.objects.get(company_id=company.id)
    assert bill.billed == Decimal("376.0597432110002")
    assert bill.journalled == journal_total(company)
    assert abs(bill.journalled - bill.billed) <= 5 * Decimal("0.0000005")


def test_nothing_of_a_bill_moves_cash_and_only_its_credit_is_a_flow(company: CompanyRef) -> None:
    take(company, FOCUS)
    catch_up(company_id=company.id)
    until = date(2026, 6, 1)
    assert set(cash_by_currency(company_id=company.id, at=until).values()) <= {Decimal(0)}
    flows = daily_flows(company_id=company.id, until=until)
    assert [
        (flows.categories[code], amount) for code, amount in zip(flows.category, flows.amount, strict=True)
    ] == [("cloud_credit", pytest.approx(400.123457))]


def test_it_makes_a_cloud_account_named_after_the_provider(company: CompanyRef) -> None:
    take(company, FOCUS)
    account = Account.objects.get(company_id=company.id, name="cloud-aws")
    assert (account.kind, account.currency) == ("cloud", "USD")


def test_a_cash_account_is_refused(company: CompanyRef) -> None:
    with pytest.raises(FileRefused, match="bank is no account of kind cloud: a bill moves no cash"):
        take(company, FOCUS, account="bank")
    assert not CloudBill.objects.exists()
    take(company, FOCUS, account="cloud-main")
    assert CapitalEvent.objects.filter(account__name="cloud-main").count() == 5


def test_a_bill_issued_again_replaces_the_one_before_by_reversals(company: CompanyRef) -> None:
    take(company, FOCUS)
    before = journal_position(company_id=company.id)
    again = FOCUS.replace(",720,0,720,", ",700,0,720,")
    report = take(company, again)
    assert counts(report) == (7, 1, 6, 0, 0)
    # One reversal and one new event; the rest stands.
    assert journal_position(company_id=company.id) == before + 2
    assert standing(company)["2025-11-01", "expense", "out", "Savings Plans"] == Decimal(700)
    old, reversal, new = CapitalEvent.objects.filter(metadata__service="Savings Plans").order_by(
        "position"
    ) | CapitalEvent.objects.filter(reverses__isnull=False)
    assert bytes(reversal.reverses) == bytes(old.event_id)
    assert "issued again" in reversal.reason
    assert (new.revision, new.external_ref) == (1, old.external_ref)
    assert list(CloudBill.objects.order_by("version").values_list("version", "state", "billed")) == [
        (1, "superseded", Decimal("376.0597432110002")),
        (2, "current", Decimal("356.0597432110002")),
    ]
    assert CloudBillLine.objects.count() == 7


def services_bill(*, services: int, cost: str) -> str:
    header, line = FOCUS.splitlines(keepends=True)[:2]
    cells = dict(zip(header.strip().split(","), line.strip().split(","), strict=True))
    lines = [
        ",".join((cells | {"ServiceName": f"Service {number}", "BilledCost": cost}).values())
        for number in range(services)
    ]
    return header + "\n".join(lines) + "\n"


def test_a_bill_issued_again_takes_as_many_statements_for_many_events_as_for_some(company: CompanyRef) -> None:
    statements = []
    for services in (30, 300):
        take(company, services_bill(services=services, cost="5"))
        with CaptureQueriesContext(connection) as captured:
            report = take(company, services_bill(services=services, cost="7"))
        statements.append(len(captured))
        assert report.recorded == services
        assert set(standing(company).values()) == {Decimal(7)}
        assert len(standing(company)) == services
    assert statements[1] <= statements[0]


def test_back_and_forth_ends_where_the_last_delivery_says(company: CompanyRef) -> None:
    without_purchase = "".join(line for line in FOCUS.splitlines(keepends=True) if "Savings Plans" not in line)
    for content in (
        FOCUS,
        without_purchase,
        FOCUS,
        FOCUS.replace(",720,", ",-5,"),
        FOCUS,
        without_purchase,
        FOCUS,
    ):
        take(company, content)
        bill = CloudBill.objects.get(company_id=company.id, state="current")
        assert bill.journalled == journal_total(company)
    assert standing(company)["2025-11-01", "expense", "out", "Savings Plans"] == Decimal(720)
    assert CloudBill.objects.filter(state="current").get().version == 7


def test_the_same_lines_in_another_order_are_the_same_bill(company: CompanyRef) -> None:
    take(company, FOCUS)
    position = journal_position(company_id=company.id)
    header, *lines = FOCUS.splitlines(keepends=True)
    assert counts(take(company, header + "".join(reversed(lines)))) == (7, 0, 7, 0, 0)
    assert journal_position(company_id=company.id) == position
    assert CloudBill.objects.count() == 1


def test_a_bill_counts_once_in_whichever_format_it_comes(company: CompanyRef) -> None:
    take(company, FOCUS)
    take(company, CUR)
    bill = CloudBill.objects.get(company_id=company.id, state="current")
    assert (bill.format, bill.version) == ("aws-cur", 2)
    assert journal_total(company) == bill.journalled == Decimal("1.01")


def test_a_bill_with_an_unreadable_line_is_refused_whole(company: CompanyRef) -> None:
    take(company, FOCUS)
    position = journal_position(company_id=company.id)
    with pytest.raises(FileRefused, match="1 of 7 lines cannot be read, the first being line 5: BilledCost"):
        take(company, FOCUS.replace(",720,0,720,", ",many,0,720,"))
    assert journal_position(company_id=company.id) == position
    assert CloudBillLine.objects.count() == 7


def test_a_bill_in_two_currencies_is_refused(company: CompanyRef) -> None:
    with pytest.raises(FileRefused, match="line 8: the bill AWS 100 2025-11 is in USD and in EUR"):
        take(company, FOCUS.replace("-100,-100,-100,USD", "-100,-100,-100,EUR"))
    assert not CloudBill.objects.exists()


def test_a_currency_without_a_rate_is_refused_and_leaves_nothing(company: CompanyRef) -> None:
    with pytest.raises(FileRefused, match="currency"):
        take(company, FOCUS.replace(",USD", ",XAU"))
    with pytest.raises(FileRefused, match="no rate for AFN"):
        take(company, FOCUS.replace(",USD", ",AFN"))
    assert journal_position(company_id=company.id) == 0
    assert not CloudBillLine.objects.exists()
    assert not CloudBill.objects.exists()


def test_a_bill_that_lost_most_of_its_lines_waits_for_a_look(company: CompanyRef) -> None:
    take(company, FOCUS)
    report = take(company, "".join(FOCUS.splitlines(keepends=True)[:3]))
    assert report.needs_review == 1
    assert "has 2 lines and had 7" in report.review[0].message


def test_a_dry_run_of_a_new_delivery_says_what_would_change_and_leaves_the_old_one(company: CompanyRef) -> None:
    take(company, FOCUS)
    position = journal_position(company_id=company.id)
    again = FOCUS.replace(",720,0,720,", ",700,0,720,")
    dry = take(company, again, dry_run=True)
    assert journal_position(company_id=company.id) == position
    assert CloudBill.objects.get().billed == Decimal("376.0597432110002")
    assert CloudBillLine.objects.count() == 7
    assert dry == take(company, again)


def test_what_a_broken_off_import_left_goes_with_the_next(company: CompanyRef) -> None:
    take(company, FOCUS)
    bill = CloudBill.objects.get()
    bill.pk, bill.state, bill.version, bill.imported_at = None, "staged", None, NOW - timedelta(days=2)
    bill.save(force_insert=True)
    take(company, FOCUS)
    assert CloudBill.objects.count() == 1


def test_companies_do_not_see_each_others_bills(company: CompanyRef) -> None:
    from tests.ledger.conftest import open_company

    other = open_company("other")
    take(company, FOCUS)
    assert counts(take(other, FOCUS)) == (7, 7, 0, 0, 0)
    take(company, FOCUS.replace(",720,", ",1,"))
    assert CloudBill.objects.get(company_id=other.id).version == 1
    assert standing(other)["2025-11-01", "expense", "out", "Savings Plans"] == Decimal(720)


@pytest.mark.parametrize(
    ("path", "lines", "bills", "events"),
    [
        ("focus/focus_sample.csv", 1000, 4, 206),
        ("aws-cur/aws/sample-anonymous-aws-export-dataset.csv", 1281, 1, 41),
    ],
)
def test_real_exports_stand_in_the_journal_to_the_millionth(
    company: CompanyRef, shared_data: Path, path: str, lines: int, bills: int, events: int
) -> None:
    content = (shared_data / path).read_bytes()
    assert counts(take(company, content)) == (lines, lines, 0, 0, 0)
    assert counts(take(company, content)) == (lines, 0, lines, 0, 0)
    assert journal_position(company_id=company.id) == events
    delivered = list(CloudBill.objects.filter(company_id=company.id))
    assert len(delivered) == bills
    assert journal_total(company) == sum(bill.journalled for bill in delivered)
    total = sum(bill.billed for bill in delivered)
    assert abs(journal_total(company) - total) <= events * Decimal("0.0000005") + Decimal("0.0001")
