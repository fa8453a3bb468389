"""How long it takes to price a plan of 20 calls in days of p5, and to find the cheapest steps among 20 groups.

python -m bench savings
"""

import random
import time
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from bench.invented_companies import STYLES, invent
from cloudpolicy.engine.cheapest import Option, Shrinkable, cheapest_choice
from forecasting.drivers.contribution import Setting
from forecasting.fit.company import fit_company
from forecasting.kernel.shocks import Shocks, shocks_for
from forecasting.scenarios.change import DAYS_PER_MONTH
from forecasting.scenarios.cloud_step import CloudStep
from forecasting.scenarios.comparison import case

GOALS = {"plan_of_20_calls_ms": "<= 3000", "cheapest_among_20_groups_ms": "<= 1000"}
CALLS, REPEATS = 20, 3
HORIZON_DAYS, PATHS = 365, 10_000


def run() -> dict[str, Any]:
    """Milliseconds, medians. A plan costs the base, every saving alone, and every sum: 41 simulations."""
    setting = _company_with_a_cloud()
    shocks = shocks_for(seed=42, paths=PATHS, horizon_days=HORIZON_DAYS)
    case(setting, (), shocks=shocks)
    groups = _groups()
    needed = Decimal(0.6 * float(sum(group.options[-1].monthly_saving for group in groups))).quantize(Decimal(1))
    choice = cheapest_choice(groups=groups, wanted=needed)
    assert choice is not None
    return {
        "plan_of_20_calls_ms": _timed(lambda: _priced(setting, shocks)),
        "simulations": 2 * CALLS + 1,
        "cheapest_among_20_groups_ms": _timed(lambda: cheapest_choice(groups=groups, wanted=needed)),
        "cheapest_is_exact": choice.is_exact,
    }


def _company_with_a_cloud() -> Setting:
    for style in STYLES:
        history = invent(style=style, seed=1, futures=1).history
        company = fit_company(history)
        if company.clouds:
            return Setting(history=history, company=company, basis="free", horizon_days=HORIZON_DAYS)
    raise RuntimeError("no invented company has a cloud")


def _priced(setting: Setting, shocks: Shocks) -> None:
    cloud = max(setting.company.clouds, key=lambda each: each.usage_per_day)
    month = cloud.usage_per_day * DAYS_PER_MONTH
    savings = [month * 0.9 * (place + 1) / (CALLS * (CALLS + 1) / 2) for place in range(CALLS)]
    sums = [sum(savings[: place + 1]) for place in range(CALLS)]
    start = setting.history.as_of + timedelta(days=1)
    for saving in (0.0, *savings, *sums):
        step = CloudStep(start, Decimal(str(round(saving, 2))), cloud.provider)
        case(setting, (step,) if saving else (), shocks=shocks)


def _groups() -> list[Shrinkable]:
    chance = random.Random(7)
    prices = [Decimal(chance.randint(20, 2000)) for _ in range(20)]
    return [
        Shrinkable(f"g{place}", place % 3 == 0, tuple(Option(n, n * price) for n in range(1, 11)))
        for place, price in enumerate(prices)
    ]


def _timed(work: Any) -> float:
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000.0)
    return round(median(taken), 1)
