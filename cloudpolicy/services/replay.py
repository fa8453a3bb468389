"""A policy before it is enabled: run over the past year's forecasts, and over simulated futures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cloudpolicy.engine.group import Group
from cloudpolicy.engine.mean_price import MeanPrice, mean_price
from cloudpolicy.engine.path_p5 import p5_along_paths
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.replay import YEAR, Replayed, Said, replay
from cloudpolicy.filters.registry import all_filters
from cloudpolicy.selectors.memory import read_history
from cloudpolicy.services.inventory import read_company_groups
from cloudpolicy.services.pricing import book_of
from forecasting.engine import HORIZON_DAYS, PATHS, SEED
from forecasting.fit.history import MissingInputs
from forecasting.kernel.path_balances import PathBalances, path_balances
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.soundness import NonFinitePaths, UnsoundInputs
from forecasting.scenarios.compose import changed_inputs
from forecasting.selectors.forecasts import latest_forecast
from forecasting.selectors.said_runways import SaidRunway, runways_said
from forecasting.services.what_if import known_now
from ledger.domain.company import CompanyRef

PAST = timedelta(days=365)
FUTURES = 100
# A policy that looks so far ahead leaves too few days of the horizon to replay.
LEAST_DAYS = 30
CENT = Decimal("0.01")
MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Worth:
    """What a replay saved.

    Attributes:
        money: in base currency; None without a price of an instance-hour.
        days_gained: of runway; None without a price, or where nothing is burnt.
    """

    instance_hours: float
    money: Decimal | None
    days_gained: float | None


@dataclass(frozen=True, slots=True)
class PastReplay:
    """The past year. `looked_back` of the forecasts are a back-test's, from before the first published one."""

    replayed: Replayed
    forecasts: int
    looked_back: int
    worth: Worth


@dataclass(frozen=True, slots=True)
class FutureReplay:
    """Simulated futures: means over all of them, for the days that are told.

    Attributes:
        days: how many days of each future, or fewer where cash runs out before.
        days_in_band: by band.
        worst_flaps: of the future that flaps most.
        worst_minutes_below_floor: of the future in which a floor is left longest.
        p5_days_gained: what the fifth of a hundred futures gains; None as in Worth.
    """

    futures: int
    days: int
    flaps_per_year: float
    worst_flaps: int
    moves_per_year: float
    days_in_band: dict[str, float]
    worst_minutes_below_floor: float
    worth: Worth
    p5_days_gained: float | None


@dataclass(frozen=True, slots=True)
class PolicyReplay:
    """Both replays; where one is impossible, why.

    Attributes:
        price: of an instance-hour in base currency; None where nobody knows one, and `price_said` says why.
        price_said: where it is from.
    """

    policy: str
    groups: int
    currency: str
    price: Decimal | None
    past: PastReplay | None
    past_refusal: str
    future: FutureReplay | None
    future_refusal: str
    price_said: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "groups": self.groups,
            "currency": self.currency,
            "price_per_instance_hour": None if self.price is None else str(self.price),
            "price_said": self.price_said,
            "past": None if self.past is None else _past_json(self.past),
            "past_refusal": self.past_refusal or None,
            "future": None if self.future is None else _future_json(self.future),
            "future_refusal": self.future_refusal or None,
        }


def replay_policy(*, company: CompanyRef, policy: Policy, price: Decimal | None, now: datetime) -> PolicyReplay:
    """Run a policy over what was said in the past year, and over what may come.

    The groups are those that the cloud has now, in the sizes that they had before a policy made them smaller:
    what is saved is told against a company without a policy.

    Args:
        price: of an instance-hour in the company's base currency; None takes it from bills and entered prices, as
            plans do: the mean over the instances that the policy's groups run now.

    Raises:
        CloudUnavailable: the groups cannot be read.
    """
    groups = read_company_groups(company=company.slug, policy=policy)
    mine = [group for group in groups if group.opted_in and group.environment in policy.environments]
    said = MeanPrice(price, "as given")
    if price is None:
        said = mean_price(groups=mine, book=book_of(company=company, groups=mine, now=now))
    price = None if said.per_hour is None else said.per_hour.quantize(MICRO)
    groups = _without_a_policy(company, groups, now)
    past, past_refusal = _past(company, policy, groups, price, now)
    future, future_refusal = _future(company, policy, groups, price, now)
    return PolicyReplay(
        policy.name,
        len(mine),
        company.base_currency,
        price,
        past,
        past_refusal,
        future,
        future_refusal,
        price_said=said.said,
    )


