"""Plaid's side of its signature: a key pair of the test's own."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec


class PlaidSigner:
    def __init__(self, kid: str = "bfbd5111-8e33-4643-8ced-b2e642a72f3c") -> None:
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.jwk: dict[str, Any] = {
            **json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key())),
            "alg": "ES256",
            "use": "sig",
            "kid": kid,
            "created_at": 1560466150,
            "expired_at": None,
        }

    def sign(self, body: bytes, *, now: datetime, **changes: Any) -> str:
        claims = {"iat": int(now.timestamp()), "request_body_sha256": sha256(body).hexdigest(), **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.private, algorithm="ES256", headers={"kid": self.kid})
