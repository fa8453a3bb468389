"""Prices, cheapest steps, scores and cost over HTTP, in the admin, on the command line and for Prometheus."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from cloudpolicy import jobs
from cloudpolicy.metrics import SavingsCollector
from cloudpolicy.models.cost_figure import CostFigure
from cloudpolicy.models.instance_price import InstancePrice
from ledger.models.company import Company, Membership, Role
from ledger.models.user import User
from ledger.selectors.companies import company_ref
from ledger.services.companies import create_company
from ledger.services.tokens import create_token
from tests.cloudpolicy.billed_cloud import Hours, import_bill, pay_aws
from tests.cloudpolicy.groups_of_five import make_five_groups
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steered_company

pytestmark = pytest.mark.django_db
URL = "/api/v1/policy"
PRICE = {
    "region": "us-east-1",
    "instance_type": "t3.small",
    "per_hour": "1.25",
    "because": "the price list of March",
}


@pytest.fixture
def acme() -> Company:
    return create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)


def headers(company_id: int, *scopes: str) -> dict[str, str]:
    token = create_token(company_id=company_id, name="test", scopes=scopes, now=timezone.now())
    return {"Authorization": f"Bearer {token}"}


def post(client: Client, content: Any, token: dict[str, str]) -> Any:
    return client.post(f"{URL}/prices", json.dumps(content), content_type="application/json", headers=token)


def test_a_price_is_entered_read_and_taken_back(client: Client, acme: Company) -> None:
    token = headers(acme.pk, "policy")
    assert post(client, PRICE, token).json() == {"status": "recorded"}
    (price,) = client.get(f"{URL}/prices", headers=token).json()["prices"]
    assert (price["per_hour"], price["currency"], price["market"]) == ("1.250000", "USD", "on_demand")
    assert post(client, {**PRICE, "per_hour": None}, token).status_code == 200
    assert client.get(f"{URL}/prices", headers=token).json() == {"prices": []}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"per_hour": "1e3"}, "per_hour"),
        ({"per_hour": "100000"}, "per_hour"),
        ({"instance_type": "large"}, "instance_type"),
        ({"group": "web"}, "instance_type"),
        ({"instance_type": "", "group": "a\0b"}, "group"),
        ({"region": "moon"}, "region"),
        ({"market": "m\0"}, "market"),
        ({"account": "x"}, "account"),
        ({"currency": "usd"}, "currency"),
        ({"because": "\0"}, "because"),
    ],
)
def test_a_wrong_price_names_its_field(client: Client, acme: Company, wrong: dict[str, Any], field: str) -> None:
    answer = post(client, PRICE | wrong, headers(acme.pk, "policy"))
    assert answer.status_code == 422, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not InstancePrice.objects.exists()


def test_a_token_without_the_scope_or_of_another_company_sees_nothing(client: Client, acme: Company) -> None:
    post(client, PRICE, headers(acme.pk, "policy"))
    for path in ("prices", "cheapest?p5=90", "savings", "cost"):
        assert client.get(f"{URL}/{path}").status_code == 401
        assert client.get(f"{URL}/{path}", headers=headers(acme.pk, "read")).status_code == 403
    create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    token = headers(company_ref(slug="other").id, "policy")
    assert client.get(f"{URL}/prices", headers=token).json() == {"prices": []}


def test_the_cheapest_steps_are_told_and_nothing_is_changed(client: Client, aws: RecordingProxy) -> None:
    make_five_groups()
    aws.actions.clear()
    company = steered_company(days=76)
    pay_aws(company)
    token = headers(company.id, "policy")
    for group in ("capstack-production-asg", "capstack-staging-asg", "capstack-staging2-asg", "capstack-dev-asg"):
        post(client, {**PRICE, "instance_type": "", "group": group}, token)
        post(client, {**PRICE, "instance_type": "", "group": group, "market": "spot"}, token)
    found = client.get(f"{URL}/cheapest?p5=364", headers=token).json()
    assert found["reaches"] is False
    assert [step["group"] for step in found["steps"]] == [
        "capstack-dev-asg", "capstack-production-asg", "capstack-staging-asg", "capstack-staging2-asg",
    ]  # fmt: skip
    assert found["monthly_saving"] == f"{Decimal('1.25') * Decimal('729.6') * (2 + 6 + 3 + 2):.2f}"
    assert not aws.mutating
    assert client.get(f"{URL}/cheapest?p5=365", headers=token).status_code == 422


def test_where_no_forecast_can_be_run_the_cheapest_steps_say_why(
    client: Client, acme: Company, aws: RecordingProxy
) -> None:
    answer = client.get(f"{URL}/cheapest?p5=90", headers=headers(acme.pk, "policy"))
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("It cannot be computed: ")
    aws.close()
    assert client.get(f"{URL}/cheapest?p5=90", headers=headers(acme.pk, "policy")).status_code == 503


def test_cost_is_told_by_day(client: Client, acme: Company) -> None:
    yesterday = (timezone.now() - timedelta(days=1)).date()
    company = company_ref(company_id=acme.pk)
    import_bill(company, [Hours(yesterday, "BoxUsage:t3.small", 10, "12.5")], now=timezone.now())
    told = client.get(f"{URL}/cost?days=2", headers=headers(acme.pk, "policy")).json()
    assert [day["gross"] for day in told["days"]] == [None, "12.50"]
    assert told["days"][1] == {
        "day": str(yesterday), "gross": "12.50", "credited": "0.00", "net": "12.50", "p5_days": None,
    }  # fmt: skip


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati"])  # a day apart at any hour
def test_cost_is_told_up_to_the_companys_yesterday(client: Client, zone: str) -> None:
    far = create_company(slug="far", name="Far", currency="USD", timezone=zone, now=NOW)
    told = client.get(f"{URL}/cost?days=2", headers=headers(far.id, "policy")).json()
    yesterday = timezone.now().astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    assert [day["day"] for day in told["days"]] == [str(yesterday - timedelta(days=1)), str(yesterday)]


def test_scores_are_told_over_http_and_by_the_command(client: Client, acme: Company) -> None:
    output = StringIO()
    call_command("score_savings", "--company", "acme", "--json", stdout=output)
    told = json.loads(output.getvalue())
    assert (told["new"], told["scores"], told["bands"]) == (0, [], [])
    assert told["share"]["because"] == "no cloud bill was imported"
    served = client.get(f"{URL}/savings", headers=headers(acme.pk, "policy")).json()
    # Over HTTP instants are told to the millisecond, as everywhere.
    looked_at = datetime.fromisoformat(told["share"].pop("looked_at"))
    over_http = datetime.fromisoformat(served["share"].pop("looked_at"))
    assert timedelta(0) <= looked_at - over_http < timedelta(milliseconds=1)
    assert served == {key: told[key] for key in ("scores", "bands", "share")}
    text = StringIO()
    call_command("score_savings", "--company", "acme", stdout=text)
    assert "not known: no cloud bill was imported" in text.getvalue()
    with pytest.raises(CommandError, match="there is no company nobody"):
        call_command("score_savings", "--company", "nobody")


def test_prometheus_reads_the_share_and_nothing_of_companies_without_bills(acme: Company) -> None:
    registry = CollectorRegistry()
    registry.register(SavingsCollector())
    CostFigure.objects.create(company=acme, currency="USD", looked_at=NOW, because="no cloud bill was imported")
    assert b'company="acme"' not in generate_latest(registry)
    CostFigure.objects.update(cost=Decimal(900), saved=Decimal(300), because="")
    text = generate_latest(registry).decode()
    assert 'cloud_cost_saved_ratio{company="acme"} 0.25' in text
    assert 'cloud_cost_30_days{company="acme",currency="USD"} 900.0' in text


def test_the_sweep_wakes_the_scoring_of_a_company_with_a_bill(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(jobs, "wake_scoring", lambda *, company_id: woken.append(company_id))
    jobs.sweep(now=NOW)
    assert woken == []
    import_bill(company_ref(company_id=acme.pk), [Hours(NOW.date(), "BoxUsage:t3.small", 1, "1")])
    jobs.sweep(now=NOW)
    assert woken == [acme.pk]


@pytest.mark.parametrize(("role", "status"), [(Role.FINANCE, 200), (Role.FOUNDER, 403)])
def test_finance_enters_prices_in_the_admin_and_changes_none(
    client: Client, acme: Company, role: Role, status: int
) -> None:
    user = User.objects.create_user(f"{role}@example.com", "correct horse battery staple", is_staff=True)
    Membership.objects.create(company=acme, user=user, role=role)
    client.force_login(user)
    add = "/admin/cloudpolicy/instanceprice/add/"
    assert client.get(add).status_code == status
    values = {**PRICE, "company": acme.pk, "market": "on_demand"}
    if status == 403:
        assert client.post(add, values).status_code == 403
        return
    refused = client.post(add, {**values, "region": "moon"})
    assert refused.status_code == 422
    assert "is no region" in refused.content.decode()
    client.post(add, values)
    (row,) = InstancePrice.objects.all()
    assert (row.per_hour, row.actor) == (Decimal("1.25"), "admin:finance@example.com")
    assert client.post(f"/admin/cloudpolicy/instanceprice/{row.pk}/change/", values).status_code == 403
    assert client.get("/admin/cloudpolicy/savingscore/").status_code == 200
