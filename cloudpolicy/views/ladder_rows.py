"""Environments and groups as the policy sees them today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.exclusion import Exclusion
from cloudpolicy.engine.filter import Filter
from cloudpolicy.engine.policy import Otherwise, Policy, Row
from cloudpolicy.engine.question import left_alone
from cloudpolicy.filters.registry import all_filters
from cloudpolicy.selectors.groups_seen import SeenGroup
from cloudpolicy.views.call_words import place_words

_STOPPED = {"spot_requests": "requests for spot"}


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """Where one environment stands.

    Attributes:
        band: the row in force, in words.
        why: which figure did that, and what would change it.
        asks: the size that follows for each of its groups, and what else the row does.
    """

    name: str
    band: str
    why: str
    asks: str
    floor: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group. `left` says why the policy leaves it alone, `until` to when, where that is known."""

    group: SeenGroup
    place: str
    floor: int
    left: str
    until: date | None


def environment_rows(*, policy: Policy, band: Band | None, p5_days: int | None) -> tuple[EnvironmentRow, ...]:
    """In the order of the policy.

    Args:
        band: today's; None without a usable figure.
    """
    return tuple(_environment(name, policy, band, p5_days) for name in policy.environments)


def group_rows(
    *, groups: Sequence[SeenGroup], policy: Policy, exclusions: Sequence[Exclusion], now: datetime
) -> tuple[GroupRow, ...]:
    """Groups that are the policy's to change, or are named like one of them; somebody else's are left out.

    Args:
        exclusions: what counts at the moment because of what a person did.
        now: in the company's time zone.
    """
    by_place = {each.place: each for each in exclusions}
    filters = sorted(all_filters(), key=lambda each: each.order)
    return tuple(
        _group(group, policy, by_place.get((group.account, group.region, group.name)), now, filters)
        for group in groups
        if group.opted_in or group.environment in policy.environments
    )


def _environment(name: str, policy: Policy, band: Band | None, p5_days: int | None) -> EnvironmentRow:
    floor = policy.floor_of(name)
    if band is None or p5_days is None:
        return EnvironmentRow(name, "unknown", "there is no usable figure today", "stays as it is", floor)
    row = band.row_of(name)
    if row is None:
        entered = [each.below_days for each in policy.rows if each.environment == name]
        why = f"{p5_days:,} days is not below {max(entered)}" if entered else "it has no row"
        return EnvironmentRow(name, "no row in force", why, _asks(policy.otherwise_of.get(name)), floor)
    if p5_days < row.below_days:
        why = f"{p5_days:,} days is below {row.below_days}; it is left above {row.until_days}"
    else:
        why = f"it was below {row.below_days} once; {p5_days:,} days is not above {row.until_days} yet"
    return EnvironmentRow(name, f"below {row.below_days}", why, _asks(row), floor)


def _asks(rule: Row | Otherwise | None) -> str:
    if rule is None:
        return "what it was before the policy shrank it"
    parts = [str(rule.capacity), f"spot {'on' if rule.spot else 'off'}"]
    if rule.suspended:
        parts.append(f"{_and(sorted(rule.suspended))} suspended")
    if rule.stopped:
        parts.append(f"{_and([_STOPPED.get(each, each) for each in sorted(rule.stopped)])} stopped")
    if rule.budget:
        parts.append(f"budget {rule.budget.usd_per_month:,} USD a month")
    return ", ".join(parts)


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _group(
    group: SeenGroup, policy: Policy, exclusion: Exclusion | None, now: datetime, filters: Sequence[Filter]
) -> GroupRow:
    left = left_alone(group.as_group(), policy, now, filters)
    rule = policy.groups.get(group.name)
    until = rule.exclude_until if rule and left and left.reason.code == "excluded" else None
    said = left.reason.text.removeprefix(f"{group.name} is ") if left else ""
    if left is None and exclusion is not None:
        until = exclusion.until.astimezone(now.tzinfo).date()
        said = f"not made larger: {exclusion.because}" if exclusion.only_growth else exclusion.because
    return GroupRow(
        group=group,
        place=place_words(group.account, group.region),
        floor=policy.floor_of(group.environment, group.name),
        left=said,
        until=until,
    )
