"""Keys are fetched once, forgotten in time, and inventing names does not flood the provider."""

import pytest

from ledger.providers.key_memory import (
    KNOWN_SECONDS,
    MAX_KEYS,
    MAX_LOOKUPS_PER_MINUTE,
    UNKNOWN_SECONDS,
    KeyMemory,
    TooManyLookups,
    UnknownKey,
)


class Provider:
    def __init__(self, *known: str) -> None:
        self.known = set(known)
        self.asked: list[str] = []

    def find(self, memory: KeyMemory[str], name: str, seconds: float) -> str:
        def fetch() -> str | None:
            self.asked.append(name)
            return f"key of {name}" if name in self.known else None

        return memory.find(name=name, fetch=fetch, seconds=seconds)


def test_a_key_is_fetched_once_and_again_after_an_hour() -> None:
    memory, provider = KeyMemory[str](), Provider("a")

    assert provider.find(memory, "a", 0) == provider.find(memory, "a", KNOWN_SECONDS - 1) == "key of a"
    assert provider.asked == ["a"]
    provider.find(memory, "a", KNOWN_SECONDS)
    assert provider.asked == ["a", "a"]


def test_a_withdrawn_key_is_refused_once_it_is_forgotten() -> None:
    memory, provider = KeyMemory[str](), Provider("a")
    provider.find(memory, "a", 0)
    provider.known.clear()

    with pytest.raises(UnknownKey):
        provider.find(memory, "a", KNOWN_SECONDS)


def test_an_unknown_key_is_not_asked_for_again_within_a_minute() -> None:
    memory, provider = KeyMemory[str](), Provider()

    for seconds in (0.0, UNKNOWN_SECONDS - 1):
        with pytest.raises(UnknownKey):
            provider.find(memory, "x", seconds)
    assert provider.asked == ["x"]
    provider.known.add("x")
    assert provider.find(memory, "x", UNKNOWN_SECONDS) == "key of x"


def test_a_failure_is_not_remembered() -> None:
    memory = KeyMemory[str]()

    def fail() -> str:
        raise OSError("no network")

    with pytest.raises(OSError):
        memory.find(name="a", fetch=fail, seconds=0)
    assert Provider("a").find(memory, "a", 1) == "key of a"


def test_invented_names_do_not_flood_the_provider() -> None:
    memory, provider = KeyMemory[str](), Provider()

    for number in range(MAX_LOOKUPS_PER_MINUTE):
        with pytest.raises(UnknownKey):
            provider.find(memory, f"x{number}", 0)
    with pytest.raises(TooManyLookups):
        provider.find(memory, "one-more", 59)
    assert len(provider.asked) == MAX_LOOKUPS_PER_MINUTE


def test_invented_names_do_not_push_a_good_key_out() -> None:
    memory, provider = KeyMemory[str](), Provider("good")
    provider.find(memory, "good", 0)

    for number in range(MAX_KEYS + 10):
        with pytest.raises(UnknownKey):
            provider.find(memory, f"x{number}", 100 + number * 3)
    provider.asked.clear()

    assert provider.find(memory, "good", 400) == "key of good"
    assert provider.asked == []
    assert len(memory._entries) <= MAX_KEYS
