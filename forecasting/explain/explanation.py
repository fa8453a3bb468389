"""What stands beside a forecast: why it is what it is, why it changed, what to do, and which data to doubt."""

from collections.abc import Mapping
from dataclasses import dataclass

from forecasting.checks.data_check import CheckedCompany, DataCheck, Feed
from forecasting.checks.registry import check_data
from forecasting.explain.change import DaysOfCause, EarlierForecast, RunwayChange, runway_change
from forecasting.explain.driver_effects import DriverEffect, driver_effects
from forecasting.explain.levers import Lever, best_levers
from forecasting.explain.stage import Stage
from forecasting.outcome import RunwayCase, case_json


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one forecast on one basis.

    Attributes:
        drivers: the largest effect on p5 first.
        levers: at most three, the best first.
        changes: by name of what is compared with, e.g. `last_week`; None where there is nothing to compare with.
        checks: doubts about the data.
    """

    drivers: tuple[DriverEffect, ...]
    levers: tuple[Lever, ...]
    changes: Mapping[str, RunwayChange | None]
    checks: tuple[DataCheck, ...]

    def to_json(self) -> dict[str, object]:
        """Plain values in a stable order: money as text, dates as ISO 8601."""
        return {
            "drivers": [_driver_json(driver) for driver in self.drivers],
            "levers": [_lever_json(lever) for lever in self.levers],
            "changes": {
                name: None if change is None else _change_json(change) for name, change in self.changes.items()
            },
            "checks": [_check_json(check) for check in self.checks],
        }


def explain(
    *, stage: Stage, runway: RunwayCase, earlier: Mapping[str, EarlierForecast | None], feeds: tuple[Feed, ...]
) -> Explanation:
    """Explain a forecast, on the shocks that it was simulated with.

    Args:
        runway: as published.
        earlier: what it is to be compared with, by name.
    """
    changes = {
        name: None if then is None else runway_change(earlier=then, now=stage, runway=runway)
        for name, then in earlier.items()
    }
    base = stage.answer(stage.inputs)
    drivers = driver_effects(stage, base=base)
    doubts = sorted(((driver.label, driver.doubt_width_days) for driver in drivers), key=lambda entry: -entry[1])
    checked = CheckedCompany(
        history=stage.setting.history,
        fitted=stage.setting.company,
        runway=runway,
        feeds=feeds,
        doubts=tuple(doubts),
    )
    return Explanation(
        drivers=drivers,
        levers=best_levers(stage, base=base),
        changes=changes,
        checks=check_data(checked),
    )


def _driver_json(driver: DriverEffect) -> dict[str, object]:
    return {
        "name": driver.name,
        "label": driver.label,
        "expected_per_day": str(driver.expected_per_day),
        "p5_days": driver.p5_days,
        "p50_days": driver.p50_days,
        "mean_days": driver.mean_days,
        "doubt_p5_days": driver.doubt_p5_days,
        "doubt_p50_days": driver.doubt_p50_days,
        "doubt_width_days": driver.doubt_width_days,
        "without": case_json(driver.without),
        "is_least": _least_json(driver.is_least),
        "beyond_horizon": driver.beyond_horizon,
    }


def _lever_json(lever: Lever) -> dict[str, object]:
    return {
        "kind": lever.kind,
        "label": lever.label,
        "p5_days": lever.p5_days,
        "p50_days": lever.p50_days,
        "mean_days": lever.mean_days,
        "runway": case_json(lever.runway),
        "is_least": _least_json(lever.is_least),
    }


def _least_json(is_least: tuple[bool, bool, bool]) -> dict[str, bool]:
    return dict(zip(("p5", "p50", "p95"), is_least, strict=True))


def _change_json(change: RunwayChange) -> dict[str, object]:
    return {
        "run_id": change.run_id,
        "published_day": change.published_day.isoformat(),
        "as_of": change.as_of.isoformat(),
        "then": case_json(change.then),
        "now": case_json(change.now),
        "p5_days": change.now.p5_days - change.then.p5_days,
        "p50_days": change.now.p50_days - change.then.p50_days,
        "mean_days": change.mean_days,
        "causes": [_cause_json(cause) for cause in change.causes],
        "events": [_cause_json(cause) for cause in change.events],
    }


def _cause_json(cause: DaysOfCause) -> dict[str, object]:
    told: dict[str, object] = {
        "key": cause.key,
        "label": cause.label,
        "p5_days": cause.p5_days,
        "p50_days": cause.p50_days,
        "mean_days": cause.mean_days,
    }
    if cause.amount:
        told |= {
            "amount": cause.amount,
            "expected": cause.expected,
            "payees": [
                {"counterparty": payee.counterparty, "category": payee.category, "amount": str(payee.amount)}
                for payee in cause.payees
            ],
        }
    return told


def _check_json(check: DataCheck) -> dict[str, object]:
    return {
        "code": check.code,
        "sentence": check.sentence,
        "advice": check.advice,
        "since": check.since.isoformat(),
        "rows": {"month": f"{check.rows.month:%Y-%m}", "q": check.rows.text, "account": check.rows.account},
    }
