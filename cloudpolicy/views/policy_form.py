"""A policy as the fields of a form. A field is named by the path of what it holds: `rows[2].capacity.min`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudpolicy.engine.document import SCHEMA
from cloudpolicy.engine.policy import WEEKDAYS
from cloudpolicy.engine.reader import PolicyProblem

MAX_VALUE_LENGTH = 20_000
MAX_ENTRIES = 200
_WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
_SHARE = re.compile(r"\d{0,3}([.,]\d{1,6})?", re.ASCII)
_PLACE = re.compile(r"(rows|otherwise|groups)\[(\d{1,4})\]\..+", re.ASCII)
_HOURS = re.compile(r"(?:(?P<days>[a-z ,]+?)\s+)?(?P<start>\S+?)\s*(?:-|–)\s*(?P<end>\S+)", re.ASCII)

ON_OFF = (("on", "on"), ("off", "off"))
MAYBE = (("", "no"), ("on", "yes"))
UNCALIBRATED = (("off", "no: wait for a back-test"), ("on", "yes, with a warning"))
VOIDS = (("off", "no: only one that says otherwise"), ("on", "yes"))
WHO = (("person", "a person"), ("automatic", "nobody: applied by itself"))
# Letters that fit into a field as wide as a number's.
_SHORT = 8
_LONG_KINDS = ("hours", "names", "maybe-text")
_LONG_TEXTS = ("name", "group_name", "group", "opt_in.key")


@dataclass(frozen=True, slots=True)
class Kind:
    """One field: what it is called, and how its text becomes a value of the document (`_read`)."""

    path: str
    label: str
    kind: str
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def is_wide(self) -> bool:
        """Whether what stands in it is longer than a number or a word."""
        longest = max((len(label) for _, label in self.choices), default=0)
        return longest > _SHORT or self.kind in _LONG_KINDS or self.path in _LONG_TEXTS


@dataclass(frozen=True, slots=True)
class Input:
    """A field as the template shows it. `value` is as typed."""

    name: str
    kind: Kind
    value: str
    error: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, one `otherwise` or one group."""

    name: str
    place: int
    title: str
    inputs: tuple[Input, ...]
    error: str

    @property
    def often(self) -> tuple[Input, ...]:
        """What nearly every entry says."""
        return tuple(each for each in self.inputs if each.kind.path not in SELDOM)

    @property
    def seldom(self) -> tuple[Input, ...]:
        """What few do; shown when asked for."""
        return tuple(each for each in self.inputs if each.kind.path in SELDOM)

    @property
    def says_seldom(self) -> bool:
        """Whether some of the latter is said, or wrong, and must be seen."""
        return any(each.error or each.value not in ("", "no") for each in self.seldom)