def _without_a_policy(company: CompanyRef, groups: Sequence[Group], now: datetime) -> tuple[Group, ...]:
    """Groups in the sizes that are kept to return to, where some are."""
    sizes = read_history(company_id=company.id, now=now).sizes
    return tuple(
        replace(group, capacity=sizes[group.key].capacity) if group.key in sizes else group for group in groups
    )


def _past_json(past: PastReplay) -> dict[str, Any]:
    replayed = past.replayed
    per_year = replayed.flaps_per_year
    return {
        "days": round(replayed.length / timedelta(days=1), 1),
        "forecasts": past.forecasts,
        "looked_back": past.looked_back,
        "flaps": replayed.flaps,
        "flaps_per_year": None if per_year is None else round(per_year, 2),
        "moves": replayed.moves,
        "resizes": replayed.resizes,
        "days_in_band": {band: round(days, 1) for band, days in replayed.days_in_band.items()},
        "minutes_below_floor": round(replayed.minutes_below_floor),
        **_worth_json(past.worth),
    }


def _future_json(future: FutureReplay) -> dict[str, Any]:
    return {
        "futures": future.futures,
        "days": future.days,
        "flaps_per_year": future.flaps_per_year,
        "worst_flaps": future.worst_flaps,
        "moves_per_year": future.moves_per_year,
        "days_in_band": future.days_in_band,
        "worst_minutes_below_floor": round(future.worst_minutes_below_floor),
        **_worth_json(future.worth),
        "p5_days_gained": future.p5_days_gained,
    }


def _worth_json(worth: Worth) -> dict[str, Any]:
    return {
        "instance_hours_saved": worth.instance_hours,
        "money_saved": None if worth.money is None else str(worth.money),
        "days_gained": worth.days_gained,
    }


def _past(
    company: CompanyRef, policy: Policy, groups: Sequence[Group], price: Decimal | None, now: datetime
) -> tuple[PastReplay | None, str]:
    recent = [each for each in runways_said(company_id=company.id, since=now - PAST) if each.at < now]
    said = _last_of_each_day(recent, timezone=company.timezone)
    if not said:
        return None, "no earlier forecast is stored yet"
    replayed = replay(
        policy=policy,
        groups=groups,
        # The runs of a back-test have no number; each is a forecast of its own.
        said=[Said(each.at, each.run_id or -place - 1, each.p5_days) for place, each in enumerate(said)],
        until=now,
        timezone=company.timezone,
        filters=all_filters(),
    )
    looked_back = sum(each.run_id is None for each in said)
    money = _money(replayed.instance_hours_saved, price)
    burn = _burn_per_day(company)
    gained = None if money is None or burn is None else round(float(money) / burn, 1)
    worth = Worth(round(replayed.instance_hours_saved, 1), money, gained)
    return PastReplay(replayed, len(said), looked_back, worth), ""


def _last_of_each_day(said: Sequence[SaidRunway], *, timezone: str) -> list[SaidRunway]:
    """Of past days only the last run is kept, so of the last days it alone is replayed as well."""
    zone = ZoneInfo(timezone)
    days: dict[date, SaidRunway] = {each.at.astimezone(zone).date(): each for each in said}
    return list(days.values())


def _burn_per_day(company: CompanyRef) -> float | None:
    """Mean burn of the forecast in force; None while nothing is burnt."""
    stored = latest_forecast(company_id=company.id)
    burn = float(stored.forecast.get("burn", {}).get("mean_per_day", 0)) if stored else 0.0
    return burn if burn > 0 else None


def _future(
    company: CompanyRef, policy: Policy, groups: Sequence[Group], price: Decimal | None, now: datetime
) -> tuple[FutureReplay | None, str]:
    days = HORIZON_DAYS - max((row.until_days for row in policy.rows), default=0) - 1
    if days < LEAST_DAYS:
        return (
            None,
            f"the policy looks too far ahead for the {HORIZON_DAYS} days that are simulated",
        )
    try:
        known = known_now(company=company, basis="free", now=now)
        shocks = shocks_for(seed=SEED, paths=PATHS, horizon_days=HORIZON_DAYS)
        paths = path_balances(changed_inputs(known.setting, ()), shocks)
    except MissingInputs as missing:
        return None, "; ".join(missing.reasons)
    except (UnsoundInputs, NonFinitePaths) as error:
        return None, f"the company cannot be simulated: {error}"
    chosen = np.linspace(0, len(paths.runway_days) - 1, FUTURES).astype(np.intp)
    told = p5_along_paths(balances=paths.balances, runway_days=paths.runway_days, chosen=chosen, days=days)
    stored = latest_forecast(company_id=company.id)
    told = _as_published(told, published=stored.forecast.get("p5_days") if stored else None)
    replays = [
        _one_future(company, policy, groups, told[:, place], start=known.gathered.history.as_of)
        for place in range(FUTURES)
    ]
    return _summed_up(replays, paths, chosen, days=days, price=price), ""


