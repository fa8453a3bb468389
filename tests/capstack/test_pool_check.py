"""A pooled connection that died is noticed before a request uses it, without asking the server each time."""

import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from capstack.pool_check import RECONNECT_SECONDS, check_connection
from tests.conftest import LiveApp


@pytest.fixture
def pool(committed_db: str) -> Iterator[ConnectionPool[Any]]:
    with ConnectionPool(
        committed_db, min_size=1, max_size=1, kwargs={"autocommit": True}, check=check_connection
    ) as pool:
        pool.wait()
        yield pool


def test_a_connection_that_the_server_ended_is_replaced(pool: ConnectionPool[Any], committed_db: str) -> None:
    with pool.connection() as first:
        ended = first.info.backend_pid
    with psycopg.connect(committed_db, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", [ended])
    with pool.connection() as second:
        assert second.info.backend_pid != ended
        assert second.execute("select 1").fetchone() == (1,)


def test_a_living_connection_stays_and_is_not_asked(
    pool: ConnectionPool[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(ConnectionPool, "check_connection", lambda connection: asked.append(connection))
    with pool.connection() as first:
        pid = first.info.backend_pid
    with pool.connection() as second:
        assert second.info.backend_pid == pid
    assert asked == []


def test_news_on_a_living_connection_do_not_end_it(pool: ConnectionPool[Any], committed_db: str) -> None:
    with pool.connection() as first:
        first.execute("listen news")
        pid = first.info.backend_pid
    with psycopg.connect(committed_db, autocommit=True) as other:
        other.execute("notify news")
    with pool.connection() as second:
        assert second.info.backend_pid == pid


AWAY_SECONDS = 9.0  # psycopg's own tries come after 0, 1, 3, 7 and 15 seconds, by a tenth sooner or later


def test_a_database_that_comes_back_is_reached_by_the_next_request(committed_db: str) -> None:
    name = urlsplit(committed_db).path[1:]
    elsewhere = urlsplit(committed_db)._replace(path="/postgres").geturl()
    with (
        psycopg.connect(elsewhere, autocommit=True) as admin,
        ConnectionPool(
            committed_db,
            min_size=1,
            max_size=4,
            kwargs={"autocommit": True},
            check=check_connection,
            reconnect_timeout=RECONNECT_SECONDS,
        ) as pool,
    ):
        pool.wait()
        _move(admin, name, f"{name}_away")
        ends = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < ends:
            with pytest.raises(PoolTimeout):
                pool.getconn(timeout=0.5)
        _move(admin, f"{name}_away", name)
        with pool.connection(timeout=2) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def _move(admin: psycopg.Connection[Any], name: str, to: str) -> None:
    admin.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", [name])
    admin.execute(f'alter database "{name}" rename to "{to}"')


def test_the_application_answers_after_its_sessions_were_ended(live_app: LiveApp) -> None:

    def ready() -> int:
        with urllib.request.urlopen(f"{live_app.url}/sign-in", timeout=20) as response:
            return int(response.status)

    assert ready() == 200
    with psycopg.connect(live_app.database_url, autocommit=True) as other:
        other.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert ready() == 200
