"""A fitted company on one basis with its shocks, ready to be asked "what if": answers differ by inputs alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting.drivers.assembly import Part, assemble, contributions
from forecasting.drivers.contribution import Basis, Contribution, Setting
from forecasting.engine import case_of
from forecasting.fit.company import FittedCompany
from forecasting.fit.history import CompanyHistory
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.shocks import Shocks
from forecasting.kernel.simulate import simulate
from forecasting.outcome import RunwayCase


def no_pause() -> None:
    """For a caller whom nobody waits for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A runway and its mean over all futures, each counted up to the horizon.

    Quantiles stand still while a change does not carry them past the next payroll; the mean moves with every path.
    """

    runway: RunwayCase
    mean_days: float


@dataclass(frozen=True, slots=True)
class Stage:
    """Attributes:
    parts: what each driver contributed.
    pause: called before every simulation; may raise to give up in favour of something more urgent.
    """

    setting: Setting
    parts: tuple[Part, ...]
    shocks: Shocks
    pause: Callable[[], None] = no_pause

    @property
    def inputs(self) -> ForecastInputs:
        """As the forecast was simulated."""
        return assemble(self.setting, self.parts)

    def runway(self, inputs: ForecastInputs) -> RunwayCase:
        """The runway that other inputs lead to, on the same shocks."""
        return self.answer(inputs).runway

    def answer(self, inputs: ForecastInputs, *, dispersion: float | None = None) -> Answer:
        """The same with its mean.

        Args:
            dispersion: factor on the spread of the quantiles; default the company's own.
        """
        self.pause()
        outcome = simulate(
            inputs,
            self.shocks,
            with_bands=False,
            dispersion=self.setting.history.calibration.stretch if dispersion is None else dispersion,
        )
        within = np.minimum(outcome.runway_days, outcome.horizon_days)
        return Answer(runway=case_of(outcome), mean_days=float(within.mean()))

    def with_contributions(self, change: Callable[[str, Contribution], Contribution | None]) -> ForecastInputs:
        """The inputs after every driver's contribution was changed; None leaves the driver out.

        Args:
            change: from the driver's name and its contribution.
        """
        changed = []
        for part in self.parts:
            contribution = change(part.driver.name, part.contribution)
            if contribution is not None:
                changed.append(Part(driver=part.driver, contribution=contribution))
        return assemble(self.setting, tuple(changed))


def stage(
    *,
    history: CompanyHistory,
    fitted: FittedCompany,
    basis: Basis,
    shocks: Shocks,
    horizon_days: int,
    pause: Callable[[], None] = no_pause,
) -> Stage:
    """Let the drivers speak about a company."""
    setting = Setting(history=history, company=fitted, basis=basis, horizon_days=horizon_days)
    return Stage(setting=setting, parts=contributions(setting), shocks=shocks, pause=pause)
