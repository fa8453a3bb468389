"""Who calls: a bearer token names the company and what may be done in it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security.base import AuthBase

from ledger.api.problems import Problem, unauthorized
from ledger.domain.token import TokenIdentity
from ledger.selectors.books import Books, read_books
from ledger.services.known_callers import recall, remember
from ledger.services.tokens import identify_token


class TokenAuth(AuthBase):
    """Let a request pass when its token has a scope; `request.auth` is then a TokenIdentity.

    Args:
        recalls: for recording one event: `request.auth` is a Recorder, possibly recalled (see `recorded.py`).

    Raises:
        Problem: 401 without a valid token, 403 when the token lacks the scope.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: str, *, recalls: bool = False) -> None:
        self.scope = scope
        self.recalls = recalls
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        return recognise(request) if self.recalls else authenticate(request, scope=self.scope)


def authenticate(request: HttpRequest, *, scope: str) -> TokenIdentity:
    """Return the identity behind a request's token.

    Raises:
        Problem: 401 without a valid token, 403 when the token lacks the scope.
    """
    identity = identify_token(token=bearer_token(request), now=timezone.now())
    if identity is None:
        raise unauthorized()
    if scope not in identity.scopes:
        raise Problem(
            403,
            f"This token lacks the scope {scope}.",
            headers={"WWW-Authenticate": f'Bearer realm="capstack", error="insufficient_scope", scope="{scope}"'},
        )
    return identity


def bearer_token(request: HttpRequest) -> str:
    kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


RECORDING = "ingest"


@dataclass(frozen=True, slots=True)
class Recorder:
    """Who records.

    Attributes:
        books: of the company, when caller and books were recalled from a request before; None when the token was
            looked up for this one.
    """

    identity: TokenIdentity
    books: Books | None = None


def recognise(request: HttpRequest) -> Recorder:
    """Return who records: from memory where that is enough, else by looking the token up.

    Raises:
        Problem: 401 without a valid token, 403 when the token lacks the scope.
    """
    now, token = timezone.now(), bearer_token(request)
    # A stored answer is given without a write, so nothing would notice that the token is revoked.
    known = recall(token=token, now=now) if "HTTP_IDEMPOTENCY_KEY" not in request.META else None
    if known is not None and RECORDING in known.identity.scopes:
        return Recorder(known.identity, known.books)
    identity = authenticate(request, scope=RECORDING)
    books = read_books(company_id=identity.company_id)
    remember(token=token, identity=identity, books=books, now=now)
    return Recorder(identity)
