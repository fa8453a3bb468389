"""Error pages look like the product, and no template needs what the policy forbids."""

import re
from pathlib import Path

import pytest
from django.db import InterfaceError, OperationalError
from django.template.loader import render_to_string
from django.test import Client

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "500", "503"])
def test_an_error_page_needs_no_context(code):
    text = render_to_string(f"{code}.html")
    assert "capstack" in text
    assert "<h1>" in text


@pytest.mark.django_db
def test_an_unknown_address_gets_our_page():
    response = Client().get("/no-such-page")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failure", "status", "title"),
    [
        (OperationalError("the pool is empty"), 503, "The database does not answer"),
        (InterfaceError("the connection is lost"), 503, "The database does not answer"),
        (ZeroDivisionError("a secret"), 500, "Something broke on our side"),
    ],
)
def test_a_page_says_whether_the_database_is_away_or_something_broke(
    failure: Exception, status: int, title: str, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: object) -> None:
        raise failure

    monkeypatch.setattr("django.template.response.SimpleTemplateResponse.render", fails)
    response = Client(raise_request_exception=False).get("/sign-in")
    assert response.status_code == status
    assert title in response.content.decode()
    assert str(failure) not in response.content.decode()
    assert response.headers.get("Retry-After") == ("5" if status == 503 else None)


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_words():
    response = Client(enforce_csrf_checks=True).post("/theme", {"theme": "dark"})
    assert response.status_code == 403
    assert "The form was too old" in response.content.decode()


@pytest.mark.django_db
def test_a_chosen_theme_comes_back_with_the_next_page():
    client = Client()
    assert client.post("/theme", {"theme": "dark", "next": "/sign-in"})["Location"] == "/sign-in"
    assert '<meta name="theme" content="dark">' in client.get("/sign-in").content.decode()
    assert client.cookies["theme"]["httponly"]


@pytest.mark.django_db
@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_choosing_a_theme_leads_nowhere_else(back):
    assert Client().post("/theme", {"theme": "dark", "next": back})["Location"] == "/"


@pytest.mark.django_db
def test_an_unknown_theme_is_refused_by_name():
    response = Client().post("/theme", {"theme": "pink"})
    assert response.status_code == 400
    assert response.content.startswith(b"theme: must be one of")


@pytest.mark.django_db
def test_a_made_up_cookie_falls_back_to_the_system():
    client = Client()
    client.cookies["theme"] = '"><script>'
    assert '<meta name="theme" content="auto">' in client.get("/sign-in").content.decode()


@pytest.mark.django_db
def test_robots_are_kept_out_and_the_icon_is_found():
    assert Client().get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"
    assert Client().get("/favicon.ico")["Location"].endswith(".svg")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_needs_inline_script_style_or_eval(path):
    text = re.sub(r"\{#.*?#\}", "", path.read_text())
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "<style" not in text
    assert not re.search(r"\sstyle=|\son[a-z]+=", text)
    assert not re.search(r"hx-on|[\"']js:|javascript:", text)
    assert not re.search(r'hx-trigger="[^"]*\[', text)
    assert "//cdn" not in text
    assert not re.search(r'(src|href)="https?://', text)
