"""How long a what-if takes: base and four cases from one fit, and one case more when a slider moves.

And the first ones of a web process, over HTTP.

python -m bench what_ifs
"""

import time
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from bench.invented_companies import STYLES, invent
from bench.what_if_answers import GOALS as GOALS_OF_FIRST
from bench.what_if_answers import first_answers
from forecasting.drivers.contribution import Setting
from forecasting.fit.company import fit_company
from forecasting.kernel.shocks import shocks_for
from forecasting.scenarios.change import Change
from forecasting.scenarios.comparison import case
from forecasting.scenarios.cost_cut import CostCut
from forecasting.scenarios.hire import Hire
from forecasting.scenarios.new_money import NewMoney

GOALS = {"five_cases_ms_worst": "<= 200", "one_case_ms_worst": "<= 50", **GOALS_OF_FIRST}
HORIZON_DAYS = 365
PATHS = 10_000
REPEATS = 5


def run() -> dict[str, Any]:
    """Median over styles of a company's median, and the slowest style. The fit counts for the five cases."""
    timed = {style: _timed(style) for style in STYLES}
    five, one = ([pair[n] for pair in timed.values()] for n in (0, 1))
    return {
        "five_cases_ms_median": round(median(five), 1),
        "five_cases_ms_worst": round(max(five), 1),
        "one_case_ms_median": round(median(one), 1),
        "one_case_ms_worst": round(max(one), 1),
        **first_answers(),
    }


def _timed(style: str) -> tuple[float, float]:
    """Milliseconds of fit and five cases, and of one case."""
    history = invent(style=style, seed=1, futures=1).history
    shocks = shocks_for(seed=42, paths=PATHS, horizon_days=HORIZON_DAYS)
    soon, later = (history.as_of + timedelta(days=days) for days in (40, 80))
    cases: tuple[tuple[Change, ...], ...] = (
        (),
        (CostCut(soon, 0.1),),
        (Hire(soon, Decimal(9000)), CostCut(later, 0.2)),
        (NewMoney(soon, Decimal(300000)),),
        (CostCut(soon, 0.1), Hire(later, Decimal(9000), people=2), NewMoney(later, Decimal(100000))),
    )
    whole, single = [], []
    for n in range(REPEATS + 1):
        started = time.perf_counter()
        setting = Setting(history=history, company=fit_company(history), basis="free", horizon_days=HORIZON_DAYS)
        for changes in cases:
            case(setting, changes, shocks=shocks)
        done = time.perf_counter()
        case(setting, cases[2], shocks=shocks)
        if n:  # the first draws the shocks
            whole.append((done - started) * 1000.0)
            single.append((time.perf_counter() - done) * 1000.0)
    return median(whole), median(single)
