"""Importing a file in the browser."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from ledger import jobs
from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.models.import_file import ImportFile
from tests.ledger.admin.conftest import SignIn

SAMPLES = Path(__file__).parents[1] / "importers" / "samples"
ADD = "/admin/ledger/importfile/add/"


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Files that the queue was told of, in place of the queue; the queue has a test of its own below."""
    told: list[int] = []
    monkeypatch.setattr("ledger.admin.import_files.wake_import", lambda *, file_id, state: told.append(file_id))
    return told


def upload(client: Client, company: CompanyRef, content: bytes, values: dict[str, str] | None = None) -> object:
    file = SimpleUploadedFile("march.csv", content)
    return client.post(ADD, {"company": company.id, "file": file, "format": "auto"} | (values or {}))


@pytest.mark.django_db
def test_it_is_checked_shown_confirmed_and_imported(
    company: CompanyRef, sign_in: SignIn, woken: list[int]
) -> None:
    client = sign_in("finance")
    answer = upload(client, company, (SAMPLES / "capstack.csv").read_bytes() + b"bank,income,-1,USD,,,,,,,\n")
    file = ImportFile.objects.get()
    assert answer.url == f"/admin/ledger/importfile/{file.pk}/change/"
    assert woken == [file.pk]

    waiting = client.get(answer.url)
    assert "Being checked" in waiting.content.decode()
    assert waiting.headers["Refresh"] == "2"
    jobs.work_on_import(file_id=file.pk)
    checked = client.get(answer.url)
    assert "Refresh" not in checked.headers
    assert "Import 5 events" in checked.content.decode()
    assert "must be greater than zero" in checked.content.decode()
    assert not CapitalEvent.objects.exists()

    assert client.post(f"/admin/ledger/importfile/{file.pk}/confirm/").url == answer.url
    assert woken == [file.pk, file.pk]
    jobs.work_on_import(file_id=file.pk)
    assert "What happened" in client.get(answer.url).content.decode()
    assert set(CapitalEvent.objects.values_list("actor", flat=True)) == {"admin:finance@example.com"}
    assert CapitalEvent.objects.count() == 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "values", "field", "message"),
    [
        (b"%PDF-1.7", {}, "file", "this is a PDF document"),
        (b"", {}, "file", "empty"),
        (b"<html>", {}, "file", "this is an HTML page"),
        (b"a,b\n1,2\n", {}, "file", "not a format known here"),
        (b"a,b\n1,2\n", {"columns": "colour=a"}, "columns", "is not FIELD=column"),
        (b"a,b\n1,2\n", {"format": "xlsx"}, "format", "valid choice"),
        (b"a,b\n1,2\n", {"company": "0"}, "company", "valid choice"),
    ],
)
def test_what_cannot_be_imported_is_said_at_once(
    content: bytes,
    values: dict[str, str],
    field: str,
    message: str,
    company: CompanyRef,
    sign_in: SignIn,
    woken: list[int],
) -> None:
    answer = upload(sign_in("finance"), company, content, values)
    assert answer.status_code == 422
    assert message in " ".join(answer.context["form"].errors[field])
    assert not ImportFile.objects.exists()
    assert woken == []


@pytest.mark.django_db
def test_what_the_file_does_not_tell_can_be_said_in_the_form(
    company: CompanyRef, sign_in: SignIn, woken: list[int]
) -> None:
    client = sign_in("finance")
    upload(
        client,
        company,
        b"When;How much\n03/04/2026;1.234\n",
        {
            "columns": "occurred_at = When\namount = How much",
            "date_order": "mdy",
            "decimal_mark": ",",
            "positive_is": "out",
            "account": "card",
        },
    )
    file = ImportFile.objects.get()
    jobs.work_on_import(file_id=file.pk)
    client.post(f"/admin/ledger/importfile/{file.pk}/confirm/")
    jobs.work_on_import(file_id=file.pk)
    event = CapitalEvent.objects.get()
    assert (event.amount, event.event_type, event.account.name) == (1234, "expense", "card")


