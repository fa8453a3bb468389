"""Importing whole files: what is recorded, recognised, refused, and that no line is lost."""

import gzip
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.domain.company import CompanyRef
from ledger.importers.registry import importers
from ledger.importers.row import FileRefused
from ledger.models.account import Account
from ledger.models.event import CapitalEvent
from ledger.selectors.journal import journal_position
from ledger.services import import_events as import_events_module
from ledger.services import import_report
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportProgress, ImportReport
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "importers" / "samples"


def import_text(company: CompanyRef, content: str | bytes, **options: object) -> ImportReport:
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return import_events(company=company, stream=stream, actor="tester", now=NOW, **options)  # type: ignore[arg-type]


def line(**changes: object) -> str:
    event = {
        "source": "bank",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-06-01T14:00:00Z",
        "external_ref": "txn-1",
        **changes,
    }
    return json.dumps({name: value for name, value in event.items() if value is not None}) + "\n"


def sample(name: str) -> bytes:
    (path,) = (path for path in SAMPLES.iterdir() if path.stem == name)
    return path.read_bytes()


def counts(report: ImportReport) -> tuple[int, ...]:
    return report.read, report.recorded, report.duplicates, report.conflicts, report.rejected_lines


@pytest.mark.parametrize("name", importers())
def test_every_sample_is_recorded_once_however_often_it_is_imported(name: str, company: CompanyRef) -> None:
    first = import_text(company, sample(name))
    lines = first.read
    assert first.format == name
    assert counts(first) == (lines, lines, 0, 0, 0)
    position = journal_position(company_id=company.id)
    assert counts(import_text(company, gzip.compress(sample(name)))) == (lines, 0, lines, 0, 0)
    assert journal_position(company_id=company.id) == position
    assert position == lines or importers()[name].bills


@pytest.mark.parametrize("name", importers())
def test_a_dry_run_reports_what_a_real_run_does_and_leaves_nothing(name: str, company: CompanyRef) -> None:
    accounts = Account.objects.count()
    dry = import_text(company, sample(name), dry_run=True)
    assert not CapitalEvent.objects.exists()
    assert Account.objects.count() == accounts
    assert dry == import_text(company, sample(name))


def test_true_twins_without_ids_are_two_events_and_stay_two(company: CompanyRef) -> None:
    coffee = line(external_ref=None)
    assert counts(import_text(company, coffee * 3)) == (3, 3, 0, 0, 0)
    # The next export of the bank overlaps, and holds a fourth.
    assert counts(import_text(company, line(external_ref=None, amount="9.00") + coffee * 4)) == (5, 2, 3, 0, 0)
    references = CapitalEvent.objects.filter(amount="4.50").values_list("external_ref", flat=True)
    assert sorted(reference.rpartition(":")[2] for reference in references) == ["1", "2", "3", "4"]


def test_lines_that_differ_only_in_what_is_no_part_of_their_identity_are_two_events(company: CompanyRef) -> None:
    lines = line(external_ref=None, counterparty="A") + line(external_ref=None, counterparty="B")
    assert counts(import_text(company, lines)) == (2, 2, 0, 0, 0)


def test_good_lines_are_recorded_and_bad_ones_named(company: CompanyRef) -> None:
    report = import_text(
        company,
        line()
        + "{oops\n"
        + line(external_ref="txn-2", amount="-1", currency="usd")
        + line(external_ref="txn-3", occurred_at="2026-06-01T14:00:00")
        + line(external_ref="txn-4", account="shoebox")
        + line(external_ref="txn-5"),
    )
    assert counts(report) == (6, 2, 0, 0, 4)
    assert [(problem.line, problem.field) for problem in report.rejected] == [
        (2, "line"),
        (3, "amount"),
        (3, "currency"),
        (4, "occurred_at"),
        (5, "account"),
    ]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("lines_per_batch", [1, 100])
def test_an_object_with_other_content_is_a_conflict_within_and_across_batches(
    dry_run: bool, lines_per_batch: int, company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_events_module, "LINES_PER_BATCH", lines_per_batch)
    report = import_text(company, line() + line(amount="5.00") + line() + line(account="bank"), dry_run=dry_run)
    assert counts(report) == (4, 1, 2, 1, 0)
    assert [(problem.line, problem.field) for problem in report.conflicting] == [(2, "amount")]


