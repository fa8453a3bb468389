"""Every provider, checked the day it lands."""

import pytest

from ledger.domain.account import kind_of_account
from ledger.providers.provider import Provider
from ledger.providers.registry import UnknownProvider, provider_named, providers


def test_the_providers_are_found() -> None:
    assert {"stripe", "generic"} <= providers().keys()


@pytest.mark.parametrize("provider", providers().values(), ids=lambda provider: provider.name)
def test_a_provider_declares_what_the_framework_relies_on(provider: Provider) -> None:
    assert provider.name.isascii()
    assert provider.name == provider.name.lower()
    assert provider.label
    assert provider.signing_secrets in {"given", "generated", "none"}
    assert all(name == name.lower() for name in provider.safe_headers)
    assert not provider.safe_headers & {"authorization", "cookie", "proxy-authorization"}
    for account in provider.accounts.values():
        assert account == "" or kind_of_account(account) is not None, "it can be made on first use"


def test_an_unknown_provider_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownProvider, match="generic"):
        provider_named("nobody")