def _as_published(told: NDArray[np.float64], *, published: object) -> NDArray[np.float64]:
    """Stretched so that the first day says what the published forecast says: that one is calibrated."""
    first = float(np.median(told[0]))
    if not isinstance(published, int) or published <= 0 or first <= 0 or max(first, published) >= HORIZON_DAYS - 1:
        return told
    return told * (published / first)


def _one_future(
    company: CompanyRef, policy: Policy, groups: Sequence[Group], p5_days: NDArray[np.float64], *, start: date
) -> Replayed:
    """A forecast at noon UTC of every day until cash runs out."""
    noon = datetime.combine(start, time(12), UTC)
    out = np.flatnonzero(p5_days <= 0)
    # Once cash has run out nobody forecasts any more; the first day is always told.
    told = p5_days[: max(1, int(out[0]))] if out.size else p5_days
    said = [Said(noon + timedelta(days=day + 1), day + 1, p5) for day, p5 in enumerate(told.tolist())]
    return replay(
        policy=policy,
        groups=groups,
        said=said,
        until=said[-1].at + timedelta(days=1),
        timezone=company.timezone,
        filters=all_filters(),
    )


def _summed_up(
    replays: Sequence[Replayed], paths: PathBalances, chosen: NDArray[np.intp], *, days: int, price: Decimal | None
) -> FutureReplay:
    years = sum((each.length for each in replays), timedelta(0)) / YEAR
    bands: dict[str, float] = {}
    for each in replays:
        for band, length in each.days_in_band.items():
            bands[band] = bands.get(band, 0.0) + length / len(replays)
    hours = float(np.mean([each.instance_hours_saved for each in replays]))
    gained = None if price is None else _days_gained(replays, paths, chosen, price=float(price))
    worth = Worth(
        round(hours, 1), _money(hours, price), None if gained is None else round(float(gained[0].mean()), 1)
    )
    return FutureReplay(
        futures=len(replays),
        days=days,
        flaps_per_year=round(sum(each.flaps for each in replays) / years, 2),
        worst_flaps=max(each.flaps for each in replays),
        moves_per_year=round(sum(each.moves for each in replays) / years, 2),
        days_in_band={band: round(length, 1) for band, length in bands.items()},
        worst_minutes_below_floor=max(each.minutes_below_floor for each in replays),
        worth=worth,
        p5_days_gained=None if gained is None else gained[1],
    )


def _days_gained(
    replays: Sequence[Replayed], paths: PathBalances, chosen: NDArray[np.intp], *, price: float
) -> tuple[NDArray[np.float64], float]:
    """Days that each future lasts longer, and what the fifth of a hundred gains; none beyond the horizon.

    After the days that are replayed the last sizes stay.
    """
    horizon = paths.balances.shape[0]
    before = np.minimum(paths.runway_days[chosen], horizon).astype(float)
    after = np.empty_like(before)
    for place, (each, path) in enumerate(zip(replays, chosen.tolist(), strict=True)):
        saved = np.cumsum(_saved_by_day(each, horizon)) * price
        out = np.flatnonzero(paths.balances[:, path] + saved <= 0)
        after[place] = out[0] + 1 if out.size else horizon
    rank = max(0, len(before) * 5 // 100 - 1)
    return after - before, float(np.sort(after)[rank] - np.sort(before)[rank])


def _saved_by_day(each: Replayed, horizon: int) -> NDArray[np.float64]:
    """Instance-hours saved on each day, float64 [horizon]."""
    saved = np.zeros(horizon)
    begun = each.stretches[0].start
    for stretch in each.stretches:
        day = (stretch.start - begun).days
        if day < horizon:
            hours = (stretch.stop - stretch.start) / timedelta(hours=1)
            saved[day] += (stretch.left_alone - stretch.instances) * hours
    last = each.stretches[-1]
    replayed = (last.stop - begun).days
    saved[replayed:] = (last.left_alone - last.instances) * 24
    return saved


def _money(hours: float, price: Decimal | None) -> Decimal | None:
    return None if price is None else (Decimal(repr(round(hours, 3))) * price).quantize(CENT)
