import pytest
from django.test import Client

from ledger.services.companies import create_company

PROXIED = {"X-Forwarded-For": "203.0.113.7"}


def test_livez_asks_nobody(client):
    # No database fixture: a query would fail this test.
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_probes_come_by_address_and_over_plain_http(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client(SERVER_NAME="10.1.2.3").get("/livez").status_code == 200


def test_probes_are_only_read(client):
    assert client.post("/livez").status_code == 405


@pytest.mark.django_db
def test_readyz_says_which_check_is_red(client, empty_redis):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "not ready"
    assert set(body["checks"]) == {"database", "partitions", "queue", "first_forecast"}
    assert body["checks"]["database"] == {"ok": True, "detail": "answers"}
    assert body["checks"]["queue"]["ok"] is False
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_metrics_are_for_this_machine_alone(client):
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip"])
def test_a_proxy_on_this_machine_lends_nobody_its_address(client, header):
    assert client.get("/metrics", headers={header: "203.0.113.7"}).status_code == 403


@pytest.mark.django_db
def test_with_a_token_the_token_decides_wherever_one_comes_from(client, settings):
    settings.METRICS_TOKEN = "for prometheus"
    assert client.get("/metrics").status_code == 401
    wrong = {"Authorization": "Bearer for nobody"}
    assert client.get("/metrics", headers=wrong).status_code == 401
    right = {"Authorization": "Bearer for prometheus"}
    assert client.get("/metrics", headers=right | PROXIED, REMOTE_ADDR="10.1.2.3").status_code == 200


@pytest.mark.django_db
def test_the_founding_metrics_are_there(client):
    create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now="2026-03-01T00:00Z")
    text = client.get("/metrics").content.decode()
    for name in ("capital_events_ingested_total", "runway_p5_days", "cloud_optimization_applied_total"):
        assert f"# TYPE {name.removesuffix('_total')}" in text or f"# TYPE {name} " in text, name


@pytest.mark.django_db
def test_a_stranger_cannot_make_new_series(client):
    for path in ("/no/such/page/1", "/no/such/page/2"):
        client.get(path)
    text = client.get("/metrics").content.decode()
    assert "no/such/page" not in text
