"""Making the addresses that providers send to, and changing their secrets while deliveries keep coming."""

import json
import secrets as random_secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from ledger.domain.account import kind_of_account
from ledger.domain.problems import FieldProblem
from ledger.models.account import Account
from ledger.models.endpoint import EndpointSecret, WebhookEndpoint
from ledger.providers.provider import Provider
from ledger.providers.registry import UnknownProvider, provider_named
from ledger.services.sealed_secrets import SealBroken, seal, unseal

MAX_ACTIVE_SECRETS = 2
RANDOM_BYTES = 32
MAX_SECRET = 1024
_NO_SECRET = f"must be at most {MAX_SECRET} printable ASCII characters without spaces"
_SECOND_STILL_ACTIVE = (
    f"cannot be added: {MAX_ACTIVE_SECRETS} are active. Retire the old one first, once nothing is signed with it"
)
_TYPES = {str: "a text", bool: "true or false", int: "a whole number", list: "a list"}


class InvalidEndpoint(ValueError):
    """An endpoint that cannot be made or changed as asked.

    Attributes:
        errors: every problem found, never empty.
    """

    def __init__(self, errors: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{error.field} {error.message}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """Attributes:
    path: of its address, from the root of the site.
    secret: one that was generated, to be shown once; empty when the provider gives it.
    """

    id: int
    path: str
    secret: str


@dataclass(frozen=True, slots=True)
class OpenedEndpoint:
    """An endpoint with its secrets in the clear: for the time of one request or one job.

    Attributes:
        accounts: {role: account}, complete.
        settings: complete, with the provider's defaults.
    """

    id: int
    company_id: int
    provider: Provider
    accounts: Mapping[str, str]
    settings: Mapping[str, Any]
    credentials: Mapping[str, str]
    secrets: tuple[str, ...]


def endpoint_path(*, provider: str, endpoint_id: str) -> str:
    """Return the path of an endpoint's address."""
    return f"/webhooks/{provider}/{endpoint_id}"


def create_endpoint(
    *,
    company_id: int,
    provider_name: str,
    name: str,
    actor: str,
    now: datetime,
    accounts: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    credentials: Mapping[str, str] | None = None,
    secret: str = "",
) -> NewEndpoint:
    """Make an endpoint.

    Args:
        accounts: {role: account}; a role left out keeps the provider's default.
        secret: as the provider gave it. Left empty, it is generated for a provider that lets us choose; for one
            that gives its own only after it knows the address, it is added later with `add_secret`.

    Raises:
        InvalidEndpoint: with every problem found, in settings and credentials also those that only the provider
            knows.
    """
    try:
        provider = provider_named(provider_name)
    except UnknownProvider as error:
        raise InvalidEndpoint((FieldProblem("provider", str(error)),)) from None
    accounts, settings, credentials = dict(accounts or {}), dict(settings or {}), dict(credentials or {})
    name = name.strip() or provider.name
    problems = [*_problems(company_id, provider, name, accounts, settings, credentials)]
    if secret and provider.signing_secrets == "none":
        problems.append(
            FieldProblem("secret", f"is of no use: {provider.label} signs with keys that it publishes")
        )
    elif secret:
        problems += _secret_problems(secret)
    if problems:
        raise InvalidEndpoint(tuple(problems))
    generated = ""
    if not secret and provider.signing_secrets == "generated":
        secret = generated = random_secrets.token_urlsafe(RANDOM_BYTES)
    with transaction.atomic():
        endpoint, created = WebhookEndpoint.objects.get_or_create(
            company_id=company_id,
            provider=provider.name,
            name=name,
            defaults={
                "endpoint_id": random_secrets.token_urlsafe(RANDOM_BYTES),
                "accounts": accounts,
                "settings": settings,
                "credentials": _sealed(credentials),
                "actor": actor,
                "created_at": now,
            },
        )
        if not created:
            taken = FieldProblem("name", f"{name} is taken by another {provider.label} endpoint of this company")
            raise InvalidEndpoint((taken,))
        if secret:
            _add(endpoint, secret, now)
    path = endpoint_path(provider=provider.name, endpoint_id=endpoint.endpoint_id)
    return NewEndpoint(endpoint.pk, path, generated)


def change_endpoint(
    *, endpoint_pk: int, accounts: Mapping[str, str], settings: Mapping[str, Any]
) -> tuple[str, ...]:
    """Give an endpoint other accounts and settings, as a whole; return the names of those that changed.

    Deliveries that came before keep what they led to; read again, they follow the new ones.

    Raises:
        InvalidEndpoint: with every problem found.
    """
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint_pk)
        problems = _problems(
            endpoint.company_id,
            provider_named(endpoint.provider),
            endpoint.name,
            accounts,
            settings,
            _credentials(endpoint),
        )
        if problems:
            raise InvalidEndpoint(tuple(problems))
        changed = [
            f"{label}.{name}"
            for label, before, after in (
                ("accounts", endpoint.accounts, accounts),
                ("settings", endpoint.settings, settings),
            )
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        ]
        endpoint.accounts, endpoint.settings = dict(accounts), dict(settings)
        endpoint.save(update_fields=["accounts", "settings"])
    return tuple(changed)


