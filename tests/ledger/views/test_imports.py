"""The import page: who may, what they see, and that nothing is recorded before a person confirms."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

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
    monkeypatch.setattr("ledger.views.imports.wake_import", lambda *, file_id: told.append(file_id))
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


@pytest.mark.parametrize(
    ("content", "values", "field", "message"),
    [
        (b"", {}, "file", "empty"),
        (b"<html>", {}, "file", "this is an HTML page"),
        (b"a,b\n1,2\n", {}, "file", "not a format known here"),
        (b"a,b\n1,2\n", {"columns": "colour=a"}, "columns", "is not FIELD=column"),
        (b"a,b\n1,2\n", {"format": "xlsx"}, "format", "valid choice"),
        (b"a,b\n1,2\n", {"currency": "EUX"}, "currency", "is not a currency code"),
    ],
)
def test_what_cannot_be_imported_is_said_beside_its_field(
    content: bytes, values: dict[str, str], field: str, message: str, sign_in: SignIn, woken: list[int]
) -> None:
    answer = upload(sign_in("finance"), content, **values)
    assert answer.status_code == 422
    assert message in " ".join(answer.context["page"].form.errors[field])
    assert not ImportFile.objects.exists()
    assert woken == []


def test_a_file_above_the_limit_is_refused_with_the_way_out(
    sign_in: SignIn, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.services.import_file.MAX_UPLOAD_BYTES", 1_048_576)
    monkeypatch.setattr("ledger.views.upload_form.receive_file", lambda **_: pytest.fail("it was read"))
    header, line = SAMPLE.splitlines(keepends=True)[:2]
    answer = upload(sign_in("finance"), header + line * (1_100_000 // len(line)))
    assert answer.status_code == 422
    assert "larger than 1 MB: compress it with gzip, or use the command import_events." in text(answer)
    assert not ImportFile.objects.exists()


def test_what_the_file_does_not_tell_can_be_said_in_the_form(sign_in: SignIn) -> None:
    client = sign_in("finance")
    address = upload(
        client,
        b"When;How much\n03/04/2026;1.234\n",
        columns="occurred_at = When\namount = How much",
        date_order="mdy",
        decimal_mark=",",
        positive_is="out",
        account="card",
    ).url
    file_id = ImportFile.objects.get().pk
    jobs.work_on_import(file_id=file_id)
    client.post(f"{address}/confirm")
    jobs.work_on_import(file_id=file_id)
    event = CapitalEvent.objects.get()
    assert (event.amount, event.event_type, event.account.name) == (1234, "expense", "card")


def test_what_is_said_in_the_form_can_be_kept_for_later_files(sign_in: SignIn, woken: list[int]) -> None:
    client = sign_in("finance")
    content = b"When,How much\n2026-01-05,5.00\n"
    upload(client, content, columns="occurred_at=When\namount=How much", positive_is="out", save_as="my bank")
    address = upload(client, content + b"2026-01-06,6.00\n").url
    jobs.work_on_import(file_id=woken[1])
    assert "read by the mapping my bank" in text(client.get(address))
    assert ImportFile.objects.get(pk=woken[1]).preview["recorded"] == 2
    refused = upload(client, STATEMENT, save_as="my bank")
    assert "which needs no mapping" in " ".join(refused.context["page"].form.errors["file"])


STATEMENT = (
    b":20:X\n:25:DE001234\n:28C:1/1\n:60F:C260104EUR100,00\n:61:2601050105D5,00NMSC\n:86:Coffee\n"
    b":61:2601050105D0,00NMSC\n:62F:C260105EUR90,00\n-\n"
)


def test_the_preview_shows_events_balances_accounts_and_what_is_left_out(
    sign_in: SignIn, woken: list[int]
) -> None:
    client = sign_in("finance")
    address = upload(client, STATEMENT).url
    jobs.work_on_import(file_id=woken[0])
    shown = text(client.get(address))
    for said in (
        "Accounts that would be made: bank-DE001234.",
        "1 off the ledger",
        "95.00 EUR",
        "−5.00\N{NARROW NO-BREAK SPACE}EUR",
        # Its day at noon where the company is.
        "5\N{NO-BREAK SPACE}Jan\N{NO-BREAK SPACE}2026, 12:00 EST",
        "Left out on purpose",
        "is zero: no money moves",
        "where the opening balance and the entries add up to 95.00",
    ):
        assert said in shown
    assert not CapitalEvent.objects.exists()


def test_progress_is_shown_and_followed_without_javascript_too(sign_in: SignIn) -> None:
    client = sign_in("finance")
    address = upload(client, STATEMENT).url
    assert '<noscript><meta http-equiv="refresh" content="2">' in text(client.get(address))
    ImportFile.objects.update(state="waiting", bytes_read=421, bytes_total=1000, lines_read=7_000, recorded=6_900)
    shown = text(client.get(address))
    assert 'max="100" value="42"' in shown
    assert "42 %, 7,000 lines so far, 6,900 events recorded" in shown


def test_a_cloud_bill_is_shown_as_a_bill_and_one_that_only_lost_lines_can_be_imported(sign_in: SignIn) -> None:
    client = sign_in("finance")
    bill = (Path(__file__).parents[1] / "importers" / "samples" / "focus.csv").read_bytes()
    without_last_line = bill[: bill.rindex(b"\n", 0, -1) + 1]
    for content, positions in ((bill, 5), (without_last_line, 7)):
        address = upload(client, content).url
        file_id = ImportFile.objects.latest("id").pk
        jobs.work_on_import(file_id=file_id)
        shown = text(client.get(address))
        assert "Cloud bills in the file" in shown
        assert "AWS 100 2025-11" in shown
        assert "Import 1 bill" in shown
        client.post(f"{address}/confirm")
        jobs.work_on_import(file_id=file_id)
        assert "Events recorded" in text(client.get(address))
        assert CapitalEvent.objects.count() == positions
    address = upload(client, without_last_line).url
    jobs.work_on_import(file_id=ImportFile.objects.latest("id").pk)
    assert "There is nothing new in this file" in text(client.get(address))


def test_a_check_can_be_stopped_and_takes_its_file_with_it(sign_in: SignIn) -> None:
    client = sign_in("finance")
    address = upload(client, SAMPLE).url
    assert "Stop and discard the file" in text(client.get(address))
    assert client.post(f"{address}/stop").url == PAGE
    assert "nothing of it was recorded" in text(client.get(PAGE))
    assert ImportFile.objects.get().state == "discarded"
    jobs.work_on_import(file_id=ImportFile.objects.get().pk)
    assert ImportFile.objects.get().preview is None


def test_an_import_can_be_stopped_and_go_on(sign_in: SignIn) -> None:
    client = sign_in("finance")
    address = upload(client, SAMPLE).url
    file_id = ImportFile.objects.get().pk
    jobs.work_on_import(file_id=file_id)
    client.post(f"{address}/confirm")
    assert "Stop the import" in text(client.get(address))
    assert client.post(f"{address}/stop").url == address
    stopped = text(client.get(address))
    assert "0 events are recorded and stay" in stopped
    assert "hx-trigger" not in stopped
    assert "Discard the file" not in stopped
    jobs.work_on_import(file_id=file_id)
    assert not CapitalEvent.objects.exists()
    client.post(f"{address}/confirm")
    jobs.work_on_import(file_id=file_id)
    assert CapitalEvent.objects.count() == 5
    client.post(f"{address}/stop")
    assert "no work on this file to be stopped" in text(client.get(address))


def test_with_redis_down_the_file_is_kept_and_found_by_the_sweeper(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.views.imports.wake_import", jobs.wake_import)
    with override_settings(REDIS_QUEUE_URL="redis://127.0.0.1:1/0"):
        assert upload(sign_in("finance"), SAMPLE).status_code == 302
    assert jobs.abandoned_imports(now=ImportFile.objects.get().uploaded_at)


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
    assert founder.post(f"{address}/stop").status_code == 403


def test_a_stranger_does_not_learn_that_the_file_exists(sign_in: SignIn) -> None:
    address = upload(sign_in("finance"), SAMPLE).url
    stranger = sign_in_again("stranger")
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}/confirm").status_code == 404
    assert stranger.post(f"{address}/stop").status_code == 404
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
