"""Endpoints: what each provider wants to be told, and credentials that go in and never come out."""

from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.endpoint import WebhookEndpoint
from ledger.providers.registry import providers
from ledger.services.endpoints import (
    InvalidEndpoint,
    change_endpoint,
    create_endpoint,
    credential_names,
    open_endpoint_numbered,
    set_credentials,
)
from tests.ledger.conftest import NOW

COMPANY = "5df911a0-e8e9-412d-8aaf-a46ad193dd96"
TOPIC = "arn:aws:sns:us-east-1:123456789012:billing"
# What a provider takes: settings and credentials.
GOOD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "aws": ({"topics": [TOPIC, "arn:aws-cn:sns:cn-north-1:123456789012:b"]}, {}),
    "generic": ({}, {}),
    "payroll": (
        {
            "company_uuid": COMPANY,
            "subscription": COMPANY,
            "base_url": "https://api.gusto-demo.com",
            "timezone": "America/Denver",
            "currency": "USD",
            "tax_lag_days": 3,
            "funded_from_bank": True,
        },
        {"api_token": "token"},
    ),
    "plaid": ({}, {}),
    "stripe": ({"mode": "live", "account": "acct_1", "bank_feed": True}, {"api_key": "rk_live_1"}),
}
BAD = [
    ("aws", "settings.topics", {}),
    ("aws", "settings.topics", {"topics": TOPIC}),
    ("aws", "settings.topics", {"topics": [TOPIC] * 51}),
    ("aws", "settings.topics[1]", {"topics": [TOPIC, "billing"]}),
    ("aws", "settings.topics[0]", {"topics": [7]}),
    ("aws", "settings.topics[0]", {"topics": ["arn:aws:sns:evil:123456789012:b"]}),
    ("aws", "settings.topics[0]", {"topics": ["arn:aws:sns:cn-north-1:123456789012:b"]}),
    ("aws", "settings.topics[0]", {"topics": ["arn:aws:sqs:us-east-1:123456789012:b"]}),
    ("payroll", "settings.company_uuid", {}),
    ("payroll", "settings.company_uuid", {"company_uuid": "acme"}),
    ("payroll", "settings.subscription", {"company_uuid": COMPANY, "subscription": "1"}),
    ("payroll", "settings.base_url", {"company_uuid": COMPANY, "base_url": "http://api.gusto.com"}),
    ("payroll", "settings.base_url", {"company_uuid": COMPANY, "base_url": "https://a:b@api.gusto.com"}),
    ("payroll", "settings.base_url", {"company_uuid": COMPANY, "base_url": "https://[::1"}),
    ("payroll", "settings.base_url", {"company_uuid": COMPANY, "base_url": "https://api.gusto.com:x"}),
    ("payroll", "settings.timezone", {"company_uuid": COMPANY, "timezone": "Mars"}),
    ("payroll", "settings.timezone", {"company_uuid": COMPANY, "timezone": "../etc"}),
    ("payroll", "settings.currency", {"company_uuid": COMPANY, "currency": "DEM"}),
    ("payroll", "settings.tax_lag_days", {"company_uuid": COMPANY, "tax_lag_days": -1}),
    ("payroll", "settings.tax_lag_days", {"company_uuid": COMPANY, "tax_lag_days": True}),
    ("payroll", "settings.funded_from_bank", {"company_uuid": COMPANY, "funded_from_bank": "no"}),
    ("stripe", "settings.mode", {"mode": "dead"}),
    ("stripe", "settings.account", {"account": "cus_1"}),
    ("stripe", "settings.bank_feed", {"bank_feed": "true"}),
]


def make(company: CompanyRef, provider: str, settings: Any = None, credentials: Any = None) -> int:
    good_settings, good_credentials = GOOD[provider]
    return create_endpoint(
        company_id=company.id,
        provider_name=provider,
        name="",
        actor="t",
        now=NOW,
        settings=good_settings if settings is None else settings,
        credentials=good_credentials if credentials is None else credentials,
    ).id


