"""The import page: who may, what they see, and that nothing is recorded before a person confirms."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ledger import jobs
from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.models.import_file import ImportFile
from ledger.models.user import User
from tests.ledger.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

SAMPLE = (Path(__file__).parents[1] / "importers" / "samples" / "capstack.csv").read_bytes()
ONE_BAD_LINE = b"bank,income,-1,USD,,,,,,,\n"
PAGE = "/imports"


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Files that the queue was told of, in place of the queue, which has a test of its own."""
    told: list[int] = []
    monkeypatch.setattr("ledger.views.imports.wake_import", lambda *, file_id, state: told.append(file_id))
    return told


def upload(client: Client, content: bytes, **values: str) -> object:
    return client.post(PAGE, {"file": SimpleUploadedFile("march.csv", content), "format": "auto"} | values)


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_a_file_is_checked_shown_confirmed_and_imported(sign_in: SignIn, woken: list[int]) -> None:
    client = sign_in("finance")
    answer = upload(client, SAMPLE + ONE_BAD_LINE)
    file = ImportFile.objects.get()
    assert answer.url == f"{PAGE}/{file.pk}"
    assert woken == [file.pk]
    assert "Being checked" in text(client.get(answer.url))

    jobs.work_on_import(file_id=file.pk)
    checked = text(client.get(answer.url))
    assert "Import 5 events" in checked
    assert "must be greater than zero" in checked
    assert "hx-trigger" not in checked
    assert not CapitalEvent.objects.exists()

    assert client.post(f"{answer.url}/confirm").url == answer.url
    jobs.work_on_import(file_id=file.pk)
    done = text(client.get(answer.url))
    assert "Imported" in done
    assert "Would be recorded" not in done
    assert set(CapitalEvent.objects.values_list("actor", flat=True)) == {"page:finance@example.com"}
    assert "march.csv" in text(client.get(PAGE))


def test_htmx_gets_the_part_that_follows_the_work(sign_in: SignIn) -> None:
    client = sign_in("finance")
    address = upload(client, SAMPLE).url
    part = client.get(address, headers={"HX-Request": "true"})
    assert text(part).strip().startswith('<div id="import" hx-get=')
    assert "HX-Request" in part.headers["Vary"]


def test_what_is_not_what_it_says_is_refused_at_once(sign_in: SignIn, woken: list[int]) -> None:
    answer = upload(sign_in("finance"), b"%PDF-1.7")
    assert answer.status_code == 422
    assert "this is a PDF document" in text(answer)
    assert not ImportFile.objects.exists()
    assert woken == []


def test_a_discarded_file_leaves_nothing(sign_in: SignIn) -> None:
    client = sign_in("finance")
    address = upload(client, SAMPLE).url
    jobs.work_on_import(file_id=ImportFile.objects.get().pk)
    assert client.post(f"{address}/discard").url == PAGE
    assert "nothing of it was recorded" in text(client.get(PAGE))
    assert not CapitalEvent.objects.exists()


def test_a_founder_looks_and_does_not_touch(sign_in: SignIn) -> None:
    address = upload(sign_in("finance"), SAMPLE).url
    jobs.work_on_import(file_id=ImportFile.objects.get().pk)
    founder = sign_in_again("founder")
    assert "enctype" not in text(founder.get(PAGE))
    assert "Import 5 events" not in text(founder.get(address))
    assert upload(founder, SAMPLE).status_code == 403
    assert founder.post(f"{address}/confirm").status_code == 403
    assert founder.post(f"{address}/discard").status_code == 403


def test_a_stranger_does_not_learn_that_the_file_exists(sign_in: SignIn) -> None:
    address = upload(sign_in("finance"), SAMPLE).url
    stranger = sign_in_again("stranger")
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}/confirm").status_code == 404
    assert stranger.get(f"{PAGE}?company=acme").status_code == 404


def test_a_company_in_the_form_is_not_believed(sign_in: SignIn, company: CompanyRef, other: CompanyRef) -> None:
    upload(sign_in("finance"), SAMPLE, company=str(other.id))
    assert ImportFile.objects.get().company_id == company.id


def test_nobody_comes_in_without_signing_in() -> None:
    assert Client().get(PAGE).url.startswith("/sign-in?next=")


def sign_in_again(name: str) -> Client:
    """Sign somebody else in: the fixture has made them all."""
    client = Client()
    client.force_login(User.objects.get(email=f"{name}@example.com"))
    return client