def set_credentials(*, endpoint_pk: int, given: Mapping[str, str], removed: Collection[str]) -> tuple[str, ...]:
    """Seal keys for the provider's API in place of those there are; return the names of those that changed.

    Nobody can read them again: what is not given stays as it is. What a lost SECRET_KEY sealed is given up.

    Args:
        removed: names of credentials to forget.

    Raises:
        InvalidEndpoint: with every problem found.
    """
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint_pk)
        provider = provider_named(endpoint.provider)
        try:
            before = _credentials(endpoint)
        except SealBroken:
            before = {}
        after = {name: value for name, value in before.items() if name not in removed} | dict(given)
        problems = _problems(
            endpoint.company_id, provider, endpoint.name, endpoint.accounts, endpoint.settings, after
        )
        # Settings of an earlier day may be refused today; they are no reason to keep a key that is to be changed.
        problems = [problem for problem in problems if problem.field.startswith("credentials")]
        if problems:
            raise InvalidEndpoint(tuple(problems))
        endpoint.credentials = _sealed(after)
        endpoint.save(update_fields=["credentials"])
    return tuple(name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name))


def credential_names(*, endpoint_pk: int) -> frozenset[str]:
    """Which credentials an endpoint has; what they are nobody is told."""
    return frozenset(_credentials(WebhookEndpoint.objects.get(pk=endpoint_pk)))


def add_secret(*, endpoint_pk: int, now: datetime, secret: str = "", retire_oldest: bool = False) -> str:
    """Let deliveries be signed with a new secret too; return it when it was generated, else an empty text.

    The one before stays active, so that nothing is refused while the sender changes over.

    Args:
        retire_oldest: where two are active; for a provider that tells of its new secret by itself. A person is
            refused instead: whatever is still signed with the oldest one would be.

    Raises:
        InvalidEndpoint: the provider gives the secret and none is stated, or takes none; or two are active.
    """
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint_pk)
        provider = provider_named(endpoint.provider)
        generated = ""
        if provider.signing_secrets == "none":
            published = f"{provider.label} signs with keys that it publishes"
            raise InvalidEndpoint((FieldProblem("secret", f"is of no use: {published}"),))
        if not secret and provider.signing_secrets == "generated":
            secret = generated = random_secrets.token_urlsafe(RANDOM_BYTES)
        problems = _secret_problems(secret)
        if problems:
            raise InvalidEndpoint(tuple(problems))
        active = list(_active(endpoint.pk))
        if any(unseal(bytes(kept.sealed)) == secret for kept in active):
            raise InvalidEndpoint((FieldProblem("secret", "is active already"),))
        surplus = [kept.pk for kept in active[MAX_ACTIVE_SECRETS - 1 :]]
        if surplus and not retire_oldest:
            raise InvalidEndpoint((FieldProblem("secret", _SECOND_STILL_ACTIVE),))
        EndpointSecret.objects.filter(pk__in=surplus).update(retired_at=now)
        _add(endpoint, secret, now)
    return generated


def retire_old_secrets(*, endpoint_pk: int, now: datetime) -> int:
    """Refuse what is signed with any secret but the newest; return how many were retired."""
    with transaction.atomic():
        WebhookEndpoint.objects.select_for_update().get(pk=endpoint_pk)
        old = [secret.pk for secret in _active(endpoint_pk)[1:]]
        return EndpointSecret.objects.filter(pk__in=old).update(retired_at=now)


