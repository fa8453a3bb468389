"""The one door: who may come in, who has to wait, and that no header opens a second one."""

import pytest
from django.test import Client

from ledger.models.user import User

PASSWORD = "correct horse battery staple"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]


@pytest.fixture
def founder() -> User:
    return User.objects.create_user("founder@example.com", PASSWORD)


def attempt(client: Client, *, password: str, email: str = "founder@example.com", **extra: str):
    return client.post("/sign-in", {"username": email, "password": password, "next": ""}, **extra)


def test_the_right_password_leads_to_the_runway(client, founder):
    response = attempt(client, password=PASSWORD)
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert client.session["_auth_user_id"] == str(founder.pk)


def test_the_case_of_the_address_does_not_matter(client, founder):
    assert attempt(client, password=PASSWORD, email="Founder@Example.COM").status_code == 302


def test_a_wrong_password_says_so_and_nothing_more(client, founder):
    known = attempt(client, password="wrong")
    unknown = attempt(client, password="wrong", email="nobody@example.com")
    assert "do not belong together" in known.content.decode()
    assert "do not belong together" in unknown.content.decode()


def test_the_sixth_attempt_waits_even_with_the_right_password(client, founder):
    for _ in range(5):
        assert attempt(client, password="wrong").status_code == 200
    locked = attempt(client, password=PASSWORD)
    assert locked.status_code == 429
    assert 0 < int(locked["Retry-After"]) <= 900
    assert "Too many attempts" in locked.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_forwarded_header_does_not_buy_new_attempts(client, founder):
    for turn in range(5):
        attempt(client, password="wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{turn}")
    assert attempt(client, password="wrong", HTTP_X_FORWARDED_FOR="10.9.9.9").status_code == 429


def test_another_address_or_account_is_not_locked_with_it(client, founder):
    User.objects.create_user("finance@example.com", PASSWORD)
    for _ in range(6):
        attempt(client, password="wrong")
    assert attempt(client, password=PASSWORD, email="finance@example.com").status_code == 302
    assert attempt(Client(REMOTE_ADDR="192.0.2.7"), password=PASSWORD).status_code == 302


def test_one_address_cannot_try_one_password_on_everybody(client):
    for number in range(50):
        assert attempt(client, password="wrong", email=f"person{number}@example.com").status_code == 200
    assert attempt(client, password="wrong", email="person51@example.com").status_code == 429


def test_the_right_password_forgets_the_wrong_ones(client, founder):
    for _ in range(4):
        attempt(client, password="wrong")
    attempt(client, password=PASSWORD)
    for _ in range(4):
        assert attempt(client, password="wrong").status_code == 200


def test_the_lock_holds_without_redis(client, founder, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("capstack.sign_in_attempts._local", {})
    for _ in range(5):
        assert attempt(client, password="wrong").status_code == 200
    assert attempt(client, password=PASSWORD).status_code == 429


def test_a_password_with_strange_bytes_is_only_wrong(client, founder):
    assert attempt(client, password="a\x00b\u202e").status_code == 200
    assert attempt(client, password="x" * 5000).status_code == 200
    assert attempt(client, password="x", email="a\x00b").status_code == 200


def test_nobody_is_sent_to_another_site(client, founder):
    response = client.post(
        "/sign-in", {"username": founder.email, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert response["Location"] == "/"


def test_signing_out_takes_a_post(client, founder):
    client.force_login(founder)
    assert client.get("/sign-out").status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert "_auth_user_id" not in client.session


def test_the_admin_has_no_door_of_its_own(client):
    response = client.get("/admin/login/?next=/admin/")
    assert response.status_code == 302
    assert response["Location"] == "/sign-in?next=/admin/"
    assert client.post("/admin/login/", {"username": "a", "password": "b"})["Location"] == "/sign-in"


def test_who_may_not_open_the_admin_is_told_so(client, founder):
    client.force_login(founder)
    assert "may not open that page" in client.get("/sign-in?next=/admin/").content.decode()