@pytest.mark.django_db
def test_a_stranger_confirms_and_discards_nothing(company: CompanyRef, sign_in: SignIn, woken: list[int]) -> None:
    upload(sign_in("finance"), company, (SAMPLES / "capstack.csv").read_bytes())
    file = ImportFile.objects.get()
    jobs.work_on_import(file_id=file.pk)
    for step in ("confirm", "discard"):
        assert sign_in("stranger").post(f"/admin/ledger/importfile/{file.pk}/{step}/").status_code == 403
        assert sign_in("finance").get(f"/admin/ledger/importfile/{file.pk}/{step}/").status_code == 403
    assert ImportFile.objects.get().state == "checked"
    sign_in("finance").post(f"/admin/ledger/importfile/{file.pk}/discard/")
    assert ImportFile.objects.get().state == "discarded"


@pytest.mark.django_db
def test_with_redis_down_the_file_is_kept_and_found_by_the_sweeper(company: CompanyRef, sign_in: SignIn) -> None:
    with override_settings(REDIS_QUEUE_URL="redis://127.0.0.1:1/0"):
        answer = upload(sign_in("finance"), company, (SAMPLES / "capstack.csv").read_bytes())
        assert answer.status_code == 302
    assert jobs.abandoned_imports(now=ImportFile.objects.get().uploaded_at)


def test_a_real_worker_takes_it_from_the_queue_once(
    committed_company: CompanyRef, empty_redis, start_worker
) -> None:
    import time

    from django.utils import timezone

    from ledger.models.user import User

    User.objects.create_superuser("operator@example.com", "a long enough password")
    client = Client()
    client.force_login(User.objects.get())
    upload(client, committed_company, (SAMPLES / "capstack.csv").read_bytes())
    # The sweeper finds it waiting too, and enqueues no second job.
    assert jobs.sweep_imports(now=timezone.now()) == 1
    assert empty_redis.llen("rq:queue:imports") == 1
    start_worker("imports")
    deadline = time.monotonic() + 60
    while ImportFile.objects.get().state == "checking" and time.monotonic() < deadline:
        time.sleep(0.2)
    file = ImportFile.objects.get()
    assert (file.state, file.preview["recorded"]) == ("checked", 5)


STATEMENT = (
    b":20:X\n:25:DE001234\n:28C:1/1\n:60F:C260104EUR100,00\n:61:2601050105D5,00NMSC\n:86:Coffee\n"
    b":61:2601050105D0,00NMSC\n:62F:C260105EUR90,00\n-\n"
)


@pytest.mark.django_db
def test_the_preview_shows_events_balances_accounts_and_what_is_left_out(
    company: CompanyRef, sign_in: SignIn, woken: list[int]
) -> None:
    client = sign_in("finance")
    url = upload(client, company, STATEMENT).url
    jobs.work_on_import(file_id=woken[0])
    shown = client.get(url).content.decode()
    for said in (
        "Accounts that would be made: bank-DE001234.",
        "1 differ from the ledger",
        "95.00 EUR",
        "−5.00 EUR",
        "Left out on purpose",
        "is zero: no money moves",
        "where the opening balance and the entries add up to 95.00",
    ):
        assert said in shown
    assert not CapitalEvent.objects.exists()


@pytest.mark.django_db
def test_progress_is_shown_without_javascript(company: CompanyRef, sign_in: SignIn, woken: list[int]) -> None:
    client = sign_in("finance")
    url = upload(client, company, STATEMENT).url
    assert "<progress" not in client.get(url).content.decode()
    ImportFile.objects.update(bytes_read=421, bytes_total=1000, lines_read=7)
    assert '<progress max="100" value="42"' in client.get(url).content.decode()


@pytest.mark.django_db
def test_what_is_said_in_the_form_can_be_kept_for_later_files(
    company: CompanyRef, sign_in: SignIn, woken: list[int]
) -> None:
    client = sign_in("finance")
    content = b"When,How much\n2026-01-05,5.00\n"
    said = {"columns": "occurred_at=When\namount=How much", "positive_is": "out", "save_as": "my bank"}
    upload(client, company, content, said)
    url = upload(client, company, content + b"2026-01-06,6.00\n").url
    jobs.work_on_import(file_id=woken[1])
    assert "read by the mapping my bank" in client.get(url).content.decode()
    assert ImportFile.objects.get(pk=woken[1]).preview["recorded"] == 2
    refused = upload(client, company, STATEMENT, {"save_as": "my bank"})
    assert "which needs no mapping" in " ".join(refused.context["form"].errors["file"])
