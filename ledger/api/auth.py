"""Who calls: a bearer token names the company and what may be done in it."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security.base import AuthBase

from ledger.api.problems import Problem, unauthorized
from ledger.domain.token import TokenIdentity
from ledger.services.tokens import identify_token


class TokenAuth(AuthBase):
    """Let a request pass when its token has a scope; `request.auth` is then a TokenIdentity.

    Raises:
        Problem: 401 without a valid token, 403 when the token lacks the scope.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        return authenticate(request, scope=self.scope)


def authenticate(request: HttpRequest, *, scope: str) -> TokenIdentity:
    """Return the identity behind a request's token.

    Raises:
        Problem: 401 without a valid token, 403 when the token lacks the scope.
    """
    kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    identity = identify_token(token=token.strip(), now=timezone.now()) if kind.lower() == "bearer" else None
    if identity is None:
        raise unauthorized()
    if scope not in identity.scopes:
        raise Problem(
            403,
            f"This token lacks the scope {scope}.",
            headers={"WWW-Authenticate": f'Bearer realm="capstack", error="insufficient_scope", scope="{scope}"'},
        )
    return identity
