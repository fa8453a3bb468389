"""The page of an event shows by what it came, to those who may read it."""

import io
import json

import pytest
from django.test import Client
from django.urls import reverse as address_of

from ledger.domain.company import CompanyRef
from ledger.importers.csv_mapping import CsvChoices
from ledger.models.delivery import Delivery
from ledger.models.event import CapitalEvent
from ledger.models.plaid import PlaidItem
from ledger.models.user import User
from ledger.providers.plaid_api import PlaidClient
from ledger.services.deliveries import keep_delivery, work_on_delivery
from ledger.services.import_file import confirm_import, receive_file, run_import
from ledger.services.plaid_sync import walk
from ledger.services.sealed_secrets import seal
from tests.ledger.conftest import NOW
from tests.ledger.providers.outside_server import outside_server
from tests.ledger.providers.plaid_server import ACCESS_TOKEN, CLIENT_ID, ITEM, SECRET, PlaidServer, row
from tests.ledger.providers.stripe_events import charge, envelope
from tests.ledger.services.test_deliveries import opened
from tests.ledger.services.test_provenance import SAMPLES
from tests.ledger.views.test_ledger_pages import signed_in, text, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(company: CompanyRef) -> Delivery:
    thing = charge(description="<script>alert(1)</script>", client_secret="pi_1_secret_opensesame")
    headers = {"user-agent": "Stripe/1.0", "stripe-signature": "t=1,v1=abcdef", "cookie": "x"}
    number = keep_delivery(
        endpoint=opened(company), raw=envelope("charge.succeeded", thing), headers=headers, now=NOW
    )
    assert work_on_delivery(delivery_pk=number, clock=lambda: NOW) == "done"
    return Delivery.objects.get(pk=number)


def page(client: Client, position: int = 1) -> str:
    event_id = bytes(CapitalEvent.objects.get(position=position).event_id).hex()
    return text(client, f"/ledger/events/{event_id}")


def test_finance_reads_the_delivery_without_its_secrets(
    client: Client, company: CompanyRef, delivery: Delivery
) -> None:
    shown = page(signed_in(client, company, role="finance"))
    assert "How it came" in shown
    assert "Stripe, to stripe" in shown
    assert bytes(delivery.sha256).hex() in shown
    assert "&quot;type&quot;: &quot;charge.succeeded&quot;" in shown
    assert "Stripe/1.0" in shown
    assert "&lt;script&gt;alert(1)" in shown
    for hidden in ("opensesame", "abcdef", "<script>alert"):
        assert hidden not in shown


def test_a_founder_sees_which_delivery_it_was_and_not_what_it_said(
    client: Client, company: CompanyRef, delivery: Delivery
) -> None:
    shown = page(signed_in(client, company, role="founder"))
    assert f"{delivery.pk} of Stripe, to stripe" in shown
    assert "charge.succeeded" not in shown
    assert "Stripe/1.0" not in shown


def test_staff_of_finance_reach_the_delivery_and_from_there_its_events(
    client: Client, company: CompanyRef, delivery: Delivery
) -> None:
    finance = signed_in(client, company, role="finance")
    User.objects.update(is_staff=True)
    address = address_of("admin:ledger_delivery_change", args=(delivery.pk,))
    assert address in page(finance)
    event = address_of("admin:ledger_capitalevent_change", args=(f"{company.id}-1",))
    assert f'<a href="{event}">1</a>' in text(finance, address)


def test_a_body_that_is_no_json_is_not_shown(client: Client, company: CompanyRef, delivery: Delivery) -> None:
    Delivery.objects.update(body=b"token=opensesame")
    shown = page(signed_in(client, company, role="finance"))
    assert "The body is no JSON" in shown
    assert "opensesame" not in shown


def test_a_long_body_is_cut(client: Client, company: CompanyRef, delivery: Delivery) -> None:
    Delivery.objects.update(body=json.dumps(["x" * 70] * 1000).encode())
    shown = page(signed_in(client, company, role="finance"))
    assert "There is more of it" in shown
    assert len(shown) < 80_000


def test_an_event_of_a_client_has_no_such_card(client: Client, company: CompanyRef) -> None:
    write(company, ref="a")
    assert "How it came" not in page(signed_in(client, company))


def test_an_event_of_a_file_leads_to_it(client: Client, company: CompanyRef) -> None:
    file_id = receive_file(
        company_id=company.id,
        name="march.csv",
        stream=io.BytesIO((SAMPLES / "capstack.csv").read_bytes()),
        format_name="auto",
        account=None,
        choices=CsvChoices(),
        actor="page:theo@example.com",
        now=NOW,
    )
    run_import(file_id=file_id, clock=lambda: NOW)
    confirm_import(file_id=file_id, actor="page:theo@example.com")
    run_import(file_id=file_id, clock=lambda: NOW)
    shown = page(signed_in(client, company))
    assert f'<a href="/imports/{file_id}">march.csv</a>' in shown
    assert "positions 1 to 5" in shown


def test_an_event_of_a_bank_names_the_walk(client: Client, company: CompanyRef) -> None:
    item = PlaidItem.objects.create(
        company_id=company.id, item_id=ITEM, access_token=seal(ACCESS_TOKEN), created_at=NOW
    )
    with outside_server() as outside:
        plaid = PlaidServer(outside)
        plaid.page(row("a", 10))
        walk(
            item_number=item.id,
            client=PlaidClient(base_url=plaid.url, client_id=CLIENT_ID, secret=SECRET),
            clock=lambda: NOW,
        )
    shown = page(signed_in(client, company))
    assert ITEM in shown
    assert "2 items on 1 page" in shown
    assert ACCESS_TOKEN not in shown