_RULE = (
    Kind("environment", "Environment", "text"),
    Kind("capacity.min", "Min", "whole"),
    Kind("capacity.max", "Max", "whole"),
    Kind("capacity.desired", "Desired", "whole"),
    Kind("spot", "Spot", "flag", choices=ON_OFF),
    Kind("budget.usd_per_month", "Budget, USD a month", "maybe", "empty: left as it is"),
    Kind("budget.alert_percent", "Alert at, %", "maybe"),
    Kind("budget.notify", "Alert goes to", "maybe-text", "e-mail or topic"),
    Kind("budget.may_loosen", "Budget may be raised", "maybe-flag", choices=MAYBE),
    Kind("suspended_processes", "Suspended processes", "names", "AZRebalance, Launch …"),
    Kind("may_stop_schedules", "Even if schedules need them", "maybe-flag", choices=MAYBE),
    Kind("stopped", "Stopped", "names", "instances, databases, spot_requests"),
)
SELDOM = frozenset(kind.path for kind in _RULE[5:])
ENTRIES = {
    "rows": (
        _RULE[0],
        Kind("below_days", "Below, days", "whole"),
        Kind("until_days", "Until above, days", "whole"),
        *_RULE[1:],
    ),
    "otherwise": _RULE,
    "groups": (
        Kind("group", "Group", "text"),
        Kind("floor", "Floor", "maybe", "instances"),
        Kind("exclude_until", "Left alone until", "day"),
        Kind("because", "Because", "maybe-text"),
    ),
}
SECTIONS = (
    (
        "Pace and quiet",
        (
            Kind("pace.dwell_forecasts", "Forecasts in a row", "whole", "before a row moves"),
            Kind("pace.cooldown_minutes", "Cooldown, minutes", "whole", "before an environment turns round"),
            Kind(
                "quiet.hours", "Quiet hours", "hours", "one a line: mon tue 22:00-07:00; without days: every day"
            ),
            Kind("quiet.skip_days", "Days to skip", "names", "2026-12-24, 2026-12-25"),
        ),
    ),
    (
        "Floors and limits",
        (
            Kind("floors", "Floors", "floors", "one a line: production 2"),
            Kind("limits.groups_per_plan", "Groups per plan", "maybe", "empty: no limit"),
            Kind("limits.step_percent", "Step, %", "maybe", "empty: no limit"),
            Kind("limits.forecast_age_hours", "Forecast no older than, hours", "whole"),
            Kind("limits.catch_up_minutes", "Unseen events for at most, minutes", "whole"),
            Kind("limits.feed_silence_days", "Feed silent for at most, days", "whole"),
            Kind(
                "limits.coverage_tolerance",
                "Share that fell short, off by at most",
                "share",
                "a share: 0.05",
            ),
            Kind("limits.act_uncalibrated", "Act on a runway never measured", "flag", choices=UNCALIBRATED),
        ),
    ),
    (
        "Approval",
        (
            Kind("approval.production", "Production is", "names"),
            Kind("approval.non_production", "Others are approved by", "choice", choices=WHO),
            Kind("approval.two_people_above_instances", "Two people above, instances", "maybe", "empty: never"),
            Kind("approval.exact_run", "Any new forecast voids it", "flag", choices=VOIDS),
        ),
    ),
    (
        "Name and groups",
        (
            Kind("name", "Name of the policy", "text"),
            Kind("group_name", "Groups are named", "text"),
            Kind("opt_in.key", "Tag that opts in", "text"),
            Kind("opt_in.value", "Its value", "text"),
            Kind("on_demand_percent_with_spot", "On demand while spot is on, %", "whole"),
        ),
    ),
)
_SCALARS = tuple(kind for _, kinds in SECTIONS for kind in kinds)
_EMPTY_RULE = {"capacity.min": "1", "capacity.max": "2", "capacity.desired": "1", "spot": "off"}
FRESH: dict[str, dict[str, str]] = {
    "rows": {"environment": "", "below_days": "60", "until_days": "120", **_EMPTY_RULE},
    "otherwise": {"environment": "", **_EMPTY_RULE},
    "groups": {"group": ""},
}


def typed_from(document: object) -> dict[str, str]:
    """A document as somebody would have typed it. What is no policy comes as far as it goes."""
    typed = {kind.path: _shown(kind, _at(document, kind.path)) for kind in _SCALARS}
    for key, kinds in ENTRIES.items():
        entries = _at(document, key)
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            typed |= {f"{key}[{place}].{kind.path}": _shown(kind, _at(entry, kind.path)) for kind in kinds}
    return typed


def read_typed(given: Mapping[str, Any], *, change: str = "") -> dict[str, str]:
    """What a form carries, its entries counted from nought.

    Args:
        change: `add rows` appends an entry, `remove rows[2]` takes one out.
    """
    typed = {kind.path: str(given.get(kind.path, ""))[:MAX_VALUE_LENGTH] for kind in _SCALARS}
    verb, _, what = change.partition(" ")
    for key, kinds in ENTRIES.items():
        places = sorted({int(found[2]) for name in given if (found := _PLACE.fullmatch(name)) and found[1] == key})
        kept = [place for place in places if not (verb == "remove" and what == f"{key}[{place}]")][:MAX_ENTRIES]
        for new, old in enumerate(kept):
            for kind in kinds:
                value = str(given.get(f"{key}[{old}].{kind.path}", ""))[:MAX_VALUE_LENGTH]
                typed[f"{key}[{new}].{kind.path}"] = value
        if verb == "add" and what == key and len(kept) < MAX_ENTRIES:
            fresh = FRESH[key]
            typed |= {f"{key}[{len(kept)}].{kind.path}": fresh.get(kind.path, "") for kind in kinds}
    return typed


def document_of(typed: Mapping[str, str]) -> dict[str, Any]:
    """The document that was typed. What cannot be read stays a text, and is refused at its path."""
    document: dict[str, Any] = {"schema": SCHEMA}
    for kind in _SCALARS:
        _put(document, kind.path, _read(kind, typed.get(kind.path, "")))
    for key, kinds in ENTRIES.items():
        count = _count(typed, key)
        document[key] = [_entry(typed, f"{key}[{place}].", kinds) for place in range(count)]
    return document


