"""Every address, walked: who may come in, whatever page or operation is added."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from capstack.api import api
from ledger.domain.company import CompanyRef
from ledger.models.company import Membership, Role
from ledger.models.user import User
from ledger.services.tokens import create_token
from tests.ledger.conftest import NOW, open_company

pytestmark = pytest.mark.django_db

# Nobody need be signed in: doors, what browsers and robots ask for, and machines with a token or a signature.
FOR_EVERYBODY = {"sign-in", "sign-out", "theme", "favicon.ico", "robots.txt", "ingest", "webhook"}
# What a founder, who reads, may post: looking, planning and thinking aloud change neither books nor cloud.
FOUNDERS_MAY_POST = {
    "runway",
    "cloud-look",
    "cloud-cheapest-plan",
    "keep-scenario",
    "archive-scenario",
    "scenarios",
}
# Asked by POST, and nothing is kept. A what-if with a name is; its own test holds it to the scope `ingest`.
ONLY_COMPUTED = {"scenarios", "scenarios/{scenario_id}/run"}
# What a plan, a what-if and a policy may say is no secret of anybody's.
PUBLIC_SCHEMAS = {f"/api/v1/{name}" for name in ("plan-schema.json", "policy/schema.json", "scenarios/kinds")}
SCOPES = ("ingest", "read", "policy")
PLACE = re.compile(r"<(?:(\w+):)?\w+>|\{(?:int:)?\w+\}")


def pages() -> Iterator[tuple[str, str]]:
    """Name and path of every address of ours but the API's and the admin's, which have walks of their own."""
    yield from _pages(get_resolver().url_patterns, "/")


def _pages(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, str]]:
    for each in patterns:
        route = prefix + str(each.pattern)
        if route.startswith(("/api/", "/admin/")):
            continue
        if isinstance(each, URLResolver):
            yield from _pages(each.url_patterns, route)
        else:
            yield each.name or route.strip("/"), PLACE.sub("1", route)


def private_pages() -> list[tuple[str, str]]:
    return [(name, path) for name, path in pages() if name not in FOR_EVERYBODY]


def member(company: CompanyRef | None, role: Role) -> Client:
    user = User.objects.create_user(f"{role}{User.objects.count()}@example.com", "correct horse battery staple")
    if company is not None:
        Membership.objects.create(company_id=company.id, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_the_walk_meets_every_page() -> None:
    names = {name for name, _ in pages()}
    assert names >= FOR_EVERYBODY | {"runway", "cloud", "cloud-policy", "books", "review", "imports", "scenarios"}
    assert len(names) >= 40


def test_who_is_not_signed_in_is_led_to_the_door() -> None:
    nobody = Client()
    for name, path in private_pages():
        for method in ("get", "post"):
            response = getattr(nobody, method)(path)
            led = response.status_code == 302 and response["Location"].startswith("/sign-in")
            assert led or response.status_code == 405, (method, name, response.status_code)


def test_no_page_shows_a_company_to_who_does_not_belong_to_it() -> None:
    theirs = open_company("acme")
    for stranger in (member(open_company("globex"), Role.ADMIN), member(None, Role.ADMIN)):
        for name, path in private_pages():
            for method in ("get", "post"):
                response = getattr(stranger, method)(f"{path}?company={theirs.slug}")
                assert response.status_code in (404, 405), (method, name, response.status_code)


def test_a_founder_posts_nothing_that_changes_books_or_cloud() -> None:
    founder = member(open_company("acme"), Role.FOUNDER)
    for name, path in private_pages():
        if name not in FOUNDERS_MAY_POST:
            response = founder.post(path, {"do": "enable"})
            assert response.status_code in (403, 404, 405), (name, response.status_code)


def test_only_an_admin_posts_what_changes_the_cloud() -> None:
    finance = member(open_company("acme"), Role.FINANCE)
    for name, path in private_pages():
        if name.startswith("cloud") and name not in FOUNDERS_MAY_POST:
            response = finance.post(path, {"do": "enable"})
            assert response.status_code in (403, 405), (name, response.status_code)


def operations() -> list[tuple[str, str, str]]:
    """Method, path and the scope it asks for: reading, recording, or steering the cloud."""
    found = []
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method in methods:
            below = path.removeprefix("/api/v1/")
            reads = method == "get" or below in ONLY_COMPUTED
            scope = "policy" if below.startswith("policy") else "read" if reads else "ingest"
            found.append((method, PLACE.sub("1", path), scope))
    return found


def test_every_operation_asks_for_a_token_with_its_scope() -> None:
    company = open_company("acme")
    tokens = {scope: create_token(company_id=company.id, name=scope, scopes=[scope], now=NOW) for scope in SCOPES}
    client = Client()
    assert len(operations()) >= 30
    for method, path, needed in operations():
        ask = getattr(client, method)
        if path in PUBLIC_SCHEMAS:
            assert (method, ask(path).status_code) == ("get", 200)
            continue
        assert ask(path).status_code == 401, (method, path)
        for scope, token in tokens.items():
            status = ask(path, headers={"Authorization": f"Bearer {token}"}).status_code
            if scope != needed:
                assert status == 403, (method, path, scope, status)
