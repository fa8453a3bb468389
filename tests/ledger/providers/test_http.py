"""Asking somebody outside: bounded, never redirected, failures told apart."""

import gzip

import pytest

from ledger.providers import http
from ledger.providers.http import Unavailable, request
from tests.conftest import free_port
from tests.ledger.providers.outside_server import OutsideServer, Reply


def test_it_returns_status_and_body(outside: OutsideServer) -> None:
    outside.on("/thing", Reply(400, {"error_code": "X"}))

    answer = request(method="POST", url=f"{outside.url}/thing", body=b"{}")

    assert answer.status == 400
    assert answer.json() == {"error_code": "X"}


def test_it_does_not_follow_a_redirect(outside: OutsideServer) -> None:
    outside.on("/thing", Reply(302, b"", {"Location": f"{outside.url}/secret"}))
    outside.on("/secret", Reply(200, {"metadata": "of the cloud"}))

    with pytest.raises(Unavailable, match="redirects are not followed"):
        request(method="GET", url=f"{outside.url}/thing")
    assert not outside.asked_for("/secret")


@pytest.mark.parametrize(("status", "after", "seconds"), [(429, "7", 7), (503, "", None), (429, "soon", None)])
def test_it_passes_on_how_long_to_wait(
    outside: OutsideServer, status: int, after: str, seconds: int | None
) -> None:
    outside.on("/thing", Reply(status, b"", {"Retry-After": after}))

    with pytest.raises(Unavailable) as refused:
        request(method="GET", url=f"{outside.url}/thing")
    assert refused.value.retry_after_seconds == seconds


def test_it_stops_reading_an_answer_that_is_too_long(outside: OutsideServer) -> None:
    outside.on("/thing", Reply(200, b"x" * 100_000))

    with pytest.raises(Unavailable, match="longer than 1000 bytes"):
        request(method="GET", url=f"{outside.url}/thing", max_answer_bytes=1000)


def test_it_stops_unpacking_a_bomb(outside: OutsideServer) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    outside.on("/thing", Reply(200, bomb, {"Content-Encoding": "gzip"}))

    with pytest.raises(Unavailable, match="longer than"):
        request(method="GET", url=f"{outside.url}/thing")


def test_it_gives_up_on_an_answer_that_drips(outside: OutsideServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.0)
    outside.on("/thing", Reply(200, b"x" * 200_000))

    with pytest.raises(Unavailable, match="took longer"):
        request(method="GET", url=f"{outside.url}/thing")


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no answer"):
        request(method="GET", url=f"http://127.0.0.1:{free_port()}/thing")


def test_an_error_page_of_a_proxy_is_unavailable(outside: OutsideServer) -> None:
    outside.on("/thing", Reply(200, b"<html>maintenance</html>"))

    with pytest.raises(Unavailable, match="not JSON"):
        request(method="GET", url=f"{outside.url}/thing").json()
