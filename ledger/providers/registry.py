"""Every provider of webhooks. A new one is one new file here with a `PROVIDER`, and one test."""

import importlib
import pkgutil
from functools import cache

import ledger.providers
from ledger.providers.provider import Provider


class UnknownProvider(LookupError):
    """No provider has that name; the message names those there are."""


@cache
def providers() -> dict[str, Provider]:
    """Providers by name: the `PROVIDER` of every module of this package that has one."""
    found: dict[str, Provider] = {}
    for module_info in pkgutil.iter_modules(ledger.providers.__path__):
        module = importlib.import_module(f"ledger.providers.{module_info.name}")
        provider = getattr(module, "PROVIDER", None)
        if isinstance(provider, Provider):
            if provider.name in found:
                raise ValueError(f"two providers are named {provider.name}")
            found[provider.name] = provider
    return found


def provider_named(name: str) -> Provider:
    """Raises UnknownProvider when there is none of that name."""
    try:
        return providers()[name]
    except KeyError:
        known = ", ".join(sorted(providers()))
        raise UnknownProvider(f"{name} is not a provider: choose from {known}") from None
