"""Rules that say what an event is for, told by its counterparty and its account."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

import regex

from ledger.domain.counterparty import clean_name

CONTAINS, REGEX, ACCOUNT = "contains", "regex", "account"
# A pattern that needs longer for one name would stop the queue on a million of them. The clock is the wall's: on a
# busy machine an honest pattern may be interrupted once, not three times.
TRIAL_SECONDS = 0.1
TRIAL_ATTEMPTS = 3
REGEX_SECONDS = 1.0
# What makes careless patterns explode: long runs of one letter, of digits, of spaces, and something at the end.
_TRIALS = ("a" * 255, "0" * 254 + "!", "ab " * 85, "a" * 127 + " " * 127 + "!", "AMZN WEB SVCS 123 REF 0042317")


class InvalidPattern(ValueError):
    """A regular expression that is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """See `ledger.models.category.CategoryRule`. Rules are tried by (priority, number)."""

    number: int
    priority: int
    test: str
    pattern: str
    account_id: int | None
    category: str
    counterparty: str


def check_pattern(pattern: str) -> None:
    """Try a regular expression on names that make careless ones explode.

    Raises:
        InvalidPattern: it does not compile, matches everything, or takes too long.
    """
    try:
        compiled = _compiled(pattern)
    except regex.error as error:
        raise InvalidPattern(f"is no regular expression: {error}") from None
    try:
        if compiled.search("", timeout=REGEX_SECONDS):
            raise InvalidPattern("matches every event, also without a counterparty")
    except TimeoutError:
        raise InvalidPattern("takes too long on no name at all") from None
    if not all(_is_quick(compiled, trial) for trial in _TRIALS):
        raise InvalidPattern("takes too long on a long name: repeat less inside repetitions")


def _is_quick(compiled: "regex.Pattern[str]", name: str) -> bool:
    for _ in range(TRIAL_ATTEMPTS):
        try:
            compiled.search(name, timeout=TRIAL_SECONDS)
        except TimeoutError:
            continue
        return True
    return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(pattern, regex.IGNORECASE | regex.VERSION1)


def rule_for(rules: Sequence[Rule], *, counterparty: str, account_id: int) -> Rule | None:
    """Return the first rule that an event passes, None when none does.

    A rule sees the name as it came and the cleaned one. A regular expression that runs out of time does not match.

    Args:
        rules: as `in_order` gives them.
    """
    names = (counterparty, clean_name(counterparty)) if counterparty else ()
    for rule in rules:
        if rule.account_id is not None and rule.account_id != account_id:
            continue
        if rule.test == ACCOUNT or any(_passes(rule, name) for name in names):
            return rule
    return None


def _passes(rule: Rule, name: str) -> bool:
    if rule.test == CONTAINS:
        return rule.pattern.casefold() in name.casefold()
    try:
        return _compiled(rule.pattern).search(name, timeout=REGEX_SECONDS) is not None
    except TimeoutError:
        return False


def in_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return rules in the order they are tried."""
    return tuple(sorted(rules, key=lambda rule: (rule.priority, rule.number)))


def digest_of(rules: Sequence[Rule]) -> str:
    """Return 64 hexadecimal digits that change with anything a rule says; '' for no rules."""
    if not rules:
        return ""
    return sha256(repr(in_order(rules)).encode()).hexdigest()
