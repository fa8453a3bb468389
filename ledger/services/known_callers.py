"""Remembering who called a moment ago, so that the next call can be recorded in one statement.

What is remembered is only good for recording a new event: the database refuses the write when the token or the
company's books have changed since (`ledger_record_one`). Any other answer needs the token to be looked up.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from ledger.domain.token import TokenIdentity
from ledger.selectors.books import Books
from ledger.services.tokens import USE_STEP

MAX_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """Attributes:
    since: when the token was looked up.
    """

    identity: TokenIdentity
    books: Books
    since: datetime


# Keyed by the token's hash: a dump of the process shows no token that was not just sent.
_callers: dict[bytes, KnownCaller] = {}


def remember(*, token: str, identity: TokenIdentity, books: Books, now: datetime) -> KnownCaller:
    """Keep a caller whose token was just looked up."""
    if len(_callers) >= MAX_REMEMBERED:
        _callers.clear()
    caller = _callers[_key(token)] = KnownCaller(identity, books, now)
    return caller


def recall(*, token: str, now: datetime) -> KnownCaller | None:
    """Return the caller with this token; None when unknown, or for so long that its use must be noted again."""
    caller = _callers.get(_key(token))
    return caller if caller is not None and now - caller.since < USE_STEP else None


def forget(*, token: str) -> None:
    """Drop a caller whose books have changed."""
    _callers.pop(_key(token), None)


def _key(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
