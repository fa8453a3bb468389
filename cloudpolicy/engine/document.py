"""Policies as documents: read with every problem named by its path, and identified by a digest."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cloudpolicy.engine.capacity import Capacity, capacity_problems
from cloudpolicy.engine.policy import (
    PROCESSES,
    STOPPABLE,
    WEEKDAYS,
    Approval,
    Budget,
    GroupRule,
    Limits,
    OptInTag,
    Otherwise,
    Pace,
    Policy,
    Quiet,
    QuietHours,
    Row,
    Rule,
)
from cloudpolicy.engine.quiet import is_always_quiet
from cloudpolicy.engine.reader import PolicyProblem, Reader

SCHEMA = 1
MAX_ROWS = 200
MAX_GROUPS = 2000
MAX_HOURS = 50
MAX_SKIP_DAYS = 1000
MAX_DAYS = 3660
MAX_COOLDOWN_MINUTES = 60 * 24 * 90
REQUIRED = (
    "schema", "name", "group_name", "opt_in", "rows", "otherwise", "floors", "on_demand_percent_with_spot",
    "limits",
)  # fmt: skip
OPTIONAL = ("pace", "quiet", "groups", "approval")
_RULE_KEYS = {
    "environment", "capacity", "spot", "suspended_processes", "may_stop_schedules", "stopped", "budget",
}  # fmt: skip

# As AWS takes a subscriber of a budget: 50 characters for e-mail, more for the ARN of a topic.
_NOTIFIED = re.compile(
    r"(?=.{3,50}$)[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}",
    re.ASCII,
)


class InvalidPolicy(ValueError):
    """The document is no policy; carries every problem at once."""

    def __init__(self, problems: tuple[PolicyProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


def canonical_digest(content: Any) -> str:
    """SHA-256 in hex over JSON content; equal for equal content, whatever the order of its keys.

    Raises:
        ValueError: a NaN or an infinity is in it; they have no JSON form.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def parse_policy(raw: object) -> Policy:
    """Read a policy document.

    Raises:
        InvalidPolicy: with all problems, each at its path; unknown keys are problems too.
    """
    reader = _PolicyReader()
    policy = reader.policy(raw)
    if reader.problems or policy is None:
        raise InvalidPolicy(tuple(reader.problems))
    return policy


def opt_in_of(raw: object) -> OptInTag | None:
    """The tag of a document that need not be a policy otherwise; None where it says none."""
    reader = _PolicyReader()
    tag = reader.opt_in(raw.get("opt_in")) if isinstance(raw, Mapping) else None
    return None if reader.problems else tag


