"""What a provider says anew: the last word stands, all earlier ones stay readable, and a person's no holds."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.domain.intake import ObjectKey
from ledger.domain.outcome import CORRECTED, DUPLICATE, OVERTAKEN, RECORDED, REJECTED, TAKEN_BACK
from ledger.models.event import CapitalEvent, ExternalObject
from ledger.selectors.journal import list_events
from ledger.services.closed_months import close_month
from ledger.services.corrections import Corrections, correct
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft

SOURCE = "provider"
ACTOR = "webhook:provider"


def word(reference: str = "a", amount: str = "10", **more: Any) -> EventDraft:
    return make_draft(source=SOURCE, external_ref=reference, amount=amount, account="bank", **more)


def say(company: CompanyRef, *drafts: EventDraft, **more: Any) -> Corrections:
    return correct(company_id=company.id, drafts=drafts, said_by="Provider", actor=ACTOR, now=NOW, **more)


def statuses(said: Corrections) -> list[str]:
    return [outcome.status for outcome in (*said.events, *said.removals)]


def standing() -> dict[tuple[str, str, str, str], Decimal]:
    things = ExternalObject.objects.filter(reversed=False, source=SOURCE).select_related("account")
    return {
        (thing.external_ref, thing.account.name, thing.event_type, thing.direction): thing.amount
        for thing in things
    }


def reversals(company: CompanyRef) -> list[str]:
    return [entry.reason for entry in list_events(company_id=company.id).entries if entry.reverses]


def test_an_object_under_another_type_account_or_direction_is_corrected(company: CompanyRef) -> None:
    say(company, word())
    moved = make_draft(
        source=SOURCE, external_ref="a", amount="10", account="card-1", event_type="transfer", direction="in"
    )
    assert statuses(say(company, moved)) == [CORRECTED]
    assert standing() == {("a", "card-1", "transfer", "in"): Decimal(10)}
    assert reversals(company) == ["Corrected by Provider: other account, event_type, direction"]
    assert statuses(say(company, word())) == [CORRECTED]
    assert standing() == {("a", "bank", "expense", "out"): Decimal(10)}


def test_a_part_that_is_not_said_any_more_is_taken_back(company: CompanyRef) -> None:
    leg = word(event_type="transfer", direction="in")
    say(company, word(), leg)
    said = say(company, word())
    assert statuses(said) == [TAKEN_BACK]
    assert standing() == {("a", "bank", "expense", "out"): Decimal(10)}
    assert statuses(say(company, word(), leg)) == [DUPLICATE, CORRECTED]
    assert len(standing()) == 2


def test_of_an_object_in_doubt_nothing_is_dropped(company: CompanyRef) -> None:
    say(company, word(), word(event_type="income"))
    assert statuses(say(company, word(amount="11"), in_doubt=[ObjectKey(SOURCE, "a")])) == [CORRECTED]
    assert set(standing().values()) == {Decimal(10), Decimal(11)}
    # As when the recorder cannot take a part of what is said.
    unknown = make_draft(
        source=SOURCE, external_ref="a", amount="5", account="purse", event_type="transfer", direction="out"
    )
    assert statuses(say(company, word(amount="11"), unknown)) == [DUPLICATE, REJECTED]
    assert len(standing()) == 2


def test_what_the_provider_took_back_stands_again_when_it_says_so(company: CompanyRef) -> None:
    say(company, word())
    gone = say(company, removed=[ObjectKey(SOURCE, "a"), ObjectKey(SOURCE, "never seen")])
    assert statuses(gone) == [TAKEN_BACK, DUPLICATE]
    assert (standing(), reversals(company)) == ({}, ["Taken back by Provider"])
    assert statuses(say(company, word())) == [CORRECTED]
    assert len(standing()) == 1


def test_a_removal_beside_a_word_about_the_same_object_does_nothing(company: CompanyRef) -> None:
    assert statuses(say(company, word(), removed=[ObjectKey(SOURCE, "a")])) == [RECORDED, DUPLICATE]
    assert len(standing()) == 1


def test_what_a_person_reversed_stays_reversed_until_the_provider_says_something_else(
    company: CompanyRef,
) -> None:
    (outcome,) = say(company, word()).events
    # Even a person who gives the provider's own reason.
    reverse(
        company_id=company.id,
        event_id=outcome.event_id,
        reason="Taken back by Provider",
        actor="page:cfo@example.com",
        now=NOW,
    )
    assert statuses(say(company, word())) == [DUPLICATE]
    assert standing() == {}
    assert statuses(say(company, word(amount="11"))) == [CORRECTED]
    assert list(standing().values()) == [Decimal(11)]


def test_the_last_of_two_words_about_one_place_counts(company: CompanyRef) -> None:
    assert statuses(say(company, word(amount="10"), word(amount="12"))) == [DUPLICATE, RECORDED]
    assert list(standing().values()) == [Decimal(12)]


def test_a_word_without_reference_or_time_is_rejected(company: CompanyRef) -> None:
    said = say(company, word(reference=""), word(occurred_at=None))
    assert statuses(said) == [REJECTED, REJECTED]
    assert [outcome.problems[0].field for outcome in said.events] == ["external_ref", "occurred_at"]


def test_a_closed_month_rejects_the_change_of_an_object_as_a_whole(company: CompanyRef) -> None:
    say(company, word("a"), word("b"), word("c"))
    close_month(company_id=company.id, month=date(2026, 5, 1), reason="reported", actor="a", now=NOW)
    before = standing()
    into = word("a", occurred_at="2026-05-20T14:00:00Z")
    said = say(company, into, word("b", amount="11"))
    assert statuses(said) == [REJECTED, CORRECTED]
    assert "closed" in said.events[0].problems[0].message
    assert standing() == before | {("b", "bank", "expense", "out"): Decimal(11)}


def test_what_lies_in_a_closed_month_is_not_taken_back(company: CompanyRef) -> None:
    say(company, word("a", occurred_at="2026-05-20T14:00:00Z"))
    close_month(company_id=company.id, month=date(2026, 5, 1), reason="reported", actor="a", now=NOW)
    assert statuses(say(company, word("a", occurred_at="2026-05-20T14:00:00Z"))) == [DUPLICATE]
    assert statuses(say(company, removed=[ObjectKey(SOURCE, "a")])) == [REJECTED]
    assert statuses(say(company, word("a", amount="9"))) == [REJECTED]
    assert len(standing()) == 1


@pytest.mark.parametrize("change", ["new", "changed", "moved", "taken back", "said again"])
def test_a_large_walk_takes_no_more_queries_than_a_small_one(company: CompanyRef, change: str) -> None:
    def queries(count: int) -> int:
        references = [f"{count}-{number}" for number in range(count)]
        words = [word(reference) for reference in references]
        keys = [ObjectKey(SOURCE, reference) for reference in references]
        if change != "new":
            say(company, *words)
        if change == "said again":
            say(company, removed=keys)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            if change in ("new", "said again"):
                said = say(company, *words, said_at=NOW)
            elif change == "taken back":
                said = say(company, removed=keys, said_at=NOW)
            else:
                new = {"amount": "11"} if change == "changed" else {"event_type": "income"}
                said = say(company, *[word(reference, **new) for reference in references], said_at=NOW)
        expected = {"new": RECORDED, "taken back": TAKEN_BACK}.get(change, CORRECTED)
        assert set(statuses(said)) == {expected}
        return len(captured)

    # Beyond 20, rows travel by COPY.
    assert queries(300) == queries(30)


def test_a_late_word_changes_nothing_and_says_so(company: CompanyRef) -> None:
    say(company, word(amount="11"), said_at=NOW)
    late = NOW - timedelta(seconds=1)
    assert statuses(say(company, word(amount="10"), said_at=late)) == [OVERTAKEN]
    assert statuses(say(company, removed=[ObjectKey(SOURCE, "a")], said_at=late)) == [OVERTAKEN]
    assert list(standing().values()) == [Decimal(11)]


# --- Any sequence of words ------------------------------------------------------------------------------------

Place = tuple[str, str, str]
PLACES: tuple[Place, ...] = (
    ("bank", "expense", "out"),
    ("bank", "transfer", "in"),
    ("card-1", "expense", "out"),
)
REFERENCES = ("a", "b")
AMOUNTS = ("10", "11")
WORDS = st.dictionaries(st.sampled_from(PLACES), st.sampled_from(AMOUNTS), max_size=2)
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


class Words(RuleBasedStateMachine):
    """A provider that speaks about two objects, out of order too, and a person who takes events back.

    Attributes:
        last: the newest word about each object.
        refused: places whose event a person took back, with its content.
        said: every content that was ever recorded, by object and place, in order.
    """

    company: CompanyRef

    def __init__(self) -> None:
        super().__init__()
        self._exit = ExitStack()
        self._exit.enter_context(transaction.atomic())
        self.last: dict[str, Mapping[Place, str]] = {reference: {} for reference in REFERENCES}
        self.newest: dict[str, int] = {}
        self.refused: dict[tuple[str, Place], str] = {}
        self.said: dict[tuple[str, Place], list[str]] = defaultdict(list)
        self.clock = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._exit.close()

    def speak(self, reference: str, words: Mapping[Place, str], at: int) -> None:
        drafts = [
            make_draft(
                source=SOURCE,
                external_ref=reference,
                amount=amount,
                account=account,
                event_type=event_type,
                direction=direction if event_type == "transfer" else None,
            )
            for (account, event_type, direction), amount in words.items()
        ]
        removed = () if words else (ObjectKey(SOURCE, reference),)
        said = say(self.company, *drafts, removed=removed, said_at=BEGIN + timedelta(seconds=at))
        if at < self.newest.get(reference, 0):
            assert set(statuses(said)) == {OVERTAKEN}
            return
        self.newest[reference] = at
        before = self.standing_of(reference)
        self.last[reference] = words
        for place, amount in words.items():
            if before.get(place) != amount and self.refused.get((reference, place)) != amount:
                self.said[reference, place].append(amount)
                self.refused.pop((reference, place), None)

    def standing_of(self, reference: str) -> dict[Place, str]:
        """The last word but for what a person took back."""
        return {
            place: amount
            for place, amount in self.last[reference].items()
            if self.refused.get((reference, place)) != amount
        }

    @rule(reference=st.sampled_from(REFERENCES), words=WORDS)
    def says(self, reference: str, words: Mapping[Place, str]) -> None:
        self.clock += 1
        self.speak(reference, words, self.clock)

    @rule(reference=st.sampled_from(REFERENCES), words=WORDS, ago=st.integers(0, 3))
    def says_late(self, reference: str, words: Mapping[Place, str], ago: int) -> None:
        self.speak(reference, words, max(self.clock - ago, 0))

    @rule(reference=st.sampled_from(REFERENCES))
    def repeats(self, reference: str) -> None:
        self.speak(reference, self.last[reference], self.clock)

    @precondition(lambda self: any(self.standing_of(reference) for reference in REFERENCES))
    @rule(data=st.data())
    def is_taken_back_by_a_person(self, data: st.DataObject) -> None:
        stands = [(name, place) for name in REFERENCES for place in sorted(self.standing_of(name))]
        name, place = data.draw(st.sampled_from(stands))
        account, event_type, direction = place
        thing = ExternalObject.objects.get(
            source=SOURCE, external_ref=name, account__name=account, event_type=event_type, direction=direction
        )
        outcome = reverse(
            company_id=self.company.id,
            event_id=bytes(thing.event_id).hex(),
            reason="not ours",
            actor="page:cfo@example.com",
            now=NOW,
        )
        assert outcome.status == RECORDED
        self.refused[name, place] = self.last[name][place]

    @invariant()
    def exactly_the_last_word_stands(self) -> None:
        expected = {
            (name, *place): Decimal(amount)
            for name in REFERENCES
            for place, amount in self.standing_of(name).items()
        }
        assert standing() == expected

    @invariant()
    def every_older_word_is_readable(self) -> None:
        journal: dict[tuple[str, Place], list[tuple[int, Decimal]]] = defaultdict(list)
        for event in CapitalEvent.objects.filter(reverses=None).select_related("account").order_by("position"):
            place = (event.account.name, event.event_type, event.direction)
            journal[event.external_ref, place].append((event.revision, event.amount))
        assert journal == {
            key: [(revision, Decimal(amount)) for revision, amount in enumerate(amounts)]
            for key, amounts in self.said.items()
            if amounts
        }

    @invariant()
    def sums_are_equal(self) -> None:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for event in CapitalEvent.objects.select_related("account"):
            sums[event.account.name] += event.amount if event.direction == "in" else -event.amount
        for (_, account, _, direction), amount in standing().items():
            sums[account] -= amount if direction == "in" else -amount
        assert not any(sums.values())


def test_any_sequence_of_words_ends_with_the_last_one_standing(company: CompanyRef) -> None:
    machine: Callable[[], RuleBasedStateMachine] = type("Words", (Words,), {"company": company})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
