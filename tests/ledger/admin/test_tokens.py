"""API tokens in the admin."""

import re

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.token import ApiToken
from ledger.services.tokens import create_token, token_sha256
from tests.ledger.admin.conftest import SignIn
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db
ADD = "/admin/ledger/apitoken/add/"


def test_a_token_is_shown_once_and_kept_as_a_hash(company: CompanyRef, sign_in: SignIn) -> None:
    client = sign_in("admin")
    answer = client.post(ADD, {"company": company.id, "name": "bank feed", "scopes": ["ingest", "read"]})
    (token,) = re.findall(r'<code class="token">([A-Za-z0-9_-]{43,})</code>', answer.content.decode())
    stored = ApiToken.objects.get()
    assert bytes(stored.token_sha256) == token_sha256(token)
    assert (stored.name, stored.scopes, stored.company_id) == ("bank feed", ["ingest", "read"], company.id)
    assert "no-store" in answer.headers["Cache-Control"]
    for path in ("/admin/ledger/apitoken/", f"/admin/ledger/apitoken/{stored.pk}/change/"):
        assert token not in client.get(path).content.decode()


@pytest.mark.parametrize("wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"company": 0}])
def test_a_token_needs_a_company_a_name_and_known_scopes(
    wrong: dict[str, object], company: CompanyRef, sign_in: SignIn
) -> None:
    values = {"company": company.id, "name": "feed", "scopes": ["ingest"]} | wrong
    assert sign_in("admin").post(ADD, values).status_code == 422
    assert not ApiToken.objects.exists()


def test_an_admin_makes_no_token_for_another_company(other: CompanyRef, sign_in: SignIn) -> None:
    values = {"company": other.id, "name": "feed", "scopes": ["ingest"]}
    assert sign_in("admin").post(ADD, values).status_code == 422
    assert sign_in("finance").post(ADD, values).status_code == 403
    assert not ApiToken.objects.exists()


def test_revoking_asks_first_and_is_for_admins_of_the_company(company: CompanyRef, sign_in: SignIn) -> None:
    create_token(company_id=company.id, name="feed", scopes=["ingest"], now=NOW)
    token = ApiToken.objects.get()
    address = f"/admin/ledger/apitoken/{token.pk}/revoke/"
    assert sign_in("stranger").post(address).status_code == 403
    assert sign_in("finance").post(address).status_code == 403
    assert "feed" in sign_in("admin").get(address).content.decode()
    assert ApiToken.objects.get().revoked_at is None
    assert sign_in("admin").post(address).status_code == 302
    assert ApiToken.objects.get().revoked_at is not None
