"""What each driver does to the runway: left out altogether, and without its doubt."""

from dataclasses import dataclass
from decimal import Decimal

from forecasting.drivers.assembly import Part, expected_per_day
from forecasting.drivers.contribution import Contribution
from forecasting.explain.expectation import at_expectation
from forecasting.explain.stage import Answer, Stage
from forecasting.kernel.calendar import month_steps
from forecasting.outcome import RunwayCase, is_least, money


@dataclass(frozen=True, slots=True)
class DriverEffect:
    """Days that a driver adds to the runway (negative: takes from it).

    Attributes:
        p5_days, p50_days: the runway less what it would be without the driver.
        mean_days: the same of the mean runway.
        doubt_p5_days, doubt_p50_days: the runway less what it would be, were the driver just as expected.
        doubt_width_days: by how much that would narrow the interval between p5 and p95.
        without: the runway without the driver.
        is_least: of p5, p50 and p95, whether the effect is at least that large (`forecasting.outcome.is_least`).
        beyond_horizon: without the driver p5 or p50 lies beyond the horizon.
    """

    name: str
    label: str
    expected_per_day: Decimal
    p5_days: int
    p50_days: int
    mean_days: float
    doubt_p5_days: int
    doubt_p50_days: int
    doubt_width_days: int
    without: RunwayCase
    is_least: tuple[bool, bool, bool]
    beyond_horizon: bool


def driver_effects(stage: Stage, *, base: Answer) -> tuple[DriverEffect, ...]:
    """One driver at a time on the same shocks, the largest effect on p5 first.

    Args:
        base: the runway as it is.
    """
    effects = [_effect(stage, part, base=base) for part in stage.parts]
    return tuple(
        sorted(
            effects,
            key=lambda effect: (
                -abs(effect.p5_days),
                -abs(effect.p50_days),
                -abs(effect.mean_days),
                effect.name,
            ),
        )
    )


def _effect(stage: Stage, part: Part, *, base: Answer) -> DriverEffect:
    setting = stage.setting
    steps = month_steps(as_of_day=setting.company.as_of_day, horizon_days=setting.horizon_days)
    name = part.driver.name

    def left_out(driver: str, contribution: Contribution) -> Contribution | None:
        return None if driver == name else contribution

    def calm(driver: str, contribution: Contribution) -> Contribution:
        return at_expectation(contribution, steps=steps) if driver == name else contribution

    left = stage.answer(stage.with_contributions(left_out))
    runway, without = base.runway, left.runway
    expected = stage.runway(stage.with_contributions(calm))
    return DriverEffect(
        name=name,
        label=part.driver.label,
        expected_per_day=money(expected_per_day(part.contribution, horizon_days=setting.horizon_days)),
        p5_days=runway.p5_days - without.p5_days,
        p50_days=runway.p50_days - without.p50_days,
        mean_days=round(base.mean_days - left.mean_days, 1),
        doubt_p5_days=runway.p5_days - expected.p5_days,
        doubt_p50_days=runway.p50_days - expected.p50_days,
        doubt_width_days=(runway.p95_days - runway.p5_days) - (expected.p95_days - expected.p5_days),
        without=without,
        is_least=is_least(runway, without),
        beyond_horizon=without.beyond_horizon[0] or without.beyond_horizon[1],
    )
