"""Public keys that providers sign with, fetched once and remembered for a while."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Providers rotate keys in weeks; an hour bounds how long we miss that one was withdrawn.
KNOWN_SECONDS = 3600.0
# An unknown key is either an attacker's or one that is minutes old.
UNKNOWN_SECONDS = 60.0
MAX_KEYS = 64
# Each unknown key costs a request to the provider: who invents names must not make us flood it.
MAX_LOOKUPS_PER_MINUTE = 30


class UnknownKey(LookupError):
    """The provider knows no such key, or has withdrawn it."""


class TooManyLookups(RuntimeError):
    """More unknown keys within a minute than a provider should be asked for."""


@dataclass(frozen=True, slots=True)
class _Entry[Key]:
    key: Key | None
    forgotten_at: float


class KeyMemory[Key]:
    """A bounded memory of keys, safe to share between threads. A name holds everything that tells keys apart,
    such as the base URL and the `kid`: a sandbox's keys are not those of production.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[Any, _Entry[Key]] = OrderedDict()
        self._lookups: deque[float] = deque()
        self._lock = threading.Lock()

    def find(self, *, name: Any, fetch: Callable[[], Key | None], seconds: float) -> Key:
        """Return a key, from memory or fetched.

        Args:
            name: hashable.
            fetch: gives the key, None when there is none; may raise, and then nothing is remembered.
            seconds: a clock that only moves forward.

        Raises:
            UnknownKey: fetch gave None, now or within the last minute.
            TooManyLookups: ask again in a minute.
        """
        with self._lock:
            entry = self._entries.get(name)
            if entry is not None and entry.forgotten_at <= seconds:
                del self._entries[name]
                entry = None
            if entry is None:
                self._count_lookup(seconds)
        if entry is None:
            key = fetch()
            entry = _Entry(key, seconds + (UNKNOWN_SECONDS if key is None else KNOWN_SECONDS))
            self._remember(name, entry)
        if entry.key is None:
            raise UnknownKey("the signing key is unknown or withdrawn")
        return entry.key

    def _remember(self, name: Any, entry: _Entry[Key]) -> None:
        with self._lock:
            self._entries[name] = entry
            while len(self._entries) > MAX_KEYS:
                # Invented names must not push good keys out.
                unknown = next((name for name, entry in self._entries.items() if entry.key is None), None)
                if unknown is None:
                    self._entries.popitem(last=False)
                else:
                    del self._entries[unknown]

    def _count_lookup(self, seconds: float) -> None:
        while self._lookups and self._lookups[0] <= seconds - 60:
            self._lookups.popleft()
        if len(self._lookups) >= MAX_LOOKUPS_PER_MINUTE:
            raise TooManyLookups("too many unknown signing keys within a minute")
        self._lookups.append(seconds)
