"""What lies between a plan that somebody read and the one that has taken its place."""

from collections.abc import Mapping
from typing import Any

from cloudpolicy.selectors.plans import StoredPlan
from cloudpolicy.views.call_words import action_words, changes


def what_changed(read: StoredPlan, now: StoredPlan) -> tuple[str, ...]:
    """In words, from the plan that was read to the one that stands now. Never empty."""
    lines = []
    if read.policy != now.policy:
        lines.append(f"The policy was {read.policy} and is {now.policy}.")
    if read.p5_days != now.p5_days:
        lines.append(f"The cautious runway was {_days(read)} and is {_days(now)}.")
    if read.band != now.band:
        lines.append(f"The band was {read.band or 'unknown'} and is {now.band or 'unknown'}.")
    before, after = ({_key(call): call for call in plan.calls} for plan in (read, now))
    lines += [f"{_named(call)} is no longer asked for." for key, call in before.items() if key not in after]
    for key, call in after.items():
        moved = ", ".join(str(each) for each in changes(call["before"], call["after"]))
        if key not in before:
            lines.append(f"{_named(call)} is new: {moved}.")
        elif any(before[key][side] != call[side] for side in ("before", "after")):
            lines.append(f"{_named(call)} is another one: {moved}.")
    if now.read_only_text and now.read_only_text != read.read_only_text:
        lines.append(f"Nothing may act on it now: {now.read_only_text}.")
    return tuple(lines) or ("It was made again from another forecast; its calls are the same.",)


def _key(call: Mapping[str, Any]) -> tuple[str, ...]:
    return (call["action"], call["account"], call["region"], call["group"], call["permission"])


def _named(call: Mapping[str, Any]) -> str:
    return f"{action_words(call['action'])} of {call['group']}"


def _days(plan: StoredPlan) -> str:
    return "unknown" if plan.p5_days is None else f"{plan.p5_days:,} days"
