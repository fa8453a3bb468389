"""Settings that calls move, as people say them: `state running`, and never `running: true`."""

from collections.abc import Mapping

# By setting: its name, what true and what false are called.
_STATES = {
    "running": ("state", "running", "stopped"),
    "bids": ("request", "open", "cancelled"),
}
_NAMES = {
    "usd_per_month": "USD a month",
    "alert_percent": "alert at, %",
    "on_demand_percent": "on demand, %",
}
# AWS numbers a template's versions itself.
NOT_KNOWN_YET = "a new one"


def setting_name(key: str) -> str:
    """What a setting is called."""
    if key in _STATES:
        return _STATES[key][0]
    return _NAMES.get(key, key.replace("_", " "))


def setting_value(key: str, value: object) -> str:
    """What it is set to; `none` where it is not set."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        _, yes, no = _STATES.get(key, ("", "on", "off"))
        return yes if value else no
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {setting_value(name, each)}" for name, each in sorted(value.items())) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(setting_value("", each) for each in value) or "none"
    text = str(value)
    return NOT_KNOWN_YET if text.startswith("{") else text
