"""The `Plaid-Verification` header: a JWT (ES256) over the digest of the raw body."""

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt

TOLERANCE = timedelta(minutes=5)
MAX_TOKEN_CHARACTERS = 4096
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class InvalidPlaidSignature(ValueError):
    """A delivery that Plaid did not sign like this, or not now; the message says why."""


def verify_plaid(*, body: bytes, token: str, key_of: Callable[[str], Mapping[str, Any]], now: datetime) -> None:
    """Accept a delivery, or say why not.

    Args:
        body: the raw bytes, before any parsing.
        token: the header's value.
        key_of: gives the JWK of a kid; what it raises passes through.
        now: aware.

    Raises:
        InvalidPlaidSignature: any doubt.
    """
    if not token:
        raise InvalidPlaidSignature("the header Plaid-Verification is missing")
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise InvalidPlaidSignature("the header Plaid-Verification is too long")
    kid = _kid(token)
    claims = _claims(token, key_of(kid))
    issued_at = claims.get("iat")
    # A bool is an int to Python, and no time.
    if type(issued_at) is not int:
        raise InvalidPlaidSignature("iat is missing or no whole number")
    if abs(now.timestamp() - issued_at) > TOLERANCE.total_seconds():
        raise InvalidPlaidSignature("was signed more than 5 minutes before or after our clock")
    stated = claims.get("request_body_sha256")
    if not isinstance(stated, str) or _DIGEST.fullmatch(stated) is None:
        raise InvalidPlaidSignature("request_body_sha256 is missing or no digest")
    if not hmac.compare_digest(stated, sha256(body).hexdigest()):
        raise InvalidPlaidSignature("the body is not the one that was signed")


def _kid(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise InvalidPlaidSignature("Plaid-Verification is not a JWT") from error
    # Checked before any key is looked at: `none` and HS256 (our public key as a shared secret) end here.
    if header.get("alg") != "ES256":
        raise InvalidPlaidSignature("is not signed with ES256")
    kid = header.get("kid")
    if not isinstance(kid, str) or _KID.fullmatch(kid) is None:
        raise InvalidPlaidSignature("names no signing key")
    return kid


def _claims(token: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
    if (key.get("kty"), key.get("crv")) != ("EC", "P-256") or key.get("alg", "ES256") != "ES256":
        raise InvalidPlaidSignature("the signing key is no key for ES256")
    try:
        public = jwt.PyJWK(dict(key), algorithm="ES256")
        # Times are compared with `now` above, by the caller's clock and on both sides.
        claims: Mapping[str, Any] = jwt.decode(
            token,
            public,
            algorithms=["ES256"],
            options={"verify_iat": False, "verify_exp": False, "verify_nbf": False, "verify_aud": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise InvalidPlaidSignature("the signature does not fit") from error
    return claims
