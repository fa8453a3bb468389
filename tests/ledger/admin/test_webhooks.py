"""Endpoints and deliveries in the admin: who may, and that a secret is shown once."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from ledger.domain.company import CompanyRef
from ledger.models.delivery import Delivery
from ledger.models.endpoint import WebhookEndpoint
from ledger.models.plaid import PlaidItem
from ledger.services.deliveries import keep_delivery
from ledger.services.endpoints import open_endpoint_numbered
from ledger.services.sealed_secrets import unseal
from tests.ledger.admin.conftest import SignIn
from tests.ledger.conftest import NOW
from tests.ledger.providers.outside_server import Reply, outside_server
from tests.ledger.providers.plaid_server import ACCESS_TOKEN, CHECKING, CLIENT_ID, ITEM, SECRET, PlaidServer

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
    assert "Payroll (Gusto): company_uuid, subscription" in answer.text, "what may be set is said"


@pytest.mark.parametrize("who", ["finance", "founder", "stranger"])
def test_nobody_but_admins_of_the_company_touches_an_endpoint(
    sign_in: SignIn, company: CompanyRef, who: str
) -> None:
    make(sign_in, company)
    endpoint = WebhookEndpoint.objects.get()
    for name in ("settings", "credentials", "rotate", "retire", "switch", "replay"):
        address = reverse(f"admin:ledger_webhookendpoint_{name}", args=(endpoint.pk,))
        assert sign_in(who).post(address, {"enabled": "false", "settings": "{}"}).status_code in {302, 403}
    endpoint.refresh_from_db()
    assert endpoint.enabled
    assert len(open_endpoint_numbered(endpoint_pk=endpoint.pk).secrets) == 1
    assert make(sign_in, company, who, name="second").status_code in {302, 403, 422}
    assert WebhookEndpoint.objects.count() == 1


def test_the_list_of_deliveries_says_what_became_of_each(sign_in: SignIn, company: CompanyRef) -> None:
    make(sign_in, company)
    endpoint = open_endpoint_numbered(endpoint_pk=WebhookEndpoint.objects.get().pk)
    first, second = (keep_delivery(endpoint=endpoint, raw=b"{}", headers={}, now=NOW) for _ in range(2))
    Delivery.objects.filter(pk=first).update(state="done", recorded=2, duplicate=1)
    Delivery.objects.filter(pk=second).update(state="quarantined", rejected=1, reason="amount: <b> is no number")
    page = sign_in("finance").get(reverse("admin:ledger_delivery_changelist"))
    assert "2 recorded, 1 duplicate" in page.text
    assert "1 rejected: amount: &lt;b&gt; is no number" in page.text


def test_finance_reads_a_delivery_and_has_it_read_again(sign_in: SignIn, company: CompanyRef) -> None:
    make(sign_in, company)
    endpoint = open_endpoint_numbered(endpoint_pk=WebhookEndpoint.objects.get().pk)
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


KEY, NEXT_KEY = "sk_live_first", "sk_live_second"


def page(sign_in: SignIn, name: str, number: int, values: Any = None) -> Any:
    address = reverse(f"admin:ledger_webhookendpoint_{name}", args=(number,))
    return sign_in("admin").get(address) if values is None else sign_in("admin").post(address, values)


def logged() -> str:
    return " ".join(entry.get_change_message() for entry in LogEntry.objects.order_by("id"))


def test_a_key_goes_in_and_is_neither_shown_nor_logged(sign_in: SignIn, company: CompanyRef) -> None:
    made = make(sign_in, company, provider="stripe", credentials_api_key=KEY)
    number = WebhookEndpoint.objects.get().pk
    assert open_endpoint_numbered(endpoint_pk=number).credentials == {"api_key": KEY}
    given = page(sign_in, "credentials", number, {"credentials_api_key": NEXT_KEY})
    assert given.status_code == 302
    assert open_endpoint_numbered(endpoint_pk=number).credentials == {"api_key": NEXT_KEY}
    page(sign_in, "credentials", number, {"credentials_api_key": ""})
    assert open_endpoint_numbered(endpoint_pk=number).credentials == {"api_key": NEXT_KEY}
    refused = page(sign_in, "credentials", number, {"credentials_api_key": "pk_live_mine"})
    assert refused.status_code == 422
    assert "credentials.api_key must be a secret (sk_…) or restricted" in refused.text
    shown = [made, given, refused, *(page(sign_in, name, number) for name in ("change", "credentials", "history"))]
    for answer in shown:
        assert not any(key in answer.text for key in (KEY, NEXT_KEY, "pk_live_mine"))
    assert "api_key" in shown[3].text
    assert "no-store" in shown[4]["Cache-Control"]
    page(sign_in, "credentials", number, {"forget_api_key": "on"})
    assert open_endpoint_numbered(endpoint_pk=number).credentials == {}
    assert logged() == ("Made the endpoint. Changed credentials.api_key. Changed credentials.api_key.")


def test_settings_and_accounts_are_edited_and_a_wrong_one_is_named(sign_in: SignIn, company: CompanyRef) -> None:
    make(sign_in, company, provider="stripe")
    number = WebhookEndpoint.objects.get().pk
    assert "Account: processor" in page(sign_in, "settings", number).text
    wrong = page(sign_in, "settings", number, {"settings": '{"mode": "dead"}', "account_bank": "purse"})
    assert wrong.status_code == 422
    assert "settings.mode must be live, test" in wrong.text
    assert "accounts.bank purse is not an account" in wrong.text
    for text in ("[1]", "{", '"x"'):
        assert page(sign_in, "settings", number, {"settings": text}).status_code == 422
    right = {"settings": '{"mode": "live", "bank_feed": true}', "account_bank": "bank"}
    assert page(sign_in, "settings", number, right).status_code == 302
    opened = open_endpoint_numbered(endpoint_pk=number)
    assert (opened.settings["mode"], opened.settings["bank_feed"], opened.accounts["bank"]) == (
        "live",
        True,
        "bank",
    )
    assert logged().endswith("Changed accounts.bank, settings.bank_feed, settings.mode.")


def test_what_a_lost_key_sealed_is_entered_again(sign_in: SignIn, company: CompanyRef) -> None:
    make(sign_in, company, provider="stripe")
    number = WebhookEndpoint.objects.get().pk
    WebhookEndpoint.objects.update(credentials=b"sealed with a key that is gone")
    assert "enter them again" in page(sign_in, "change", number).text
    assert page(sign_in, "credentials", number).status_code == 200
    page(sign_in, "credentials", number, {"credentials_api_key": KEY})
    assert open_endpoint_numbered(endpoint_pk=number).credentials == {"api_key": KEY}


def test_a_rotation_is_logged_without_its_secrets(sign_in: SignIn, company: CompanyRef) -> None:
    make(sign_in, company, provider="stripe", secret="whsec_first")
    number = WebhookEndpoint.objects.get().pk
    page(sign_in, "rotate", number, {"secret": "whsec_second"})
    assert "2 active" in page(sign_in, "change", number).text
    page(sign_in, "retire", number, {})
    assert "1 active" in page(sign_in, "change", number).text
    assert logged() == "Made the endpoint. Added a signing secret. Retired 1 signing secrets."
    assert "whsec" not in page(sign_in, "change", number).text + page(sign_in, "history", number).text


def test_all_deliveries_of_an_endpoint_are_read_again_in_their_order(sign_in: SignIn, company: CompanyRef) -> None:
    make(sign_in, company)
    endpoint = open_endpoint_numbered(endpoint_pk=WebhookEndpoint.objects.get().pk)
    numbers = [keep_delivery(endpoint=endpoint, raw=b"{}", headers={}, now=NOW) for _ in range(3)]
    Delivery.objects.filter(pk__in=numbers[:2]).update(state="done")
    Delivery.objects.filter(pk=numbers[2]).update(state="refused", verdict="refused")
    page(sign_in, "replay", endpoint.id, {})
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert [states[number] for number in numbers] == ["waiting", "waiting", "refused"]
    assert "Had 2 deliveries read again." in logged()


def test_an_admin_connects_a_bank_and_nobody_sees_its_token(
    sign_in: SignIn, company: CompanyRef, settings: Any, empty_redis: Any
) -> None:
    address = reverse("admin:ledger_plaiditem_add")
    values = {"company": company.id, "item_id": ITEM, "access_token": ACCESS_TOKEN, "accounts": "{}"}
    assert "no PLAID_CLIENT_ID" in sign_in("admin").post(address, values).text
    with outside_server() as outside:
        settings.PLAID_BASE_URL, settings.PLAID_CLIENT_ID, settings.PLAID_SECRET = outside.url, CLIENT_ID, SECRET
        PlaidServer(outside)
        outside.on("/accounts/get", Reply(503, {}))
        assert "try again later" in sign_in("admin").post(address, values).text
        outside.on("/accounts/get", Reply(200, {"accounts": [CHECKING], "item": {"item_id": ITEM}}))
        refused = sign_in("admin").post(address, {**values, "accounts": '{"x": "bank"}'})
        assert refused.status_code == 422
        assert "X is no cash account of the item" in refused.text
        assert ACCESS_TOKEN not in refused.text
        assert not PlaidItem.objects.exists()
        for who in ("finance", "founder", "stranger"):
            assert sign_in(who).post(address, values).status_code in {302, 403, 422}
        assert not PlaidItem.objects.exists()
        assert sign_in("admin").post(address, values).status_code == 302
    item = PlaidItem.objects.get()
    assert unseal(bytes(item.access_token)) == ACCESS_TOKEN
    assert ACCESS_TOKEN not in sign_in("admin").get(reverse("admin:ledger_plaiditem_change", args=(item.pk,))).text
    assert logged() == "Connected the bank with an access token."
