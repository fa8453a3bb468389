"""Plaid's JWT: only ES256, only a known key, only this body, only now."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from ledger.providers.key_memory import UnknownKey
from ledger.providers.plaid_signature import InvalidPlaidSignature, verify_plaid
from tests.ledger.providers.plaid_signer import PlaidSigner

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BODY = b'{"webhook_type": "TRANSACTIONS",  "webhook_code": "SYNC_UPDATES_AVAILABLE"}'


@pytest.fixture(scope="module")
def signer() -> PlaidSigner:
    return PlaidSigner()


def verify(signer: PlaidSigner, token: str, *, body: bytes = BODY, now: datetime = NOW) -> None:
    def key_of(kid: str) -> Mapping[str, Any]:
        if kid != signer.kid:
            raise UnknownKey("the signing key is unknown or withdrawn")
        return signer.jwk

    verify_plaid(body=body, token=token, key_of=key_of, now=now)


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_it_accepts_what_plaid_signed(signer: PlaidSigner) -> None:
    verify(signer, signer.sign(BODY, now=NOW))


def test_it_refuses_a_body_that_differs_by_a_space(signer: PlaidSigner) -> None:
    token = signer.sign(BODY, now=NOW)
    with pytest.raises(InvalidPlaidSignature, match="body is not the one"):
        verify(signer, token, body=BODY.replace(b",  ", b", "))


@pytest.mark.parametrize("minutes", [-5, 5])
def test_it_accepts_five_minutes_on_both_sides(signer: PlaidSigner, minutes: int) -> None:
    verify(signer, signer.sign(BODY, now=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_it_refuses_more_than_five_minutes_on_both_sides(signer: PlaidSigner, seconds: int) -> None:
    token = signer.sign(BODY, now=NOW + timedelta(seconds=seconds))
    with pytest.raises(InvalidPlaidSignature, match="5 minutes"):
        verify(signer, token)


def test_it_refuses_a_token_without_signature(signer: PlaidSigner) -> None:
    claims = {"iat": int(NOW.timestamp()), "request_body_sha256": sha256(BODY).hexdigest()}
    token = f"{segment({'alg': 'none', 'kid': signer.kid})}.{segment(claims)}."
    with pytest.raises(InvalidPlaidSignature, match="ES256"):
        verify(signer, token)


def test_it_refuses_our_public_key_used_as_a_shared_secret(signer: PlaidSigner) -> None:
    claims = {"iat": int(NOW.timestamp()), "request_body_sha256": sha256(BODY).hexdigest()}
    signed = f"{segment({'alg': 'HS256', 'kid': signer.kid})}.{segment(claims)}"
    mac = hmac.new(json.dumps(signer.jwk).encode(), signed.encode(), sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    with pytest.raises(InvalidPlaidSignature, match="ES256"):
        verify(signer, token)


def test_it_refuses_an_unknown_kid(signer: PlaidSigner) -> None:
    with pytest.raises(UnknownKey):
        verify(signer, PlaidSigner(kid="somebody-else").sign(BODY, now=NOW))


def test_it_refuses_another_key_under_a_known_kid(signer: PlaidSigner) -> None:
    with pytest.raises(InvalidPlaidSignature, match="does not fit"):
        verify(signer, PlaidSigner(kid=signer.kid).sign(BODY, now=NOW))


@pytest.mark.parametrize("kid", ["", "../../etc/passwd", "a" * 65, "a b", None, 7])
def test_it_refuses_a_kid_that_is_no_name(signer: PlaidSigner, kid: object) -> None:
    token = f"{segment({'alg': 'ES256', 'kid': kid})}.{segment({})}.c2ln"
    with pytest.raises(InvalidPlaidSignature):
        verify(signer, token)


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "é.é.é", "." * 100, "a" * 5000])
def test_it_refuses_what_is_no_token(signer: PlaidSigner, token: str) -> None:
    with pytest.raises(InvalidPlaidSignature):
        verify(signer, token)


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": None},
        {"iat": "1781524800"},
        {"iat": True},
        {"request_body_sha256": None},
        {"request_body_sha256": 7},
        {"request_body_sha256": "é" * 64},
    ],
)
def test_it_refuses_missing_or_wrong_claims(signer: PlaidSigner, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidPlaidSignature):
        verify(signer, signer.sign(BODY, now=NOW, **changes))


@pytest.mark.parametrize("changes", [{"crv": "P-384"}, {"kty": "RSA"}, {"alg": "HS256"}, {"x": "!"}])
def test_it_refuses_a_key_that_is_none_for_es256(signer: PlaidSigner, changes: dict[str, str]) -> None:
    token = signer.sign(BODY, now=NOW)
    with pytest.raises(InvalidPlaidSignature):
        verify_plaid(body=BODY, token=token, key_of=lambda kid: {**signer.jwk, **changes}, now=NOW)
