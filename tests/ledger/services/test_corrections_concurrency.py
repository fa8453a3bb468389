"""Several who speak about the same objects at once, and people who take events back meanwhile."""

import random
from datetime import timedelta
from decimal import Decimal

from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.models.event import CapitalEvent, ExternalObject
from ledger.selectors.audit import audit
from ledger.services.corrections import correct
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.transient import try_again
from tests.ledger.conftest import NOW, make_draft
from tests.ledger.services.test_concurrency import THREADS, at_once

OBJECTS = 20
TYPES = ("expense", "income")


def words(amount: int) -> list[EventDraft]:
    """What one delivery says about all objects: of one type, so that some words move what others said."""
    return [
        make_draft(external_ref=f"{number}", amount=f"{amount}", event_type=TYPES[amount % 2])
        for number in range(OBJECTS)
    ]


def say(company: CompanyRef, drafts: list[EventDraft], *, at: int | None) -> None:
    random.Random(at).shuffle(drafts)
    try_again(
        lambda: correct(
            company_id=company.id,
            drafts=drafts,
            said_at=None if at is None else NOW + timedelta(seconds=at),
            said_by="Provider",
            actor="webhook:provider",
            now=NOW,
        )
    )


def standing(company: CompanyRef) -> list[tuple[str, str, Decimal]]:
    things = ExternalObject.objects.filter(company_id=company.id, reversed=False)
    return sorted(things.values_list("external_ref", "event_type", "amount"))


def is_sound(company: CompanyRef) -> bool:
    positions = CapitalEvent.objects.order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(1, len(positions) + 1))
    assert [finding.difference for finding in audit(companies=[company]) if finding.difference] == []
    return True


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (count,) = cursor.fetchone()
    return int(count)


def test_the_newest_word_stands_whoever_comes_last(committed_company: CompanyRef) -> None:
    before = deadlocks()
    at_once(lambda n: say(committed_company, words(n + 1), at=n))
    assert {amount for _, _, amount in standing(committed_company)} == {Decimal(THREADS)}
    assert len(standing(committed_company)) == OBJECTS
    assert deadlocks() == before
    assert is_sound(committed_company)


def test_words_without_a_time_are_taken_one_after_the_other_each_as_a_whole(
    committed_company: CompanyRef,
) -> None:
    at_once(lambda n: say(committed_company, words(n + 1), at=None))
    assert len({amount for _, _, amount in standing(committed_company)}) == 1
    assert len(standing(committed_company)) == OBJECTS
    assert is_sound(committed_company)


def test_a_person_who_reverses_meanwhile_is_heard_once(committed_company: CompanyRef) -> None:
    say(committed_company, words(1), at=0)
    event_ids = [bytes(thing.event_id).hex() for thing in ExternalObject.objects.all()]

    def work(number: int) -> None:
        if number % 2:
            say(committed_company, words(number + 1), at=number)
        else:
            for event_id in event_ids:
                reverse(company_id=committed_company.id, event_id=event_id, reason="no", actor="page:cfo", now=NOW)

    at_once(work)
    assert {amount for _, _, amount in standing(committed_company)} == {Decimal(THREADS)}
    assert is_sound(committed_company)


def test_a_client_that_records_the_same_objects_is_corrected_not_met_with_an_error(
    committed_company: CompanyRef,
) -> None:
    def work(number: int) -> None:
        if number % 2:
            say(committed_company, words(number + 1), at=number)
        else:
            record(company_id=committed_company.id, drafts=words(number + 1), actor="token:t", now=NOW)

    at_once(work)
    provider = [event for event in standing(committed_company) if event[2] == THREADS]
    assert len(provider) == OBJECTS
    assert is_sound(committed_company)
