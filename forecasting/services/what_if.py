"""What-ifs on today's ledger: the base is what is known now, and every case is simulated on the same shocks.

Fits and cases are kept per process and by content, so moving one slider costs one simulation and never a fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from forecasting.drivers.contribution import Basis, Setting
from forecasting.engine import ENGINE_VERSION, HORIZON_DAYS, PATHS, SEED
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.kept import Kept
from forecasting.kernel.shocks import Shocks, shocks_for
from forecasting.scenarios.change import Change
from forecasting.scenarios.comparison import Case, DaysGained, case, days_gained
from forecasting.scenarios.scenario import in_order
from forecasting.services.history import GatheredHistory, gather_history
from ledger.domain.company import CompanyRef
from ledger.services.transient import try_again

MOST_CASES = 4
FITS_KEPT, CASES_KEPT = 8, 128


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A case and what it gains on the base."""

    changes: tuple[Change, ...]
    case: Case
    gained: DaysGained


@dataclass(frozen=True, slots=True, eq=False)
class WhatIf:
    """The base and the cases, in the order asked.

    Attributes:
        position, plan_version: what has been read; 0 for no plan.
    """

    company: CompanyRef
    basis: Basis
    as_of: date
    position: int
    plan_version: int
    horizon_days: int
    base: Case
    cases: tuple[Compared, ...]


_fits: Kept[FittedCompany] = Kept(FITS_KEPT)
_cases: Kept[Case] = Kept(CASES_KEPT)


@dataclass(frozen=True, slots=True, eq=False)
class KnownNow:
    """A company as it is known now, fitted, on one basis."""

    company: CompanyRef
    gathered: GatheredHistory
    setting: Setting
    shocks: Shocks

    def case(self, changes: Sequence[Change]) -> Case:
        """One case, simulated or remembered."""
        ordered = in_order(changes)
        key = (self.gathered.digest, self.setting.basis, ENGINE_VERSION, ordered)
        return _cases.get(key, lambda: case(self.setting, changes, shocks=self.shocks))


def known_now(*, company: CompanyRef, basis: Basis, now: datetime) -> KnownNow:
    """Read and fit the company, or recall the fit.

    Raises:
        MissingInputs: there is no honest forecast yet.
    """
    # Who sums the same company at this moment makes the reading fail; nobody should be told of that.
    gathered = try_again(lambda: gather_history(company=company, now=now))
    fitted = _fits.get((company.id, gathered.digest), lambda: fit_company(gathered.history))
    setting = Setting(history=gathered.history, company=fitted, basis=basis, horizon_days=HORIZON_DAYS)
    shocks = shocks_for(seed=SEED, paths=PATHS, horizon_days=HORIZON_DAYS)
    return KnownNow(company=company, gathered=gathered, setting=setting, shocks=shocks)


def what_if(*, company: CompanyRef, basis: Basis, cases: Sequence[Sequence[Change]], now: datetime) -> WhatIf:
    """Compare up to `MOST_CASES` lists of changes with the forecast that journal and plan imply now.

    Raises:
        InvalidScenario: a change does not fit the company; `changes[…]` counts within its case.
        MissingInputs: there is no honest forecast yet.
        ValueError: too many cases.
    """
    if len(cases) > MOST_CASES:
        raise ValueError(f"cases: at most {MOST_CASES} are compared, not {len(cases)}")
    known = known_now(company=company, basis=basis, now=now)
    base = known.case(())
    compared = []
    for changes in cases:
        changed = known.case(changes)
        compared.append(Compared(tuple(changes), changed, days_gained(changed, base=base)))
    gathered = known.gathered
    return WhatIf(
        company=company,
        basis=basis,
        as_of=gathered.history.as_of,
        position=gathered.position,
        plan_version=gathered.plan.version if gathered.plan else 0,
        horizon_days=known.setting.horizon_days,
        base=base,
        cases=tuple(compared),
    )