def test_accounts_are_made_with_the_kind_their_name_tells(company: CompanyRef) -> None:
    import_text(company, line(account="card") + line(account="stripe-eur", currency="EUR"))
    made = Account.objects.filter(company_id=company.id).exclude(name="bank").order_by("name")
    assert [(account.name, account.kind, account.currency) for account in made] == [
        ("card", "card", "USD"),
        ("stripe-eur", "processor", "EUR"),
    ]


def test_an_account_can_be_named_for_lines_without_one(company: CompanyRef) -> None:
    import_text(company, line() + line(account="bank"), account="card")
    assert set(CapitalEvent.objects.values_list("account__name", flat=True)) == {"card", "bank"}


def test_a_date_without_a_time_is_noon_in_the_time_zone_of_the_account(company: CompanyRef) -> None:
    import_text(company, "Date,Amount\n2026-06-01,-5.00\n")
    assert CapitalEvent.objects.get().occurred_at.isoformat() == "2026-06-01T16:00:00+00:00"


def test_a_line_without_a_time_is_put_to_review_and_still_recognised(company: CompanyRef) -> None:
    undated = line(occurred_at=None, external_ref=None)
    report = import_text(company, undated)
    assert (report.recorded, report.needs_review, report.review[0].field) == (1, 1, "occurred_at")
    later = import_events(
        company=company, stream=io.BytesIO(undated.encode()), actor="tester", now=NOW + timedelta(days=1)
    )
    assert (later.duplicates, later.needs_review) == (1, 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("{oops\n{again\n", "none of its 2 lines can be read as ndjson: line 1: line is not JSON"),
        ("source,event_type,amount,currency\n", "there are no events in the file"),
        ("<OFX></OFX>", "no statement of an account"),
        ("<a></a>", "this is XML"),
        (b"\x1f\x8b\x08rest", "damaged|ends too early"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_whole(
    content: str | bytes, reason: str, company: CompanyRef
) -> None:
    with pytest.raises(FileRefused, match=reason):
        import_text(company, content)
    assert not CapitalEvent.objects.exists()


def test_a_gzip_file_that_breaks_off_late_is_refused_before_anything_is_recorded(company: CompanyRef) -> None:
    content = "".join(line(external_ref=f"txn-{number}") for number in range(2_000))
    with pytest.raises(FileRefused, match="ends too early"):
        import_text(company, gzip.compress(content.encode())[:-30])
    assert not CapitalEvent.objects.exists()


def test_a_stated_format_is_held_to(company: CompanyRef) -> None:
    with pytest.raises(FileRefused, match="none of its 6 lines can be read as ndjson"):
        import_text(company, sample("capstack"), format_name="ndjson")
    with pytest.raises(FileRefused, match="no header found"):
        import_text(company, sample("ndjson"), format_name="csv")
    with pytest.raises(FileRefused, match="unknown format 'xlsx'"):
        import_text(company, sample("ndjson"), format_name="xlsx")


def test_events_of_the_api_and_of_a_file_meet_by_their_external_reference(company: CompanyRef) -> None:
    from ledger.services.record import record

    record(company_id=company.id, drafts=[make_draft(source="bank")], actor="token:feed", now=NOW)
    assert counts(import_text(company, line())) == (1, 0, 1, 0, 0)


def test_it_tells_how_far_it_is(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_events_module, "LINES_PER_BATCH", 2)
    seen: list[ImportProgress] = []
    import_text(company, "".join(line(external_ref=str(n)) for n in range(5)), on_progress=seen.append)
    assert [progress.read for progress in seen] == [2, 4, 5]
    assert seen[-1].read_bytes == seen[-1].total_bytes > 0


def test_the_list_of_problems_is_bounded_and_the_count_is_not(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_report, "MAX_LISTED_PROBLEMS", 3)
    report = import_text(company, line() + "{oops\n" * 5)
    assert (report.rejected_lines, len(report.rejected)) == (5, 3)
