"""The forecast of a company: fit its history, let the drivers speak, simulate, say what came out.

Pure: the same history, question and engine version give the same figures, bit for bit on one machine.
"""

import hashlib
import struct
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import get_args

import numpy as np

from forecasting.drivers.assembly import Part, assemble, contributions, expected_per_day
from forecasting.drivers.contribution import Basis, Setting
from forecasting.drivers.tranches import named_tranches, tranche_label
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.fit.plan import PlannedTranche
from forecasting.kernel.inputs import ForecastInputs
from forecasting.kernel.outcome import Bands as KernelBands
from forecasting.kernel.outcome import Outcome
from forecasting.kernel.shared_parts import SharedParts
from forecasting.kernel.shocks import Shocks, shocks_for
from forecasting.kernel.simulate import simulate
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
ENGINE_VERSION = "6"

HORIZON_DAYS = 365
PATHS = 10_000
SEED = 42
PROBABILITY_DAYS = (30, 60, 90, 180, 365)
LARGE_EVENT_SHARE = 0.01  # of a month's outflow: smaller bills do not deserve a line
EVENTS_LIMIT = 60
TRANCHE_OUTLOOKS_LIMIT = 4


def forecast(
    history: CompanyHistory,
    *,
    basis: Basis = "free",
    horizon_days: int = HORIZON_DAYS,
    paths: int = PATHS,
    seed: int = SEED,
    company: FittedCompany | None = None,
    shared: SharedParts | None = None,
) -> Forecast:
    """The runway of a company on one basis.

    Args:
        company: the fit of this very history, where the caller has it from the other basis.
        shared: keeps what the other basis has in common with this one; of the shocks of this seed and size.

    Raises:
        MissingInputs: naming what has to be supplied first.
        ValueError: a question out of range, or an unknown basis.
    """
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
    try:
        outcome = simulate(
            inputs,
            shocks,
            turned=[name for name, _ in _told_tranches(setting)],
            dispersion=history.calibration.dispersion,
            shared=shared,
        )
    except (UnsoundInputs, NonFinitePaths) as error:
        reason = f"what the books and the plan state cannot be simulated: {error}"
        raise MissingInputs((reason,)) from error
    return _summarise(setting, parts, inputs, shocks, outcome)


def digest(inputs: ForecastInputs, *, seed: int, paths: int, dispersion: float = 1.0) -> str:
    """SHA-256, hexadecimal, over everything that decides the figures of a run."""
    state = hashlib.sha256(f"{ENGINE_VERSION}|{seed}|{paths}|".encode())
    if dispersion != 1.0:
        state.update(f"{dispersion!r}|".encode())
    for piece in _canonical(inputs):
        state.update(piece)
    return state.hexdigest()


def _summarise(
    setting: Setting, parts: tuple[Part, ...], inputs: ForecastInputs, shocks: Shocks, outcome: Outcome
) -> Forecast:
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
            for part in parts
        ),
        engine_version=ENGINE_VERSION,
        input_digest=digest(inputs, seed=shocks.seed, paths=outcome.paths, dispersion=outcome.dispersion),
        lowest=LowestPoint(
            day=outcome.lowest.day,
            date=as_of + timedelta(days=outcome.lowest.day),
            balance=money(outcome.lowest.balance),
        ),
        lasts_past=_lasts_past(outcome, as_of),
        tranches=_tranche_outlooks(setting, inputs, shocks, outcome),
        next_events=_next_events(setting, parts),
        marks=_marks(setting, parts),
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


def _next_events(setting: Setting, parts: tuple[Part, ...]) -> tuple[UpcomingEvent, ...]:
    """The dated events of all drivers, soonest first; small ones are left out so that the list says something."""
    events = [event for part in parts for event in part.driver.next_events(setting)]
    outflow = -sum(event.amount for event in events if event.amount < 0) / setting.horizon_days * 30.4
    told = [event for event in events if not event.amount or abs(event.amount) >= LARGE_EVENT_SHARE * outflow]
    told.sort(key=lambda event: (event.day, event.amount, event.label))
    return tuple(
        UpcomingEvent(
            day=event.day,
            date=setting.history.as_of + timedelta(days=event.day),
            kind=event.kind,
            label=event.label,
            amount=money(event.amount),
            probability=_share(event.probability),
        )
        for event in told[:EVENTS_LIMIT]
    )


def _marks(setting: Setting, parts: tuple[Part, ...]) -> tuple[ChartMark, ...]:
    marks = sorted(
        (mark for part in parts for mark in part.driver.marks(setting)), key=lambda mark: (mark.day, mark.label)
    )
    return tuple(
        ChartMark(
            day=mark.day,
            date=setting.history.as_of + timedelta(days=mark.day),
            kind=mark.kind,
            label=mark.label,
            amount=money(mark.amount),
        )
        for mark in marks
    )


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


def _canonical(value: object) -> list[bytes]:
    """An unambiguous encoding of inputs: every piece carries its kind, and its length where that varies."""
    if is_dataclass(value):
        pieces = [f"{type(value).__name__}(".encode()]
        for field in fields(value):
            pieces += [field.name.encode(), b"=", *_canonical(getattr(value, field.name))]
        return [*pieces, b")"]
    if isinstance(value, tuple):
        return [f"[{len(value)}:".encode(), *(piece for item in value for piece in _canonical(item)), b"]"]
    if isinstance(value, np.ndarray):
        return [f"a{value.dtype.str}{value.shape}".encode(), np.ascontiguousarray(value).tobytes()]
    if isinstance(value, str):
        return [f"s{len(value.encode())}:".encode(), value.encode()]
    return [b"d", struct.pack("<d", float(value))]  # type: ignore[arg-type]  # ints and floats are what is left
