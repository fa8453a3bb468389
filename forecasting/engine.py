"""The forecast of a company: fit its history, let the drivers speak, simulate, say what came out.

Pure: the same history, question and engine version give the same figures, bit for bit on one machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

import numpy as np

from forecasting.coming_dates import ComingDates, marks_of
from forecasting.drivers.assembly import Part, assemble, contributions, expected_per_day
from forecasting.drivers.contribution import Basis, Setting
from forecasting.drivers.tranches import named_tranches, tranche_label
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.fit.plan import PlannedTranche
from forecasting.input_digest import digest
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.outcome import Bands as KernelBands
from forecasting.kernel.outcome import Outcome
from forecasting.kernel.shocks import Shocks, shocks_for
from forecasting.kernel.simulate import BegunSimulation, begin_simulation
from forecasting.kernel.soundness import NonFinitePaths, UnsoundInputs
from forecasting.kernel.tranche_cases import tranche_cases
from forecasting.outcome import (
    PROBABILITY_DECIMALS,
    Bands,
    Burn,
    ChartMark,
    Forecast,
    ForecastDriver,
    LastsPast,
    LowestPoint,
    RunwayCase,
    TrancheOutlook,
    UpcomingEvent,
    money,
)

# Changes whenever the same inputs would give other figures; stored with every run.
ENGINE_VERSION = "12"

HORIZON_DAYS = 365
PATHS = 10_000
SEED = 42
PROBABILITY_DAYS = (30, 60, 90, 180, 365)
TRANCHE_OUTLOOKS_LIMIT = 4


@dataclass(frozen=True, slots=True, eq=False)
class BegunForecast:
    """A forecast that is being simulated on other threads and not yet summed up."""

    setting: Setting
    parts: tuple[Part, ...]
    inputs: ForecastInputs
    shocks: Shocks
    simulation: BegunSimulation

    def finished(self, dates: ComingDates | None = None) -> Forecast:
        """The figures, and the dates ahead.

        Args:
            dates: keeps what the other basis has in common with this one.
        """
        dates = ComingDates() if dates is None else dates
        ahead = dates.next_events(self.setting, self.parts), marks_of(self.setting, self.parts)
        input_digest = digest(
            self.inputs,
            engine_version=ENGINE_VERSION,
            seed=self.shocks.seed,
            paths=self.shocks.paths,
            dispersion=self.simulation.dispersion,
        )
        return _summarise(self, ahead=ahead, input_digest=input_digest)


def forecast(
    history: CompanyHistory,
    *,
    basis: Basis = "free",
    horizon_days: int = HORIZON_DAYS,
    paths: int = PATHS,
    seed: int = SEED,
    company: FittedCompany | None = None,
) -> Forecast:
    """The runway of a company on one basis.

    Args:
        company: the fit of this very history, where the caller has it from the other basis.

    Raises:
        MissingInputs: naming what has to be supplied first.
        ValueError: a question out of range, or an unknown basis.
    """
    return _begin(
        history, basis=basis, horizon_days=horizon_days, paths=paths, seed=seed, company=company
    ).finished()


def forecasts(
    history: CompanyHistory, *, horizon_days: int = HORIZON_DAYS, paths: int = PATHS, seed: int = SEED
) -> tuple[Forecast, Forecast]:
    """The runway on free and on bank cash, from one fit: what `forecast` says of each, sooner.

    Raises:
        MissingInputs, ValueError: as `forecast`.
    """
    company = fit_company(history)
    # Both are begun before either is summed up, so that nobody waits for the first one's paths.
    bank, free = (
        _begin(history, basis=basis, horizon_days=horizon_days, paths=paths, seed=seed, company=company)
        for basis in _BOTH
    )
    dates = ComingDates()
    in_bank = bank.finished(dates)
    return free.finished(dates), in_bank


_BOTH: tuple[Basis, Basis] = ("bank", "free")


def _begin(
    history: CompanyHistory,
    *,
    basis: Basis,
    horizon_days: int,
    paths: int,
    seed: int,
    company: FittedCompany | None,
) -> BegunForecast:
    if basis not in get_args(Basis):
        raise ValueError(f"basis: must be one of {', '.join(get_args(Basis))}, is {basis}")
    shocks = shocks_for(seed=seed, paths=paths, horizon_days=horizon_days)
    setting = Setting(
        history=history,
        company=fit_company(history) if company is None else company,
        basis=basis,
        horizon_days=horizon_days,
    )
    parts = contributions(setting)
    inputs = assemble(setting, parts)
    with _refusing():
        simulation = begin_simulation(
            inputs,
            shocks,
            turned=[name for name, _ in _told_tranches(setting)],
            dispersion=history.calibration.stretch,
        )
    return BegunForecast(setting=setting, parts=parts, inputs=inputs, shocks=shocks, simulation=simulation)


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what cannot be simulated into a refusal with its reason."""
    try:
        yield
    except (UnsoundInputs, NonFinitePaths) as error:
        reason = f"what the books and the plan state cannot be simulated: {error}"
        raise MissingInputs((reason,)) from error