class _PolicyReader(Reader):
    def policy(self, raw: object) -> Policy | None:
        document = self.mapping(raw, "$", (*REQUIRED, *OPTIONAL))
        if document is None:
            return None
        if document.get("schema") != SCHEMA or isinstance(document.get("schema"), bool):
            self.problem("schema", f"must be {SCHEMA}")
        floors = self.floors(document.get("floors"))
        rows = self.items(
            document.get("rows"), "rows", lambda raw, path: self.row(raw, path, floors), most=MAX_ROWS
        )
        otherwise = self.items(
            document.get("otherwise"), "otherwise", lambda raw, path: self.other(raw, path, floors), most=MAX_ROWS
        )
        name = self.text(document.get("name"), "name")
        group_name = self.text(document.get("group_name"), "group_name")
        if group_name and (group_name.count("{environment}") != 1 or group_name.count("{") != 1):
            self.problem("group_name", "must contain {environment} once")
        opt_in = self.opt_in(document.get("opt_in"))
        percent = self.whole(
            document.get("on_demand_percent_with_spot"), "on_demand_percent_with_spot", least=0, most=99
        )
        limits = self.limits(document.get("limits"))
        pace, quiet = self.pace(document.get("pace", {})), self.quiet(document.get("quiet", {}))
        groups = self.items(document.get("groups", []), "groups", self.group, most=MAX_GROUPS)
        approval = self.approval(document.get("approval", {}))
        self.repeats([row.name for row in rows], "rows", "two rows of one environment share a threshold")
        self.repeats([each.environment for each in otherwise], "otherwise", "an environment stands here twice")
        self.repeats([each.group for each in groups], "groups", "a group stands here twice")
        ruled = {row.environment for row in rows} | {each.environment for each in otherwise}
        for environment in sorted(approval.production & ruled if approval else ()):
            if floors.get(environment, 0) < 1:
                self.problem(
                    f"floors.{environment}", "must be 1 or more: production is never left without instances"
                )
        by_key: dict[str, tuple[Rule, ...]] = {"rows": rows, "otherwise": otherwise}
        for key, rules in by_key.items():
            for place, each in enumerate(rules):
                if approval and each.stopped and each.environment in approval.production:
                    self.problem(f"{key}[{place}].stopped", "must be empty: nothing of production is ever stopped")
        if self.problems or opt_in is None or limits is None or percent is None or approval is None:
            return None
        assert pace is not None
        assert quiet is not None
        by_name = {each.group: each for each in groups}
        return Policy(
            name, rows, otherwise, floors, group_name, opt_in, percent, limits, pace, quiet, by_name, approval
        )

    def row(self, raw: object, path: str, floors: Mapping[str, int]) -> Row | None:
        content = self.mapping(raw, path, {*_RULE_KEYS, "below_days", "until_days"})
        if content is None:
            return None
        below = self.whole(content.get("below_days"), f"{path}.below_days", least=1, most=MAX_DAYS)
        until = self.whole(content.get("until_days"), f"{path}.until_days", least=1, most=MAX_DAYS)
        if below is not None and until is not None and until < below:
            self.problem(f"{path}.until_days", f"must not lie below below_days, {below}: the row would flap")
        rule = self.other(content, path, floors, known=True)
        if below is None or until is None or rule is None:
            return None
        return Row(
            rule.environment,
            below,
            until,
            rule.capacity,
            rule.spot,
            rule.suspended,
            rule.budget,
            rule.stopped,
            rule.may_stop_schedules,
        )

    def other(self, raw: object, path: str, floors: Mapping[str, int], *, known: bool = False) -> Otherwise | None:
        """What an environment is to be; `known` when the keys have been looked at."""
        content = self.mapping(raw, path, None if known else _RULE_KEYS)
        if content is None:
            return None
        environment = self.text(content.get("environment"), f"{path}.environment")
        capacity = self.capacity(content.get("capacity"), f"{path}.capacity", floors.get(environment, 0))
        spot = self.flag(content.get("spot"), f"{path}.spot")
        processes = f"{path}.suspended_processes"
        suspended = self.chosen(content.get("suspended_processes", []), processes, PROCESSES)
        schedules = self.flag(content.get("may_stop_schedules", False), f"{path}.may_stop_schedules")
        stopped = self.chosen(content.get("stopped", []), f"{path}.stopped", STOPPABLE)
        budget = self.budget(content.get("budget"), f"{path}.budget")
        if capacity is None or spot is None or schedules is None:
            return None
        return Otherwise(environment, capacity, spot, suspended, budget, stopped, schedules)

    def chosen(self, raw: object, path: str, choices: tuple[str, ...]) -> frozenset[str]:
        found = self.items(raw, path, lambda raw, where: self.one_of(raw, where, choices), most=len(choices))
        self.repeats(list(found), path, "stands here twice")
        return frozenset(found)

    def capacity(self, raw: object, path: str, floor: int) -> Capacity | None:
        content = self.mapping(raw, path, {"min", "max", "desired"})
        if content is None:
            return None
        numbers = [self.whole(content.get(key), f"{path}.{key}", least=0) for key in ("min", "max", "desired")]
        least, most, desired = numbers
        if least is None or most is None or desired is None:
            return None
        capacity = Capacity(least, most, desired)
        for message in capacity_problems(capacity, floor=floor):
            self.problem(path, message)
        return capacity

    def budget(self, raw: object, path: str) -> Budget | None:
        if raw is None:
            return None
        content = self.mapping(raw, path, {"usd_per_month", "alert_percent", "notify", "may_loosen"})
        if content is None:
            return None
        limit = self.whole(content.get("usd_per_month"), f"{path}.usd_per_month", least=1, most=1_000_000_000)
        alert = self.whole(content.get("alert_percent", 80), f"{path}.alert_percent", least=1, most=100)
        notify = content.get("notify")
        if notify is not None and not (isinstance(notify, str) and _NOTIFIED.fullmatch(notify)):
            self.problem(f"{path}.notify", "must be an address of e-mail, or the ARN of a topic")
        loosen = self.flag(content.get("may_loosen", False), f"{path}.may_loosen")
        if limit is None or alert is None or loosen is None:
            return None
        return Budget(limit, alert, str(notify or ""), loosen)

    def floors(self, raw: object) -> dict[str, int]:
        content = self.mapping(raw, "floors", None)
        floors = {}
        for environment, value in (content or {}).items():
            if not self.text(environment, "floors"):
                continue
            floor = self.whole(value, f"floors.{environment}", least=0)
            if floor is not None:
                floors[environment] = floor
        return floors

    def opt_in(self, raw: object) -> OptInTag | None:
        content = self.mapping(raw, "opt_in", {"key", "value"})
        if content is None:
            return None
        return OptInTag(
            self.text(content.get("key"), "opt_in.key"), self.text(content.get("value"), "opt_in.value")
        )

    def limits(self, raw: object) -> Limits | None:
        content = self.mapping(
            raw,
            "limits",
            {
                "forecast_age_hours", "catch_up_minutes", "feed_silence_days", "coverage_tolerance",
                "groups_per_plan", "step_percent", "act_uncalibrated",
            },
        )  # fmt: skip
        if content is None:
            return None
        hours = self.whole(content.get("forecast_age_hours"), "limits.forecast_age_hours", least=1, most=24 * 31)
        minutes = self.whole(content.get("catch_up_minutes"), "limits.catch_up_minutes", least=1, most=24 * 60)
        days = self.whole(content.get("feed_silence_days"), "limits.feed_silence_days", least=1, most=366)
        tolerance = self.share(content.get("coverage_tolerance"), "limits.coverage_tolerance")
        groups = self.limit(content, "limits", "groups_per_plan", least=1, most=100_000)
        step = self.limit(content, "limits", "step_percent", least=1, most=100)
        uncalibrated = self.flag(content.get("act_uncalibrated", False), "limits.act_uncalibrated")
        if hours is None or minutes is None or days is None or tolerance is None or uncalibrated is None:
            return None
        return Limits(
            forecast_age=timedelta(hours=hours),
            catch_up=timedelta(minutes=minutes),
            feed_silence=timedelta(days=days),
            coverage_tolerance=tolerance,
            groups_per_plan=groups,
            step_percent=step,
            act_uncalibrated=uncalibrated,
        )

    def limit(self, content: Mapping[str, Any], path: str, key: str, *, least: int, most: int) -> int | None:
        """A limit that need not be there; null is none."""
        value = content.get(key)
        return None if value is None else self.whole(value, f"{path}.{key}", least=least, most=most)

    def pace(self, raw: object) -> Pace | None:
        content = self.mapping(raw, "pace", {"dwell_forecasts", "cooldown_minutes"})
        if content is None:
            return None
        dwell = self.whole(content.get("dwell_forecasts", 1), "pace.dwell_forecasts", least=1, most=1000)
        minutes = self.whole(
            content.get("cooldown_minutes", 0), "pace.cooldown_minutes", least=0, most=MAX_COOLDOWN_MINUTES
        )
        return None if dwell is None or minutes is None else Pace(dwell, timedelta(minutes=minutes))

    def quiet(self, raw: object) -> Quiet | None:
        content = self.mapping(raw, "quiet", {"hours", "skip_days"})
        if content is None:
            return None
        hours = self.items(content.get("hours", []), "quiet.hours", self.quiet_hours, most=MAX_HOURS)
        days = self.items(content.get("skip_days", []), "quiet.skip_days", self.day, most=MAX_SKIP_DAYS)
        if is_always_quiet(hours):
            self.problem("quiet.hours", "cover the whole week: the policy would never act")
        return Quiet(hours, frozenset(days))

    def quiet_hours(self, raw: object, path: str) -> QuietHours | None:
        content = self.mapping(raw, path, {"days", "from", "until"})
        if content is None:
            return None
        days = self.items(
            content.get("days", list(WEEKDAYS)),
            f"{path}.days",
            lambda raw, where: self.one_of(raw, where, WEEKDAYS),
            most=len(WEEKDAYS),
        )
        start = self.time_of_day(content.get("from"), f"{path}.from")
        end = self.time_of_day(content.get("until"), f"{path}.until")
        if start is None or end is None:
            return None
        return QuietHours(frozenset(WEEKDAYS.index(day) for day in days), start, end)

    def group(self, raw: object, path: str) -> GroupRule | None:
        content = self.mapping(raw, path, {"group", "floor", "exclude_until", "because"})
        if content is None:
            return None
        group = self.text(content.get("group"), f"{path}.group")
        floor = self.limit(content, path, "floor", least=0, most=1_000_000)
        until = content.get("exclude_until")
        day = None if until is None else self.day(until, f"{path}.exclude_until")
        because = "" if content.get("because") is None else self.text(content["because"], f"{path}.because")
        if until is None and content.get("floor") is None:
            self.problem(path, "must say a floor, or exclude_until: a group is never left alone without an end")
        if until is not None and not because and content.get("because") is None:
            self.problem(f"{path}.because", "must say why the group is left alone")
        return GroupRule(group, floor, day, because)

    def approval(self, raw: object) -> Approval | None:
        content = self.mapping(
            raw, "approval", {"production", "non_production", "two_people_above_instances", "exact_run"}
        )
        if content is None:
            return None
        production = self.items(
            content.get("production", ["production"]), "approval.production", self._environment, most=MAX_ROWS
        )
        how = self.one_of(
            content.get("non_production", "person"), "approval.non_production", ("person", "automatic")
        )
        above = self.limit(content, "approval", "two_people_above_instances", least=0, most=1_000_000)
        exact = self.flag(content.get("exact_run", False), "approval.exact_run")
        return Approval(frozenset(production), how == "automatic", above, bool(exact))

    def _environment(self, raw: object, path: str) -> str | None:
        return self.text(raw, path) or None
