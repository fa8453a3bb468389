"""Other people's secrets at rest: readable with SECRET_KEY only, and not by who reads the database."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotOpen(ValueError):
    """Sealed under another SECRET_KEY, or damaged."""


def seal(text: str) -> bytes:
    """Return the text sealed under the current key."""
    return _keys().encrypt(text.encode())


def unseal(sealed: bytes) -> str:
    """Return the text.

    Raises:
        CannotOpen: neither the current key nor one of SECRET_KEY_FALLBACKS fits.
    """
    try:
        return _keys().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise CannotOpen("sealed under another SECRET_KEY: state the secret again") from None


def _keys() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(str(secret))) for secret in secrets])


def _key(secret: str) -> bytes:
    # A key of its own: whoever breaks a session's signature has not broken this.
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"capstack sealed text").derive(
        secret.encode()
    )
    return base64.urlsafe_b64encode(derived)
