"""The founding ladder: the policy that a company starts with, as the document in which policies are kept."""

from typing import Any

FOUNDING_LADDER: dict[str, Any] = {
    "schema": 1,
    "name": "founding ladder",
    "group_name": "capstack-{environment}-asg",
    "opt_in": {"key": "capstack:managed", "value": "true"},
    "rows": [
        {
            "environment": "dev",
            "below_days": 45,
            "until_days": 60,
            "capacity": {"min": 1, "max": 2, "desired": 1},
            "spot": False,
        },
        {
            "environment": "staging",
            "below_days": 60,
            "until_days": 120,
            "capacity": {"min": 1, "max": 4, "desired": 2},
            "spot": False,
        },
        {
            "environment": "production",
            "below_days": 90,
            "until_days": 120,
            "capacity": {"min": 2, "max": 8, "desired": 4},
            "spot": True,
        },
        # Not in the founding table, but in its prose: below 60 days every environment but production shrinks.
        {
            "environment": "dev",
            "below_days": 60,
            "until_days": 120,
            "capacity": {"min": 1, "max": 2, "desired": 1},
            "spot": False,
        },
    ],
    "otherwise": [
        {"environment": "production", "capacity": {"min": 3, "max": 12, "desired": 8}, "spot": True},
    ],
    "floors": {"production": 2},
    "on_demand_percent_with_spot": 50,
    "limits": {
        "forecast_age_hours": 26,
        "catch_up_minutes": 15,
        "feed_silence_days": 7,
        "coverage_tolerance": 0.05,
        "groups_per_plan": None,
        "step_percent": None,
        "act_uncalibrated": False,
    },
    "pace": {"dwell_forecasts": 1, "cooldown_minutes": 0},
    "quiet": {"hours": [], "skip_days": []},
    "groups": [],
    "approval": {
        "production": ["production"],
        "non_production": "person",
        "two_people_above_instances": None,
        "exact_run": False,
    },
}
