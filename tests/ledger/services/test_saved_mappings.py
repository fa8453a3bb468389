"""Saved mappings, accounts of files, and balances against the ledger."""

import io
from decimal import Decimal

import pytest

from ledger.domain.company import CompanyRef
from ledger.importers.csv_mapping import CsvChoices
from ledger.importers.row import FileRefused
from ledger.models.account import Account
from ledger.models.event import CapitalEvent
from ledger.models.import_memory import AccountNumber, SavedMapping
from ledger.models.statement import BalanceStatement
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportReport
from tests.ledger.conftest import NOW, open_company

pytestmark = pytest.mark.django_db

CSV = "When;How much;Who\n03/04/2026;5,00;Shop\n"
CHOICES = CsvChoices(
    columns={"occurred_at": "When", "amount": "How much", "counterparty": "Who"},
    date_order="dmy",
    decimal_mark=",",
    positive_is="out",
)


def take(company: CompanyRef, content: str, **options: object) -> ImportReport:
    return import_events(
        company=company,
        stream=io.BytesIO(content.encode()),
        actor="tester",
        now=NOW,
        **options,  # type: ignore[arg-type]
    )


def test_what_was_said_once_is_known_for_every_file_with_the_same_columns(company: CompanyRef) -> None:
    first = take(company, CSV, choices=CHOICES, account="card", save_mapping_as="my bank")
    assert (first.recorded, first.mapping) == (1, "")
    later = take(company, "\n" + CSV.replace("When", " when ").replace("5,00", "6,00"))
    assert (later.recorded, later.mapping) == (1, "my bank")
    event = CapitalEvent.objects.get(amount=6)
    assert (event.event_type, event.account.name, event.counterparty) == ("expense", "card", "Shop")
    assert event.occurred_at.isoformat()[:10] == "2026-04-03"


def test_a_mapping_can_be_named_and_what_is_said_beside_it_goes_first(company: CompanyRef) -> None:
    take(company, CSV, choices=CHOICES, save_mapping_as="my bank")
    report = take(company, CSV, mapping="my bank", choices=CsvChoices(positive_is="in", source="other"))
    assert report.recorded == 1
    assert CapitalEvent.objects.get(source="other").event_type == "income"
    with pytest.raises(FileRefused, match="there is no mapping 'yours': choose one of my bank"):
        take(company, CSV, mapping="yours")


def test_one_company_never_reads_by_the_mapping_of_another(company: CompanyRef) -> None:
    take(company, CSV, choices=CHOICES, save_mapping_as="my bank")
    other = open_company("other")
    with pytest.raises(FileRefused, match="not a format known here"):
        take(other, CSV)
    with pytest.raises(FileRefused, match="none is saved yet"):
        take(other, CSV, mapping="my bank")


def test_a_mapping_that_is_said_again_replaces_the_one_before(company: CompanyRef) -> None:
    for name in ("one", "two"):
        take(company, CSV, choices=CHOICES, save_mapping_as=name)
    assert [mapping.name for mapping in SavedMapping.objects.all()] == ["two"]


def test_a_dry_run_saves_no_mapping_and_other_formats_need_none(company: CompanyRef) -> None:
    take(company, CSV, choices=CHOICES, save_mapping_as="my bank", dry_run=True)
    assert not SavedMapping.objects.exists()
    with pytest.raises(FileRefused, match="this is mt940, which needs no mapping"):
        take(company, STATEMENT, save_mapping_as="my bank")


STATEMENT = (
    ":20:X\n:25:DE001234\n:28C:1/1\n:60F:C260104EUR100,00\n:61:2601050105D5,00NMSC\n:86:Coffee\n"
    ":62F:C260105EUR95,00\n-\n"
)
NEXT = (
    ":20:X\n:25:DE001234\n:28C:2/1\n:60F:C260105EUR95,00\n:61:2601060106D5,00NMSC\n:86:Coffee\n"
    ":62F:C260106EUR80,00\n-\n"
)


def test_an_account_keeps_the_name_that_its_first_file_gave_it(company: CompanyRef) -> None:
    take(company, STATEMENT, account="bank")
    assert take(company, STATEMENT).duplicates == 1
    assert take(company, NEXT).new_accounts == []
    assert set(CapitalEvent.objects.values_list("account__name", flat=True)) == {"bank"}
    with pytest.raises(FileRefused, match="ending in 1234 was imported as bank before"):
        take(company, NEXT, account="bank-two")
    (number,) = AccountNumber.objects.all()
    assert (number.ending, b"1234" in bytes(number.fingerprint)) == ("1234", False)


def test_balances_are_kept_and_held_against_what_was_stated_before(company: CompanyRef) -> None:
    first = take(company, STATEMENT)
    assert first.new_accounts == ["bank-DE001234"]
    assert [(found.amount, found.expected, found.agrees) for found in first.stated] == [
        ("100.00", None, None),
        ("95.00", "95.00", True),
    ]
    preview = take(company, NEXT, dry_run=True)
    assert (preview.balances, preview.balances_new, preview.balances_off) == (2, 1, 1)
    off = preview.stated[1]
    assert (off.amount, off.expected, off.agrees) == ("80.00", "90.00", False)
    assert BalanceStatement.objects.count() == 2
    assert take(company, NEXT).stated == preview.stated
    kept = BalanceStatement.objects.order_by("day").values_list("account__name", "amount", "origin")
    assert list(kept) == [
        ("bank-DE001234", Decimal(100), "mt940"),
        ("bank-DE001234", Decimal(95), "mt940"),
        ("bank-DE001234", Decimal(80), "mt940"),
    ]


def test_a_file_with_balances_alone_makes_its_account(company: CompanyRef) -> None:
    only = STATEMENT.replace(":61:2601050105D5,00NMSC\n:86:Coffee\n", "").replace("EUR95,00", "EUR100,00")
    report = take(company, only)
    assert (report.read, report.balances, report.new_accounts) == (0, 2, ["bank-DE001234"])
    assert Account.objects.get(name="bank-DE001234").currency == "EUR"