def _summarise(
    begun: BegunForecast,
    *,
    ahead: tuple[tuple[UpcomingEvent, ...], tuple[ChartMark, ...]],
    input_digest: str,
) -> Forecast:
    setting, inputs, shocks = begun.setting, begun.inputs, begun.shocks
    with _refusing():
        outcome = begun.simulation.outcome()
    next_events, marks = ahead
    history, as_of = setting.history, setting.history.as_of
    case = case_of(outcome)
    p5_beyond, p50_beyond, p95_beyond = case.beyond_horizon
    assert outcome.bands is not None
    assert outcome.burn is not None
    assert outcome.lowest is not None
    return Forecast(
        company=history.company or history.plan.company,
        as_of=as_of,
        currency=history.base_currency,
        basis=setting.basis,
        balance=money(inputs.opening_balance),
        horizon_days=setting.horizon_days,
        paths=outcome.paths,
        seed=shocks.seed,
        p5_days=case.p5_days,
        p50_days=case.p50_days,
        p95_days=case.p95_days,
        p5_date=None if p5_beyond else as_of + timedelta(days=case.p5_days),
        p50_date=None if p50_beyond else as_of + timedelta(days=case.p50_days),
        p95_date=None if p95_beyond else as_of + timedelta(days=case.p95_days),
        beyond_horizon={"p5": p5_beyond, "p50": p50_beyond, "p95": p95_beyond},
        determined=outcome.determined,
        quantile_days=tuple(
            day if day <= setting.horizon_days else None for day in outcome.quantile_days.tolist()
        ),
        probability_of_zero_by={
            day: _share(outcome.probability_of_zero_by(day=day)) if day <= setting.horizon_days else None
            for day in PROBABILITY_DAYS
        },
        bands=_bands(outcome.bands),
        burn=Burn(
            mean_per_day=money(outcome.burn.mean_per_day),
            std_per_day=money(outcome.burn.std_per_day),
            window_days=outcome.burn.window_days,
        ),
        drivers=tuple(
            ForecastDriver(
                name=part.driver.name,
                label=part.driver.label,
                expected_per_day=money(expected_per_day(part.contribution, horizon_days=setting.horizon_days)),
            )
            for part in begun.parts
        ),
        engine_version=ENGINE_VERSION,
        input_digest=input_digest,
        lowest=LowestPoint(
            day=outcome.lowest.day,
            date=as_of + timedelta(days=outcome.lowest.day),
            balance=money(outcome.lowest.balance),
        ),
        lasts_past=_lasts_past(outcome, as_of),
        tranches=_tranche_outlooks(setting, inputs, shocks, outcome),
        next_events=next_events,
        marks=marks,
        calibration=history.calibration,
    )


def case_of(outcome: Outcome) -> RunwayCase:
    """The three quantiles of a simulation."""
    return RunwayCase(
        p5_days=outcome.p5.days,
        p50_days=outcome.p50.days,
        p95_days=outcome.p95.days,
        beyond_horizon=(outcome.p5.beyond_horizon, outcome.p50.beyond_horizon, outcome.p95.beyond_horizon),
    )


def _told_tranches(setting: Setting) -> tuple[tuple[str, PlannedTranche], ...]:
    return named_tranches(setting)[:TRANCHE_OUTLOOKS_LIMIT]


def _tranche_outlooks(
    setting: Setting, inputs: ForecastInputs, shocks: Shocks, outcome: Outcome
) -> tuple[TrancheOutlook, ...]:
    """Each of the next tranches decided both ways, on the same shocks."""
    outlooks = []
    for name, tranche in _told_tranches(setting):
        received, lost = tranche_cases(inputs, shocks, outcome=outcome, name=name)
        outlooks.append(
            TrancheOutlook(
                label=tranche_label(tranche),
                date=tranche.date,
                amount=tranche.amount,
                probability=tranche.probability,
                received=case_of(received),
                not_received=case_of(lost),
            )
        )
    return tuple(outlooks)


def _lasts_past(outcome: Outcome, as_of: date) -> LastsPast | None:
    """For the last year's end within the horizon."""
    year_end = date((as_of + timedelta(days=outcome.horizon_days + 1)).year - 1, 12, 31)
    ahead = (year_end - as_of).days
    if ahead < 1:
        return None
    return LastsPast(date=year_end, probability=_share(1.0 - outcome.probability_of_zero_by(day=ahead)))


def _bands(bands: KernelBands) -> Bands:
    def rounded(line: np.ndarray) -> tuple[float, ...]:
        # What is below a cent is the noise of float32, and four times the JSON.
        return tuple(np.round(line, 2).tolist())

    return Bands(
        days=tuple(bands.days.tolist()),
        p5=rounded(bands.p5),
        p25=rounded(bands.p25),
        p50=rounded(bands.p50),
        p75=rounded(bands.p75),
        p95=rounded(bands.p95),
    )


def _share(probability: float) -> float:
    return round(float(probability), PROBABILITY_DECIMALS)
