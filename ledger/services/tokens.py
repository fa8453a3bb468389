"""Giving keys to machines, knowing them again, and taking the keys back."""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.domain.token import TokenIdentity
from ledger.models.token import ApiToken, Scope

TOKEN_BYTES = 32
# When a token was last used is worth a write a minute, not one per request.
USE_STEP = timedelta(minutes=1)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43,128}")
_FIND = """
    SELECT t.id, t.name, t.scopes, t.last_used_at, c.id, c.slug, c.name, c.base_currency, c.timezone
    FROM ledger_apitoken t JOIN ledger_company c ON c.id = t.company_id
    WHERE t.token_sha256 = %s AND t.revoked_at IS NULL
"""
_USE = """
    UPDATE ledger_apitoken SET last_used_at = %s WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s)
"""


class InvalidToken(ValueError):
    """A token that cannot be made; the message says why."""


def create_token(*, company_id: int, name: str, scopes: Iterable[str], now: datetime) -> str:
    """Return a new token: 256 random bits in 43 characters of `A-Z a-z 0-9 - _`. Only its hash is kept.

    Raises:
        InvalidToken: no name, no scope, or an unknown one.
    """
    wanted = list(dict.fromkeys(scopes))
    choices = ", ".join(Scope.values)
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown:
        raise InvalidToken(f"{', '.join(unknown)} is not a scope: choose from {choices}")
    if not wanted:
        raise InvalidToken(f"a token needs a scope: choose from {choices}")
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


def identify_token(*, token: str, now: datetime) -> TokenIdentity | None:
    """Return whose token this is, None for one that is unknown, malformed or revoked; note that it was used."""
    if _TOKEN.fullmatch(token) is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [token_sha256(token)])
        row = cursor.fetchone()
        if row is None:
            return None
        token_id, name, scopes, last_used_at, *company = row
        if last_used_at is None or now - last_used_at >= USE_STEP:
            cursor.execute(_USE, [now, token_id, now - USE_STEP])
    return TokenIdentity(token_id, name, frozenset(scopes), CompanyRef(*company))


def token_sha256(token: str) -> bytes:
    """Return what is stored of a token. Its 256 bits need no salt and no slow hash."""
    return sha256(token.encode("ascii")).digest()