def entries_of(typed: Mapping[str, str], key: str, problems: Sequence[PolicyProblem]) -> tuple[Entry, ...]:
    """Rows, `otherwise` or groups for the template."""
    found = []
    for place in range(_count(typed, key)):
        name = f"{key}[{place}]"
        inputs = tuple(_input(f"{name}.{kind.path}", kind, typed, problems) for kind in ENTRIES[key])
        taken = {each.error for each in inputs}
        own = [each.message for each in problems if each.path.startswith(name) and each.message not in taken]
        title = typed.get(f"{name}.environment", typed.get(f"{name}.group", "")).strip() or "new"
        if key == "rows" and title != "new":
            # One environment may have several rows.
            title = f"{title}, below {typed.get(f'{name}.below_days', '').strip() or '…'} days"
        found.append(Entry(name, place, title, inputs, "; ".join(own)))
    return tuple(found)


def sections_of(
    typed: Mapping[str, str], problems: Sequence[PolicyProblem]
) -> tuple[tuple[str, tuple[Input, ...]], ...]:
    """The fields that stand once, by section."""
    return tuple(
        (title, tuple(_input(kind.path, kind, typed, problems) for kind in kinds)) for title, kinds in SECTIONS
    )


def _input(name: str, kind: Kind, typed: Mapping[str, str], problems: Iterable[PolicyProblem]) -> Input:
    inside = (f"{name}.", f"{name}[")
    errors = [each.message for each in problems if each.path == name or each.path.startswith(inside)]
    return Input(name, kind, typed.get(name, ""), errors[0] if errors else "")


def _count(typed: Mapping[str, str], key: str) -> int:
    places = [int(found[2]) for name in typed if (found := _PLACE.fullmatch(name)) and found[1] == key]
    return max(places, default=-1) + 1


def _entry(typed: Mapping[str, str], prefix: str, kinds: Sequence[Kind]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for kind in kinds:
        value = _read(kind, typed.get(prefix + kind.path, ""))
        # What was left empty is not said; an empty budget would be half a budget.
        if value is not None and value != []:
            _put(entry, kind.path, value)
    return entry


def _read(kind: Kind, text: str) -> Any:
    text = text.strip()
    if kind.kind in ("whole", "maybe"):
        return int(text) if _WHOLE.fullmatch(text) else (text or None)
    if kind.kind == "share":
        return float(text.replace(",", ".")) if _SHARE.fullmatch(text) and text.strip(",.") else (text or None)
    if kind.kind == "flag":
        return {"on": True, "off": False}.get(text, text)
    if kind.kind == "maybe-flag":
        return True if text == "on" else (text or None)
    if kind.kind in ("day", "maybe-text"):
        return text or None
    if kind.kind == "names":
        return [each.strip() for each in re.split(r"[,\n]", text) if each.strip()]
    if kind.kind == "floors":
        return _floors(text)
    if kind.kind == "hours":
        return [_hours(line.strip()) for line in text.splitlines() if line.strip()]
    return text


def _floors(text: str) -> dict[str, Any]:
    floors: dict[str, Any] = {}
    for line in re.split(r"[,\n]", text):
        name, _, number = line.strip().replace(":", " ").rpartition(" ")
        if line.strip():
            whole = int(number) if _WHOLE.fullmatch(number) else number
            floors[name.strip() or number] = whole
    return floors


def _hours(line: str) -> Any:
    found = _HOURS.fullmatch(line)
    if not found:
        return line
    hours = {"from": found["start"], "until": found["end"]}
    days = re.split(r"[ ,]+", found["days"].strip(" ,")) if found["days"] else []
    return {"days": days, **hours} if days else hours


def _shown(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind.kind == "flag" and isinstance(value, bool):
        return "on" if value else "off"
    if kind.kind == "maybe-flag" and isinstance(value, bool):
        return "on" if value else ""
    if kind.kind == "names" and isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if kind.kind == "floors" and isinstance(value, Mapping):
        return "\n".join(f"{name} {floor}" for name, floor in value.items())
    if kind.kind == "hours" and isinstance(value, list):
        return "\n".join(_shown_hours(each) for each in value)
    return str(value)


def _shown_hours(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    days = value.get("days")
    begun = f"{' '.join(str(day) for day in days)} " if isinstance(days, list) and days != list(WEEKDAYS) else ""
    return f"{begun}{value.get('from', '')}-{value.get('until', '')}"


def _at(content: Any, path: str) -> Any:
    for key in path.split("."):
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _put(content: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for key in parents:
        content = content.setdefault(key, {})
    content[last] = value
