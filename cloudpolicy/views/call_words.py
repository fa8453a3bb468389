"""Calls as people read them, whatever the action: each by its own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from cloudpolicy.engine.setting import setting_name, setting_value
from cloudpolicy.engine.worth import CallWorth
from cloudpolicy.selectors.plans import SAYS, reading_order
from cloudpolicy.selectors.savings import PlanWorth
from cloudpolicy.views.worth_words import Worth, worth_of


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that a call moves, in words."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} {self.before} \N{RIGHTWARDS ARROW} {self.after}"


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call.

    Attributes:
        does: in the words of its action: `Stop the instance i-0123`.
        place: region, and the account where there are several.
        permission: what AWS must allow, which also names the request.
        worth: None while the plan is not priced.
    """

    does: str
    group: str
    environment: str
    place: str
    changes: tuple[Change, ...]
    permission: str
    because: str
    worth: Worth | None = None


def call_rows(calls: Sequence[Mapping[str, Any]], *, worth: PlanWorth | None = None) -> tuple[CallRow, ...]:
    """Calls as `StoredPlan` has them, each with its worth where that is known."""
    worths: Sequence[CallWorth | None] = worth.calls if worth else ()
    return tuple(
        CallRow(
            does=as_sentence(call[SAYS]),
            group=call["group"],
            environment=call["environment"],
            place=place_words(call["account"], call["region"]),
            changes=changes(call["before"], call["after"]),
            permission=call["permission"],
            because=call["because"],
            worth=worth_of(each, currency=worth.currency) if worth and each else None,
        )
        for call, each in zip_longest(calls, worths[: len(calls)])
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What moves, in reading order; equal settings are left out."""
    return tuple(
        Change(setting_name(key), setting_value(key, before.get(key)), setting_value(key, after[key]))
        for key in sorted(after, key=reading_order)
        if before.get(key) != after[key]
    )


def as_sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def place_words(account: str, region: str) -> str:
    return f"{account}, {region}" if account else region
