"""Endpoints and deliveries in the admin: who may, and that a secret is shown once."""

import pytest
from django.urls import reverse

from ledger.domain.company import CompanyRef
from ledger.models.delivery import Delivery
from ledger.models.endpoint import WebhookEndpoint
from ledger.services.deliveries import keep_delivery
from ledger.services.endpoints import open_endpoint_numbered
from tests.ledger.admin.conftest import SignIn

ADD = "admin:ledger_webhookendpoint_add"


def make(sign_in: SignIn, company: CompanyRef, who: str = "admin", **more: str):
    values = {"company": company.id, "provider": "generic", "name": "erp", "settings": "{}", **more}
    return sign_in(who).post(reverse(ADD), values)


def test_an_admin_makes_an_endpoint_and_sees_its_secret_once(sign_in: SignIn, company: CompanyRef) -> None:
    answer = make(sign_in, company)
    assert answer.status_code == 201
    endpoint = WebhookEndpoint.objects.get()
    (secret,) = open_endpoint_numbered(endpoint_pk=endpoint.pk).secrets
    assert secret in answer.text
    page = sign_in("admin").get(reverse("admin:ledger_webhookendpoint_change", args=(endpoint.pk,)))
    assert endpoint.endpoint_id in page.text
    assert secret not in page.text
    rotated = sign_in("admin").post(reverse("admin:ledger_webhookendpoint_rotate", args=(endpoint.pk,)), {})
    newest, kept = open_endpoint_numbered(endpoint_pk=endpoint.pk).secrets
    assert kept == secret
    assert newest in rotated.text
    sign_in("admin").post(reverse("admin:ledger_webhookendpoint_retire", args=(endpoint.pk,)))
    assert open_endpoint_numbered(endpoint_pk=endpoint.pk).secrets == (newest,)
    sign_in("admin").post(
        reverse("admin:ledger_webhookendpoint_switch", args=(endpoint.pk,)), {"enabled": "false"}
    )
    endpoint.refresh_from_db()
    assert not endpoint.enabled


def test_what_is_wrong_is_named_beside_its_field(sign_in: SignIn, company: CompanyRef) -> None:
    answer = make(sign_in, company, settings='{"speed": 1}', account="purse")
    assert answer.status_code == 422
    assert "settings.speed" in answer.text
    assert "accounts.account" in answer.text


@pytest.mark.parametrize("who", ["finance", "founder", "stranger"])
def test_nobody_but_admins_of_the_company_touches_an_endpoint(
    sign_in: SignIn, company: CompanyRef, who: str
) -> None:
    make(sign_in, company)
    endpoint = WebhookEndpoint.objects.get()
    for name in ("rotate", "retire", "switch"):
        address = reverse(f"admin:ledger_webhookendpoint_{name}", args=(endpoint.pk,))
        assert sign_in(who).post(address, {"enabled": "false"}).status_code in {302, 403}
    endpoint.refresh_from_db()
    assert endpoint.enabled
    assert len(open_endpoint_numbered(endpoint_pk=endpoint.pk).secrets) == 1
    assert make(sign_in, company, who, name="second").status_code in {302, 403, 422}
    assert WebhookEndpoint.objects.count() == 1


def test_finance_reads_a_delivery_and_has_it_read_again(sign_in: SignIn, company: CompanyRef) -> None:
    make(sign_in, company)
    endpoint = open_endpoint_numbered(endpoint_pk=WebhookEndpoint.objects.get().pk)
    from tests.ledger.conftest import NOW

    raw = b'{"note": "<script>alert(1)</script>"}'
    number = keep_delivery(endpoint=endpoint, raw=raw, headers={}, now=NOW)
    Delivery.objects.filter(pk=number).update(state="quarantined")
    address = reverse("admin:ledger_delivery_change", args=(number,))
    page = sign_in("finance").get(address)
    assert "&lt;script&gt;alert(1)" in page.text
    assert sign_in("stranger").get(address).status_code in {302, 403}
    replay = reverse("admin:ledger_delivery_replay", args=(number,))
    assert sign_in("stranger").post(replay).status_code in {302, 403}
    assert Delivery.objects.get(pk=number).state == "quarantined"
    sign_in("finance").post(replay)
    assert Delivery.objects.get(pk=number).state == "waiting"
