"""When something has moved, one request makes the answer and the others are given it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from forecasting.api import rendered_runway
from forecasting.models.cursor import ForecastCursor
from forecasting.rendered import Standing, keep, kept, turn
from forecasting.selectors.standing import standing_of
from forecasting.services.publish import publish_forecast
from ledger.services.tokens import create_token
from tests.forecasting.small_company import NOW, small_company

LONG_ENOUGH_SECONDS = 30.0


@contextmanager
def somebody_at_it(
    company_id: int, *, until: Event, finds: tuple[Standing, bytes] | None = None
) -> Iterator[None]:
    """Another thread holds the turn until `until` is set, and keeps what it `finds` then."""
    begun = Event()

    def make() -> None:
        with turn(company_id=company_id, basis="free"):
            begun.set()
            assert until.wait(LONG_ENOUGH_SECONDS)
            if finds is not None:
                keep(standing=finds[0], answer=finds[1])

    maker = Thread(target=make)
    maker.start()
    assert begun.wait(LONG_ENOUGH_SECONDS)
    try:
        yield
    finally:
        until.set()
        maker.join()


def test_who_comes_second_waits_for_the_first() -> None:
    done = Event()
    with somebody_at_it(1, until=done):
        done.set()
        with turn(company_id=1, basis="free", patience_seconds=LONG_ENOUGH_SECONDS):
            pass
        with turn(company_id=1, basis="free") as waited:
            assert not waited


def test_who_has_waited_for_long_goes_on_and_leaves_the_turn_to_its_holder() -> None:
    done = Event()
    with somebody_at_it(1, until=done):
        for _ in range(2):
            with turn(company_id=1, basis="free", patience_seconds=0.001) as waited:
                assert waited


def test_an_answer_that_fails_gives_the_turn_back() -> None:
    with pytest.raises(ZeroDivisionError), turn(company_id=1, basis="free"):
        raise ZeroDivisionError
    with turn(company_id=1, basis="free") as waited:
        assert not waited


class Asked:
    """A company with a forecast, a token, and a long way that counts how often it is gone."""

    def __init__(self) -> None:
        self.company = small_company()
        publish_forecast(company_id=self.company.id, now=NOW)
        self.token = create_token(company_id=self.company.id, name="n", scopes=["read"], now=NOW)
        self.made = 0

    def standing(self) -> Standing:
        standing = standing_of(company_id=self.company.id, basis="free")
        assert standing is not None
        return standing

    def get(self) -> Any:
        request = RequestFactory().get("/api/v1/runway", headers={"Authorization": f"Bearer {self.token}"})
        return rendered_runway.get_runway(request, long_way=self.long_way)

    def long_way(self, _: Any) -> HttpResponse:
        self.made += 1
        return HttpResponse(b"made")


@pytest.fixture
def let_on_when_somebody_waits(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Is set once a request has found nothing kept and comes to wait for its turn."""
    waits = Event()

    @contextmanager
    def told(**asked: Any) -> Iterator[bool]:
        waits.set()
        with turn(**asked, patience_seconds=LONG_ENOUGH_SECONDS) as waited:
            yield waited

    monkeypatch.setattr(rendered_runway, "turn", told)
    return waits


@pytest.mark.django_db
def test_who_waited_is_given_the_answer_that_was_made_meanwhile(let_on_when_somebody_waits: Event) -> None:
    asked = Asked()
    with somebody_at_it(
        asked.company.id, until=let_on_when_somebody_waits, finds=(asked.standing(), b"made by another")
    ):
        answer = asked.get()
    assert (answer.content, asked.made) == (b"made by another", 0)


@pytest.mark.django_db
def test_what_was_made_meanwhile_of_an_older_standing_is_not_sent(let_on_when_somebody_waits: Event) -> None:
    asked = Asked()
    older = asked.standing()
    ForecastCursor.objects.filter(company_id=asked.company.id).update(checked_at=NOW + timedelta(hours=1))
    with somebody_at_it(asked.company.id, until=let_on_when_somebody_waits, finds=(older, b"of before")):
        answer = asked.get()
    assert (answer.content, asked.made) == (b"made", 1)
    assert kept(standing=asked.standing()) == b"made"


@pytest.mark.django_db
def test_who_waited_looks_anew_what_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()

    @contextmanager
    def something_moves(**_: Any) -> Iterator[bool]:
        ForecastCursor.objects.filter(company_id=asked.company.id).update(checked_at=NOW + timedelta(hours=1))
        keep(standing=asked.standing(), answer=b"of the newer")
        yield True

    monkeypatch.setattr(rendered_runway, "turn", something_moves)
    assert (asked.get().content, asked.made) == (b"of the newer", 0)


@pytest.mark.django_db
def test_who_asks_alone_makes_the_answer_once() -> None:
    asked = Asked()
    assert {asked.get().content for _ in range(3)} == {b"made"}
    assert asked.made == 1
