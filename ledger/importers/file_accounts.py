"""Whose account a bank's file is about: the bank's own number for it, and the name it has in the ledger.

A file names an IBAN, a card or an account number, the ledger names accounts `bank` or `card-eur`. What a number
was called the first time it keeps: the name is part of an event's identity, so the same statement under another
name would be counted twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from zoneinfo import ZoneInfo

from ledger.importers.row import FileRefused

# Of a card number no more than this is kept anywhere.
SHOWN_CARD_DIGITS = 4
MAX_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """Attributes:
    name: of the account in the ledger.
    timezone: of the account.
    """

    name: str
    timezone: ZoneInfo


def fingerprint(number: str) -> bytes:
    """Return a digest by which a bank's number of an account is known again; the number itself is not kept."""
    return sha256(_plain(number).encode()).digest()


def _plain(number: str) -> str:
    return _NOT_IN_NAMES.sub("", number).upper()


class FileAccounts:
    """The accounts of one file."""

    def __init__(self, *, account: str | None, timezone: ZoneInfo, known: Mapping[bytes, KnownAccount]) -> None:
        """
        Args:
            account: the name to use, when the person who imports stated one.
            timezone: of accounts that are not known.
        """
        self._account = account
        self._timezone = timezone
        self._known = known
        self._found: dict[str, KnownAccount] = {}

    def of(self, number: str, *, kind: str = "bank") -> KnownAccount:
        """Return the account for a bank's number of it.

        Args:
            kind: `bank` or `card`; the beginning of the name that an unknown account gets.

        Raises:
            FileRefused: the number is no number, or the stated name is that of another account.
        """
        plain = _plain(number)
        found = self._found.get(plain)
        if found is None:
            if not plain:
                raise FileRefused(f"{number[:40]!r} is not the number of an account")
            found = self._found[plain] = self._settle(plain, kind)
        return found

    def owns(self, number: str) -> bool:
        """Whether a number is that of an account of the same company, as far as files have told."""
        return _plain(number) in self._found or fingerprint(number) in self._known

    def numbers(self) -> dict[bytes, str]:
        """Return {fingerprint: name} of the accounts found so far."""
        return {fingerprint(number): account.name for number, account in self._found.items()}

    def endings(self) -> dict[bytes, str]:
        """Return {fingerprint: last characters of the number} of the accounts found so far."""
        return {fingerprint(number): number[-SHOWN_CARD_DIGITS:] for number in self._found}

    def _settle(self, number: str, kind: str) -> KnownAccount:
        known = self._known.get(fingerprint(number))
        ending = number[-SHOWN_CARD_DIGITS:]
        if known is not None:
            if self._account is not None and known.name != self._account:
                raise FileRefused(
                    f"the account ending in {ending} was imported as {known.name} before; under the name "
                    f"{self._account} everything would be counted twice"
                )
            return known
        if self._account is not None:
            if self._found:
                raise FileRefused(
                    "the file is about several accounts, so one name for all of them would mix them: "
                    "leave the account out"
                )
            return KnownAccount(self._account, self._timezone)
        name = f"{kind}-{ending}" if kind == "card" else f"{kind}-{number}"[:MAX_NAME]
        if any(other.name == name for other in self._found.values()):
            raise FileRefused(
                f"two cards of the file end in {ending}: import them one by one, with an account each"
            )
        return KnownAccount(name, self._timezone)