@pytest.mark.parametrize("provider", sorted(providers()))
def test_every_provider_takes_what_it_needs(company: CompanyRef, provider: str) -> None:
    settings, credentials = GOOD[provider]
    opened = open_endpoint_numbered(endpoint_pk=make(company, provider))
    assert {name: opened.settings[name] for name in settings} == settings
    assert opened.credentials == credentials
    assert credentials.keys() == providers()[provider].credentials.keys(), "all of them are tried"
    assert settings.keys() == providers()[provider].settings.keys()


@pytest.mark.parametrize(("provider", "field", "settings"), BAD)
def test_a_setting_that_cannot_be_is_named_when_it_is_made_and_when_it_is_changed(
    company: CompanyRef, provider: str, field: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(InvalidEndpoint) as refusal:
        make(company, provider, settings)
    assert [error.field for error in refusal.value.errors] == [field]
    assert not WebhookEndpoint.objects.exists()

    number = make(company, provider)
    with pytest.raises(InvalidEndpoint) as refusal:
        change_endpoint(endpoint_pk=number, accounts={}, settings=settings)
    assert [error.field for error in refusal.value.errors] == [field]
    assert WebhookEndpoint.objects.get().settings == GOOD[provider][0]


@pytest.mark.parametrize(
    "key", ["pk_live_1", "whsec_1", "", "sk_live_", "sk_live_ä", "sk live", "sk_live_" + "x" * 2000, "sk_test_1"]
)
def test_a_key_that_cannot_be_stripes_is_refused_and_not_repeated(company: CompanyRef, key: str) -> None:
    number = make(company, "stripe")
    with pytest.raises(InvalidEndpoint) as refusal:
        set_credentials(endpoint_pk=number, given={"api_key": key}, removed=())
    assert [error.field for error in refusal.value.errors] == ["credentials.api_key"]
    assert not key or key not in str(refusal.value)
    assert open_endpoint_numbered(endpoint_pk=number).credentials == {"api_key": "rk_live_1"}


def test_credentials_are_replaced_kept_and_forgotten_by_name(company: CompanyRef) -> None:
    number = make(company, "stripe", {}, {})
    assert credential_names(endpoint_pk=number) == frozenset()
    assert set_credentials(endpoint_pk=number, given={"api_key": "sk_test_1"}, removed=()) == ("api_key",)
    assert set_credentials(endpoint_pk=number, given={}, removed=()) == ()
    assert set_credentials(endpoint_pk=number, given={"api_key": "sk_test_1"}, removed=()) == ()
    assert credential_names(endpoint_pk=number) == {"api_key"}
    assert set_credentials(endpoint_pk=number, given={}, removed=["api_key"]) == ("api_key",)
    assert bytes(WebhookEndpoint.objects.get().credentials) == b""
    with pytest.raises(InvalidEndpoint, match=r"credentials\.password"):
        set_credentials(endpoint_pk=number, given={"password": "x"}, removed=())


def test_a_change_names_what_is_other_now(company: CompanyRef) -> None:
    number = make(company, "stripe", {}, {})
    changed = change_endpoint(endpoint_pk=number, accounts={"bank": "bank-2"}, settings={"mode": "test"})
    assert changed == ("accounts.bank", "settings.mode")
    opened = open_endpoint_numbered(endpoint_pk=number)
    assert (opened.accounts["bank"], opened.settings["mode"]) == ("bank-2", "test")
    assert change_endpoint(endpoint_pk=number, accounts={"bank": "bank-2"}, settings={"mode": "test"}) == ()
    with pytest.raises(InvalidEndpoint, match=r"accounts\.bank"):
        change_endpoint(endpoint_pk=number, accounts={"bank": "purse"}, settings={})


def test_a_key_of_the_other_mode_is_refused_when_the_mode_changes(company: CompanyRef) -> None:
    number = make(company, "stripe")
    with pytest.raises(InvalidEndpoint, match=r"credentials\.api_key is a key for live mode"):
        change_endpoint(endpoint_pk=number, accounts={}, settings={"mode": "test"})
