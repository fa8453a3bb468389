"""The write path: what is recorded, what is a duplicate, what is a conflict, what is refused."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from ledger.domain.company import CompanyNotFound, CompanyRef
from ledger.domain.event import EventDraft
from ledger.domain.outcome import Outcome
from ledger.models.event import CapitalEvent
from ledger.models.source import Source
from ledger.selectors.journal import find_event, journal_position
from ledger.services import record as record_module
from ledger.services.companies import create_company
from ledger.services.journal_rows import JournalRow
from ledger.services.journal_table import write_rows
from ledger.services.record import record, record_one
from ledger.services.reverse import reverse
from ledger.signals import journal_advanced
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db


def write(company: CompanyRef, *drafts: EventDraft, **options: bool) -> tuple[Outcome, ...]:
    return record(company_id=company.id, drafts=drafts, actor="tester", now=NOW, **options)


def statuses(outcomes: tuple[Outcome, ...]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_it_records_an_event_with_everything_we_add(company: CompanyRef) -> None:
    (outcome,) = write(company, make_draft(currency="EUR", amount="100", category="travel", metadata={"a": 1}))
    entry = find_event(company_id=company.id, event_id=outcome.event_id)
    assert entry is not None
    assert (outcome.status, entry.position, entry.account, entry.direction) == ("recorded", 1, "bank", "out")
    assert (entry.fx_source, entry.base_amount) == (
        "ecb",
        (Decimal(100) * entry.fx_rate).quantize(Decimal("0.000001")),
    )
    assert (entry.recorded_at, entry.actor, entry.revision, entry.reverses) == (NOW, "tester", 0, "")
    assert (entry.category, entry.metadata) == ("travel", '{"a": 1}')


def test_positions_are_gapless_in_the_order_given(company: CompanyRef) -> None:
    first = write(company, *(make_draft(external_ref=f"a{n}") for n in range(50)))
    second = write(company, make_draft(external_ref="a0"), make_draft(external_ref="b"))
    assert [outcome.position for outcome in first] == list(range(1, 51))
    assert [(o.status, o.position) for o in second] == [("duplicate", None), ("recorded", 51)]
    assert journal_position(company_id=company.id) == 51


@pytest.mark.parametrize("count", [1, 5, 60])
def test_a_retry_records_nothing_and_names_the_same_events(company: CompanyRef, count: int) -> None:
    drafts = [make_draft(external_ref=f"r{n}") for n in range(count)]
    first, second = write(company, *drafts), write(company, *drafts)
    assert statuses(second) == ["duplicate"] * count
    assert [o.event_id for o in second] == [o.event_id for o in first]
    assert CapitalEvent.objects.count() == count


def test_two_real_coffees_in_one_second_are_two_events(company: CompanyRef) -> None:
    assert statuses(write(company, make_draft(external_ref="1"), make_draft(external_ref="2"))) == ["recorded"] * 2


def test_without_a_reference_the_content_is_the_identity(company: CompanyRef) -> None:
    plain, other = make_draft(external_ref=None), make_draft(external_ref=None, amount="4.51")
    assert statuses(write(company, plain, plain, other)) == ["recorded", "duplicate", "recorded"]
    assert statuses(write(company, plain)) == ["duplicate"]


def test_words_beside_the_content_do_not_make_another_event(company: CompanyRef) -> None:
    write(company, make_draft(category="food"))
    assert statuses(write(company, make_draft(category="coffee", metadata={"delivery": 2}))) == ["duplicate"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"amount": "5"}, ["amount"]),
        ({"currency": "EUR"}, ["currency"]),
        ({"occurred_at": "2026-06-01T14:00:00.000001Z"}, ["occurred_at"]),
        ({"amount": "5", "currency": "EUR"}, ["amount", "currency"]),
    ],
)
def test_other_content_for_one_object_is_a_conflict_naming_the_fields(
    company: CompanyRef, changes: dict, fields: list[str]
) -> None:
    (first,) = write(company, make_draft())
    (second,) = write(company, make_draft(**changes))
    assert (second.status, second.event_id) == ("conflict", first.event_id)
    assert [problem.field for problem in second.problems] == fields
    assert journal_position(company_id=company.id) == 1


def test_another_account_source_type_or_direction_is_another_object(company: CompanyRef) -> None:
    drafts = [
        make_draft(),
        make_draft(account="card-1"),
        make_draft(source="card-feed"),
        make_draft(event_type="income"),
        make_draft(event_type="transfer", direction="in"),
        make_draft(event_type="transfer", direction="out"),
    ]
    assert statuses(write(company, *drafts, create_accounts=True)) == ["recorded"] * 6


def test_a_repeat_without_a_time_is_recognised_by_its_reference(company: CompanyRef) -> None:
    later = datetime(2026, 6, 16, tzinfo=UTC)
    (first,) = record(company_id=company.id, drafts=[make_draft(occurred_at=None)], actor="t", now=NOW)
    (second,) = record(company_id=company.id, drafts=[make_draft(occurred_at=None)], actor="t", now=later)
    assert (second.status, second.event_id, second.occurred_at) == ("duplicate", first.event_id, NOW)


def test_within_one_batch_the_first_counts(company: CompanyRef) -> None:
    outcomes = write(company, make_draft(), make_draft(), make_draft(amount="9"), make_draft(external_ref="2"))
    assert statuses(outcomes) == ["recorded", "duplicate", "conflict", "recorded"]
    assert outcomes[0].event_id == outcomes[1].event_id == outcomes[2].event_id
    assert [outcome.position for outcome in outcomes] == [1, 1, None, 2]


def test_within_one_batch_what_is_recorded_before_counts_first(company: CompanyRef) -> None:
    write(company, make_draft(amount="9"))
    outcomes = write(company, make_draft(), make_draft(amount="9"), make_draft())
    assert statuses(outcomes) == ["conflict", "duplicate", "conflict"]


def test_a_bad_event_does_not_sink_the_rest(company: CompanyRef) -> None:
    outcomes = write(
        company,
        make_draft(external_ref="1"),
        make_draft(external_ref="2", account="unheard-of"),
        make_draft(external_ref="3", currency="AED", account="unheard-of"),
        make_draft(external_ref="4", currency="XOF"),
        make_draft(external_ref="5"),
    )
    assert statuses(outcomes) == ["recorded", "rejected", "rejected", "rejected", "recorded"]
    assert [[problem.field for problem in outcome.problems] for outcome in outcomes[1:4]] == [
        ["account"], ["account", "currency"], ["currency"]
    ]  # fmt: skip
    assert "bank" in outcomes[1].problems[0].message
    assert "XOF" in outcomes[3].problems[0].message


def test_it_refuses_an_amount_too_large_for_the_books(db: None) -> None:
    rupiah = create_company(slug="jaya", name="Jaya", currency="IDR", timezone="Asia/Jakarta", now=NOW)
    (outcome,) = record(
        company_id=rupiah.pk, drafts=[make_draft(amount="99999999999999")], actor="tester", now=NOW
    )
    assert (outcome.status, outcome.problems[0].field) == ("rejected", "amount")


def test_an_event_may_have_another_currency_than_its_account(company: CompanyRef) -> None:
    (outcome,) = write(company, make_draft(currency="GBP", account="bank"))
    assert outcome.status == "recorded"


def test_importers_make_accounts_of_the_kind_the_name_says(company: CompanyRef) -> None:
    names = ("bank-eur", "card", "stripe", "cloud-aws", "mattress")
    outcomes = write(
        company,
        *(make_draft(account=name, currency="EUR") for name in names),
        create_accounts=True,
    )
    assert statuses(outcomes) == ["recorded"] * 4 + ["rejected"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, kind, currency FROM ledger_account WHERE company_id = %s", [company.id])
        assert set(cursor.fetchall()) == {
            ("bank", "bank", "USD"),
            ("bank-eur", "bank", "EUR"),
            ("card", "card", "EUR"),
            ("stripe", "processor", "EUR"),
            ("cloud-aws", "cloud", "EUR"),
        }


def test_the_first_use_of_a_source_creates_it(company: CompanyRef) -> None:
    write(company, make_draft(), make_draft(external_ref="2", source="plaid"))
    write(company, make_draft(external_ref="3"))
    assert set(Source.objects.values_list("name", "first_seen_at")) == {("bank-feed", NOW), ("plaid", NOW)}


def test_a_dry_run_reports_as_a_real_one_and_leaves_nothing(company: CompanyRef) -> None:
    write(company, make_draft())
    drafts = [make_draft(), make_draft(amount="9"), make_draft(external_ref="2", account="card")]
    outcomes = write(company, *drafts, create_accounts=True, dry_run=True)
    assert statuses(outcomes) == ["duplicate", "conflict", "recorded"]
    assert journal_position(company_id=company.id) == 1
    assert not CapitalEvent.objects.filter(external_ref="2").exists()


def test_a_dry_run_writes_nothing_that_is_plainly_new(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Decimal] = []

    def watched(rows: Sequence[JournalRow], **options: Any) -> dict[int, int]:
        written.extend(row.draft.amount for row in rows)
        return write_rows(rows, **options)

    monkeypatch.setattr(record_module, "write_rows", watched)
    drafts = [make_draft(), make_draft(external_ref="2", amount="7"), make_draft(external_ref="2", amount="8")]
    outcomes = write(company, *drafts, make_draft(external_ref="3"), dry_run=True)
    assert statuses(outcomes) == ["recorded", "recorded", "conflict", "recorded"]
    assert written == [7]
    assert journal_position(company_id=company.id) == 0


def test_it_stores_awkward_texts_unchanged_in_batches_and_alone(company: CompanyRef) -> None:
    texts = [
        "tab\there",
        "line\nbreak",
        "back\\slash \\N \\.",
        "quote ' \" $$",
        "☕ emoji 🎉",
        "nbsp\u00a0zw\u200b",
        "%s %(a)s",
    ]
    drafts = [
        make_draft(external_ref=f"{n}-{text}", counterparty=text, category=text, metadata={text: [text]})
        for n, text in enumerate(texts * 5)
    ]
    outcomes = [*write(company, *drafts), *(write(company, draft)[0] for draft in drafts)]
    assert statuses(tuple(outcomes)) == ["recorded"] * 35 + ["duplicate"] * 35
    (alone,) = write(company, make_draft(external_ref="alone\t\\", counterparty=texts[2], metadata=texts[2]))
    stored = CapitalEvent.objects.get(event_id=bytes.fromhex(alone.event_id))
    assert (stored.external_ref, stored.counterparty, stored.metadata) == ("alone\t\\", texts[2], texts[2])
    for number, event in enumerate(CapitalEvent.objects.filter(position__lte=35).order_by("position")):
        text = texts[number % len(texts)]
        assert (event.counterparty, event.category, event.metadata) == (text, text, {text: [text]})


def test_numbers_in_metadata_keep_their_digits(company: CompanyRef) -> None:
    (outcome,) = write(company, make_draft(metadata={"rate": Decimal("1.10"), "n": 12345678901234567890}))
    entry = find_event(company_id=company.id, event_id=outcome.event_id)
    assert entry is not None
    assert entry.metadata == '{"n": 12345678901234567890, "rate": 1.10}'


def test_nothing_given_does_nothing(company: CompanyRef) -> None:
    assert write(company) == ()


def test_it_refuses_an_unknown_company(db: None) -> None:
    with pytest.raises(CompanyNotFound):
        record(company_id=987_654, drafts=[make_draft()], actor="tester", now=NOW)


def test_it_says_so_when_the_journal_moved_and_only_then(
    company: CompanyRef, django_capture_on_commit_callbacks: Callable
) -> None:
    heard: list[tuple[int, int]] = []

    def listen(*, company_id: int, position: int, **_: object) -> None:
        heard.append((company_id, position))

    def fail(**_: object) -> None:
        raise ConnectionError("Redis is down")

    journal_advanced.connect(fail)
    journal_advanced.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            write(company, make_draft(), make_draft(external_ref="2"))
        with django_capture_on_commit_callbacks(execute=True):
            write(company, make_draft())
            write(company, make_draft(external_ref="3"), dry_run=True)
    finally:
        journal_advanced.disconnect(fail)
        journal_advanced.disconnect(listen)
    assert heard == [(company.id, 2)]


def test_one_event_comes_back_as_it_stands_in_the_journal(company: CompanyRef) -> None:
    outcome, entry = record_one(company_id=company.id, draft=make_draft(currency="EUR"), actor="tester", now=NOW)
    assert entry == find_event(company_id=company.id, event_id=outcome.event_id)
    again, same = record_one(company_id=company.id, draft=make_draft(currency="EUR"), actor="x", now=NOW)
    assert (again.status, same) == ("duplicate", entry)
    refused, nothing = record_one(company_id=company.id, draft=make_draft(account="nowhere"), actor="x", now=NOW)
    assert (refused.status, nothing) == ("rejected", None)


# --- After a reversal -------------------------------------------------------------------------------------


def take_back(company: CompanyRef, event_id: str) -> Outcome:
    return reverse(company_id=company.id, event_id=event_id, reason="wrong amount", actor="finance", now=NOW)


def test_other_content_after_a_reversal_is_the_next_revision(company: CompanyRef) -> None:
    (ten,) = write(company, make_draft(amount="10"))
    take_back(company, ten.event_id)
    (eleven,) = write(company, make_draft(amount="11"))
    take_back(company, eleven.event_id)
    (ten_again,) = write(company, make_draft(amount="10"))
    assert [o.status for o in (ten, eleven, ten_again)] == ["recorded"] * 3
    assert len({ten.event_id, eleven.event_id, ten_again.event_id}) == 3
    revisions = CapitalEvent.objects.filter(reverses=None).order_by("position").values_list("revision", flat=True)
    assert list(revisions) == [0, 1, 2]
    assert statuses(write(company, make_draft(amount="10"))) == ["duplicate"]
    assert statuses(write(company, make_draft(amount="12"))) == ["conflict"]


def test_the_same_content_after_a_reversal_stays_reversed(company: CompanyRef) -> None:
    """A provider that sends an event again does not undo what a person took back."""
    (first,) = write(company, make_draft())
    take_back(company, first.event_id)
    assert statuses(write(company, make_draft())) == ["duplicate"]
    assert journal_position(company_id=company.id) == 2


def test_in_a_batch_only_one_content_becomes_the_next_revision(company: CompanyRef) -> None:
    (first,) = write(company, make_draft(amount="10"))
    take_back(company, first.event_id)
    outcomes = write(company, make_draft(amount="11"), make_draft(amount="12"), make_draft(amount="11"))
    assert statuses(outcomes) == ["recorded", "conflict", "duplicate"]
