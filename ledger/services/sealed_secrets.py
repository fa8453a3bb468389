"""Secrets that must be read again are kept sealed with a key made from SECRET_KEY.

A dump of the database alone opens none of them. After a change of SECRET_KEY the old one must stay among
SECRET_KEY_FALLBACKS until every secret was sealed anew.
"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"capstack.webhooks.secrets.1"


class SealBroken(ValueError):
    """What is kept was sealed with a key that is neither SECRET_KEY nor one of SECRET_KEY_FALLBACKS."""


def seal(plain: str) -> bytes:
    """Return the text encrypted and authenticated."""
    return _keys().encrypt(plain.encode("utf-8"))


def unseal(sealed: bytes) -> str:
    """Return the text that was sealed.

    Raises:
        SealBroken: with another key, or not by us.
    """
    try:
        return _keys().decrypt(bytes(sealed)).decode("utf-8")
    except InvalidToken:
        raise SealBroken("a secret was sealed with another SECRET_KEY; add that to SECRET_KEY_FALLBACKS") from None


def _keys() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> Fernet:
    raw = secret.encode("utf-8") if isinstance(secret, str) else secret
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(raw)
    return Fernet(urlsafe_b64encode(derived))
