"""Files that were handed in, in the admin: a list that leads to the import page."""

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.import_file import ImportFile
from tests.ledger.admin.conftest import SignIn
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db
LIST = "/admin/ledger/importfile/"


@pytest.fixture
def file_id(company: CompanyRef) -> int:
    file = ImportFile.objects.create(
        company_id=company.id,
        name="march.csv",
        size_bytes=1,
        sha256=b"",
        format="csv",
        actor="page:x",
        uploaded_at=NOW,
    )
    return file.pk


def test_its_links_lead_to_the_import_page_of_the_company(sign_in: SignIn, file_id: int) -> None:
    operator = sign_in("operator")
    assert "march.csv" in operator.get(LIST).content.decode()
    answer = operator.get(f"{LIST}{file_id}/change/", follow=True)
    assert answer.redirect_chain == [(f"/imports/{file_id}?company=acme", 302)]
    assert "march.csv" in answer.content.decode()
    assert operator.get(f"{LIST}add/").url == "/imports"


def test_a_stranger_sees_no_file_and_is_led_to_none(sign_in: SignIn, file_id: int) -> None:
    stranger = sign_in("stranger")
    assert "march.csv" not in stranger.get(LIST).content.decode()
    assert "/imports" not in stranger.get(f"{LIST}{file_id}/change/").url
    founder = sign_in("founder").get(f"{LIST}add/")
    assert "login" in founder.url
