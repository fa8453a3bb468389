"""The page over HTTP: who may see it, what a poll gets, and what it says when there is nothing to show."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AbstractBaseUser

from ledger.models.company import Company, Membership, Role
from ledger.models.user import User
from ledger.services.companies import create_company

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def acme() -> Company:
    return create_company(slug="acme", name="Acme", currency="USD", timezone="America/New_York", now=NOW)


@pytest.fixture
def globex() -> Company:
    return create_company(slug="globex", name="Globex", currency="EUR", timezone="Europe/Berlin", now=NOW)


def person(email: str, *companies: Company, **fields: bool) -> AbstractBaseUser:
    user = User.objects.create_user(email, "correct horse battery staple", **fields)
    for company in companies:
        Membership.objects.create(company=company, user=user, role=Role.FOUNDER)
    return user


def test_a_stranger_is_led_to_the_door(client):
    assert client.get("/?basis=bank")["Location"] == "/sign-in?next=/%3Fbasis%3Dbank"


def test_a_poll_of_a_stranger_is_led_there_by_htmx(client):
    response = client.get("/", **HTMX)
    assert response["HX-Redirect"] == "/sign-in"
    assert response.content == b""


def test_who_belongs_to_no_company_is_told_what_to_do(client):
    client.force_login(person("new@example.com"))
    text = client.get("/").content.decode()
    assert "You belong to no company yet" in text
    assert "manage.py create_company" in text
    assert "data-live" not in text


def test_an_empty_company_shows_the_exact_commands(client, acme):
    client.force_login(person("founder@example.com", acme))
    text = client.get("/").content.decode()
    for command in (
        "import_events events.csv --company acme",
        "create_token acme",
        "load_plan plan.json --company acme",
    ):
        assert command in text
    assert "http://testserver/api/v1/events" in text


def test_another_company_does_not_exist_for_a_stranger(client, acme, globex):
    client.force_login(person("founder@example.com", acme))
    assert client.get("/?company=globex").status_code == 404
    assert client.get("/?company=no-such-company").status_code == 404
    assert "Globex" not in client.get("/").content.decode()


def test_a_teammate_of_two_companies_switches_by_link_and_stays(client, acme, globex):
    client.force_login(person("both@example.com", acme, globex))
    text = client.get("/").content.decode()
    assert 'href="/?company=globex"' in text
    client.get("/?company=globex")
    assert "Globex has an empty ledger" in client.get("/").content.decode()


def test_a_membership_that_ended_ends_the_view(client, acme, globex):
    user = person("both@example.com", acme, globex)
    client.force_login(user)
    client.get("/?company=globex")
    Membership.objects.filter(user=user, company=globex).delete()
    assert "Acme has an empty ledger" in client.get("/").content.decode()


def test_a_superuser_sees_every_company(client, acme, globex):
    client.force_login(person("root@example.com", is_superuser=True))
    assert "Globex" in client.get("/?company=globex").content.decode()


@pytest.mark.parametrize("query", ["basis=gold", "range=9m", "range=", "basis="])
def test_an_unknown_view_is_a_bad_request(client, acme, query):
    client.force_login(person("founder@example.com", acme))
    assert client.get(f"/?{query}").status_code == 400


def test_a_poll_that_has_seen_it_gets_204_and_another_one_the_fragment(client, acme):
    client.force_login(person("founder@example.com", acme))
    page = client.get("/", **HTMX)
    assert page.status_code == 200
    assert b"<html" not in page.content
    seen = page.content.decode().split("seen=")[1].split('"')[0]
    assert client.get(f"/?seen={seen}", **HTMX).status_code == 204
    assert client.get("/?seen=something-else", **HTMX).status_code == 200


def test_the_same_poll_without_htmx_gets_the_whole_page(client, acme):
    client.force_login(person("founder@example.com", acme))
    response = client.get("/?seen=0-0-0-20261123")
    assert b"<html" in response.content
    assert "HX-Request" in response["Vary"]
    assert "no-store" in response["Cache-Control"]


def test_a_poll_is_cheap(client, acme, django_assert_max_num_queries):
    client.force_login(person("founder@example.com", acme))
    seen = client.get("/", **HTMX).content.decode().split("seen=")[1].split('"')[0]
    with django_assert_max_num_queries(6):
        assert client.get(f"/?seen={seen}", **HTMX).status_code == 204


def test_the_page_is_read_only(client, acme):
    client.force_login(person("founder@example.com", acme))
    assert client.post("/").status_code == 405
