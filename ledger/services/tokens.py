"""Giving keys to machines, and taking them back."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from ledger.models.token import ApiToken, Scope

TOKEN_BYTES = 32


class InvalidToken(ValueError):
    """A token that cannot be made; the message says why."""


def create_token(*, company_id: int, name: str, scopes: Iterable[str], now: datetime) -> str:
    """Return a new token of 256 random bits in 43 characters of `A-Z a-z 0-9 - _`. It is not kept: only its hash is.

    Raises:
        InvalidToken: no name, no scope, or an unknown one.
    """
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown:
        raise InvalidToken(f"{', '.join(unknown)} is not a scope: choose from {', '.join(Scope.values)}")
    if not wanted:
        raise InvalidToken(f"a token needs a scope: choose from {', '.join(Scope.values)}")
    if not name.strip() or len(name) > 100 or "\0" in name:
        raise InvalidToken("a token needs a name of 1 to 100 characters")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ApiToken.objects.create(
        company_id=company_id,
        name=name,
        token_sha256=token_sha256(token),
        scopes=wanted,
        created_at=now,
    )
    return token


def revoke_token(*, token_id: int, now: datetime) -> bool:
    """Refuse a token from now on; False when it was revoked before."""
    return ApiToken.objects.filter(id=token_id, revoked_at__isnull=True).update(revoked_at=now) == 1


def token_sha256(token: str) -> bytes:
    """Return what is stored of a token. Its 256 bits need no salt and no slow hash."""
    return sha256(token.encode("ascii")).digest()
