from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from capstack.health.checks import all_checks
from capstack.health.partitions import months_ahead
from ledger.services.companies import create_company
from ledger.services.partitions import maintain_partitions

# Far from the months that the migrations make around today.
NOW = datetime(2040, 3, 31, 23, 30, tzinfo=UTC)


def by_name(now=None):
    return {check.name: check for check in all_checks(now=now or timezone.now())}


@pytest.mark.django_db
def test_it_counts_the_months_ahead_without_a_gap():
    maintain_partitions(now=NOW)
    assert months_ahead(now=NOW) == 18
    assert months_ahead(now=NOW + timedelta(hours=1)) == 17, "a new month has begun in UTC"
    with connection.cursor() as cursor:
        cursor.execute("alter table ledger_capitalevent detach partition ledger_capitalevent_y2040m06")
    assert months_ahead(now=NOW) == 2
    assert by_name(NOW)["partitions"].ok is False
    with connection.cursor() as cursor:
        cursor.execute("alter table ledger_capitalevent detach partition ledger_capitalevent_y2040m03")
    assert by_name(NOW)["partitions"].detail == "the current month has no partition"


@pytest.mark.django_db
def test_three_months_ahead_are_enough():
    maintain_partitions(now=NOW - timedelta(days=460))
    assert months_ahead(now=NOW) >= 3
    assert by_name(NOW)["partitions"].ok


@pytest.mark.django_db
def test_it_names_the_queues_that_nobody_works_on(empty_redis):
    queue = by_name()["queue"]
    assert not queue.ok
    assert queue.detail == "no worker on forecast, books, imports, scaling"


@pytest.mark.django_db
def test_a_dead_redis_is_red_and_its_address_is_not_told(settings):
    settings.REDIS_QUEUE_URL = "redis://127.0.0.1:1/0"
    queue = by_name()["queue"]
    assert not queue.ok
    assert queue.detail == "cannot be checked: ConnectionError"


@pytest.mark.django_db
def test_a_database_that_is_away_is_asked_once_since_each_waits_for_a_connection(monkeypatch):
    asked = []

    def away(*_: object, **__: object) -> None:
        asked.append(1)
        raise OperationalError("couldn't get a connection after 10.00 sec")

    monkeypatch.setattr(connection, "cursor", away)
    found = by_name()
    assert [found[name].ok for name in ("database", "partitions", "first_forecast")] == [False] * 3
    assert found["partitions"].detail == "cannot be checked: the database does not answer"
    assert len(asked) == 1


@pytest.mark.django_db
def test_an_installation_without_a_demo_waits_for_no_forecast():
    assert by_name()["first_forecast"].ok


@pytest.mark.django_db
def test_a_demo_without_a_forecast_is_not_ready():
    create_company(slug="demo", name="Demo", currency="USD", timezone="UTC", now=NOW)
    assert not by_name()["first_forecast"].ok