def set_enabled(*, endpoint_pk: int, enabled: bool) -> bool:
    """Open or close an address; False when it was so already. What it received stays and is still worked on."""
    changed = WebhookEndpoint.objects.filter(pk=endpoint_pk, enabled=not enabled)
    return changed.update(enabled=enabled) == 1


def open_endpoint(*, provider_name: str, endpoint_id: str) -> OpenedEndpoint | None:
    """Return the endpoint behind an address, None when there is none or it is closed."""
    found = WebhookEndpoint.objects.filter(provider=provider_name, endpoint_id=endpoint_id, enabled=True).first()
    return None if found is None else _opened(found)


def open_endpoint_numbered(*, endpoint_pk: int) -> OpenedEndpoint:
    """Return an endpoint by its number, open or closed."""
    return _opened(WebhookEndpoint.objects.get(pk=endpoint_pk))


def _opened(endpoint: WebhookEndpoint) -> OpenedEndpoint:
    provider = provider_named(endpoint.provider)
    return OpenedEndpoint(
        id=endpoint.pk,
        company_id=endpoint.company_id,
        provider=provider,
        accounts={**provider.accounts, **endpoint.accounts},
        settings={**provider.settings, **endpoint.settings},
        credentials=_credentials(endpoint),
        secrets=tuple(unseal(bytes(secret.sealed)) for secret in _active(endpoint.pk)[:MAX_ACTIVE_SECRETS]),
    )


def _credentials(endpoint: WebhookEndpoint) -> dict[str, str]:
    return dict(json.loads(unseal(bytes(endpoint.credentials)))) if endpoint.credentials else {}


def _sealed(credentials: Mapping[str, str]) -> bytes:
    return seal(json.dumps(dict(credentials))) if credentials else b""


def _active(endpoint_pk: int) -> list[EndpointSecret]:
    """Active secrets, newest first."""
    return list(
        EndpointSecret.objects.filter(endpoint_id=endpoint_pk, retired_at__isnull=True).order_by(
            "-added_at", "-id"
        )
    )


def _add(endpoint: WebhookEndpoint, secret: str, now: datetime) -> None:
    EndpointSecret.objects.create(
        company_id=endpoint.company_id, endpoint=endpoint, sealed=seal(secret), added_at=now
    )


def _secret_problems(secret: str) -> list[FieldProblem]:
    if not secret:
        return [FieldProblem("secret", "is required: the provider shows it beside the endpoint's address")]
    return [] if _is_secret(secret) else [FieldProblem("secret", _NO_SECRET)]


def _is_secret(text: str) -> bool:
    return 0 < len(text) <= MAX_SECRET and text.isascii() and text.isprintable() and " " not in text


def _problems(
    company_id: int,
    provider: Provider,
    name: str,
    accounts: Mapping[str, str],
    settings: Mapping[str, Any],
    credentials: Mapping[str, str],
) -> list[FieldProblem]:
    problems = []
    if len(name) > 100 or "\0" in name:
        problems.append(FieldProblem("name", "must have at most 100 characters"))
    for label, given, allowed in (
        ("accounts", accounts, set(provider.accounts)),
        ("settings", settings, set(provider.settings)),
        ("credentials", credentials, set(provider.credentials)),
    ):
        known = ", ".join(sorted(allowed)) or "none"
        problems += [
            FieldProblem(f"{label}.{key}", f"is not known to {provider.label}: it knows {known}")
            for key in given
            if key not in allowed
        ]
    existing = set(Account.objects.filter(company_id=company_id).values_list("name", flat=True))
    for role, account in accounts.items():
        if account not in existing and (kind_of_account(account) is None or len(account) > 64):
            problem = "is not an account of this company, and its beginning does not say which kind to make"
            problems.append(FieldProblem(f"accounts.{role}", f"{account[:64]} {problem}"))
    strange = [
        name for name, value in credentials.items() if name in provider.credentials and not _is_secret(value)
    ]
    problems += [FieldProblem(f"credentials.{name}", _NO_SECRET) for name in strange]
    mistyped = [
        FieldProblem(f"settings.{name}", f"must be {_TYPES[type(default)]}")
        for name, default in provider.settings.items()
        if name in settings and type(settings[name]) is not type(default)
    ]
    if mistyped:
        return problems + mistyped
    sound = {name: value for name, value in credentials.items() if name not in strange}
    return problems + list(provider.problems({**provider.settings, **settings}, sound))
