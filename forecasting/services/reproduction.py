"""Proving that a stored run is what its inputs imply: everything is read and computed again, and compared."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from forecasting import engine
from forecasting.closing_balances import bank_balances, free_balances
from forecasting.engine import ENGINE_VERSION
from forecasting.fit.history import CompanyHistory, MissingInputs
from forecasting.machine import MACHINE
from forecasting.models.run import Basis, ForecastRun
from forecasting.outcome import Forecast
from forecasting.services.history import GatheredHistory, without_liabilities
from forecasting.services.replay import MICROSECOND, differing_parts, first_difference, history_as_known
from ledger.selectors.companies import company_ref
from ledger.selectors.journal import journal_position

# A job notes the time when it begins and commits later, so what a run knew may be a little more or less than what
# carries an earlier time. The digest says which of the instants around it was meant.
_BEFORE = timedelta(hours=1)
_AFTER = timedelta(minutes=1)
MOST_INSTANTS = 12
# What every run has said from the first on; what a later version says besides may be missing of an earlier run.
CLAIMED = (
    "balance",
    "p5_days",
    "p50_days",
    "p95_days",
    "p5_date",
    "p50_date",
    "p95_date",
    "beyond_horizon",
    "determined",
    "quantile_days",
    "probability_of_zero_by",
    "bands",
    "burn",
    "drivers",
    "input_digest",
)
_NEWS = """
    SELECT at FROM (
        SELECT recorded_at AS at FROM ledger_balancestatement WHERE company_id = %(company)s
        UNION SELECT recorded_at FROM ledger_creditgrantstatement WHERE company_id = %(company)s
        UNION SELECT assigned_at FROM ledger_categoryassignment WHERE company_id = %(company)s
        UNION SELECT matched_at FROM ledger_transfermatch WHERE company_id = %(company)s
        UNION SELECT ended_at FROM ledger_transfermatch WHERE company_id = %(company)s AND ended_at IS NOT NULL
        UNION SELECT imported_at FROM ledger_cloudbill WHERE company_id = %(company)s
        UNION SELECT recorded_at FROM ledger_serviceperiod WHERE company_id = %(company)s
        UNION SELECT recorded_at FROM ledger_creditnote WHERE company_id = %(company)s
        UNION SELECT recorded_at FROM ledger_settledinvoice WHERE company_id = %(company)s
        UNION SELECT recorded_at FROM ledger_loweredbalance WHERE company_id = %(company)s
    ) news
    WHERE at BETWEEN %(from)s AND %(to)s
    ORDER BY abs(extract(epoch FROM at - %(computed_at)s)) LIMIT %(most)s
"""


class RunNotFound(LookupError):
    """There is no stored run of this number."""


class CannotReproduce(ValueError):
    """The run is of another engine or another NumPy: a difference would prove nothing."""


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What computing a run again came to.

    Attributes:
        known_at: the instant whose knowledge was read.
        same_inputs: what the engine was given has the digest that the run stores.
        difference: the first difference in words; '' when inputs and every figure are equal, bit for bit.
        compared: how many quantiles were compared: those of the runway, and of every day's balance.
    """

    run_id: int
    company: str
    basis: str
    as_of: str
    known_at: datetime
    same_inputs: bool
    difference: str
    compared: int

    @property
    def is_equal(self) -> bool:
        return not self.difference


def reproduce(*, run_id: int) -> Reproduction:
    """Read again what a run read, compute it again, and compare every figure.

    Raises:
        RunNotFound: there is no such run; runs superseded within a day are not kept.
        CannotReproduce: engine or NumPy are not those of the run; the message names both.
    """
    run = ForecastRun.objects.select_related("plan").filter(id=run_id).first()
    if run is None:
        raise RunNotFound(f"there is no forecast run {run_id}: of each day the last one is kept")
    _refuse_other_engines(run)
    company = company_ref(company_id=run.company_id)
    known_at, gathered, problem = _read_again(run)
    if gathered is None:
        return _answer(run, company.slug, known_at, same_inputs=False, difference=problem)
    same = gathered.digest == run.history_digest
    if not same:
        parts = differing_parts(run.history_parts, gathered.parts)
        named = ", ".join(parts) or "what the engine was given"
        return _answer(run, company.slug, known_at, same_inputs=False, difference=f"inputs: {named} differ")
    made = engine.forecast(
        gathered.history,
        basis="bank" if run.basis == Basis.BANK else "free",
        horizon_days=run.horizon_days,
        paths=run.paths,
        seed=run.seed,
    )
    return _answer(
        run, company.slug, known_at, same_inputs=True, difference=_difference(run, made, gathered.history)
    )


def _difference(run: ForecastRun, made: Forecast, history: CompanyHistory) -> str:
    """The first difference between what is stored of a run, copies and chart included, and what was computed."""
    told = made.to_json()
    absent = [name for name in CLAIMED if name not in run.result]
    if absent:
        return f"{absent[0]}: nothing was stored, {told[absent[0]]!r:.60} was computed"
    # Quantiles first: they are the claim, the rest follows from them.
    found = first_difference(run.result["quantile_days"], told["quantile_days"], path="quantile_days")
    found = found or first_difference(run.result, told)
    # Lists, metrics, comparisons and replayed policies read these and never `result`.
    copies = {name: getattr(run, name) for name in ("p5_days", "p50_days", "p95_days", "input_digest")}
    copies |= {"as_of": run.as_of.isoformat(), "plan_digest": run.plan_digest}
    digest = run.plan.digest if run.plan else ""
    found = found or first_difference(copies, told | {"plan_digest": digest}, path="column")
    # Whatever the company's time zone was then, its day was at most one off from the day of UTC.
    if not found and abs(run.published_day - run.computed_at.date()) > timedelta(days=1):
        found = f"column.published_day: {run.published_day} was stored, computed on {run.computed_at:%F}"
    balances = bank_balances(history)
    if run.basis != Basis.BANK:
        balances = free_balances(history, bank=balances, opening=made.balance)
    return found or first_difference(run.closing_balances, balances.to_json(), path="closing_balances")


def _refuse_other_engines(run: ForecastRun) -> None:
    for name, stored, here in (
        ("engine", run.engine_version, ENGINE_VERSION),
        ("NumPy", run.numpy_version, MACHINE.numpy_version),
    ):
        if stored != here:
            raise CannotReproduce(
                f"run {run.pk} was computed by {name} {stored}, this is {name} {here}: equal inputs may give other"
                f" figures, so nothing is compared"
            )


def _read_again(run: ForecastRun) -> tuple[datetime, GatheredHistory | None, str]:
    """The history of the run, read at the instant whose digest is the run's; the nearest one when none has it."""
    company = company_ref(company_id=run.company_id)
    if journal_position(company_id=company.id) < run.position:
        return run.computed_at, None, f"inputs: the journal ends before position {run.position}"
    version = run.plan.version if run.plan else 0
    nearest: tuple[datetime, GatheredHistory | None, str] | None = None
    for known_at in (run.computed_at, *_other_instants(run)):
        try:
            gathered = history_as_known(
                company=company, position=run.position, known_at=known_at, plan_version=version
            )
        except MissingInputs as missing:
            nearest = nearest or (known_at, None, f"inputs: {missing}")
            continue
        if gathered.digest != run.history_digest and "liabilities" not in run.history_parts:
            # The run is of before liabilities were read, or there were none to read.
            gathered = without_liabilities(gathered)
        if gathered.digest == run.history_digest:
            return known_at, gathered, ""
        if nearest is None or nearest[1] is None:
            nearest = (known_at, gathered, "")
    assert nearest is not None
    return nearest


def _other_instants(run: ForecastRun) -> list[datetime]:
    """Instants just before and at each piece of news around the run, the nearest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWS,
            {
                "company": run.company_id,
                "computed_at": run.computed_at,
                "from": run.computed_at - _BEFORE,
                "to": run.computed_at + _AFTER,
                "most": MOST_INSTANTS,
            },
        )
        return [row[0] - MICROSECOND if row[0] <= run.computed_at else row[0] for row in cursor.fetchall()]


def _answer(
    run: ForecastRun, company: str, known_at: datetime, *, same_inputs: bool, difference: str
) -> Reproduction:
    bands = run.result.get("bands", {})
    return Reproduction(
        run_id=run.pk,
        company=company,
        basis=run.basis,
        as_of=run.as_of.isoformat(),
        known_at=known_at,
        same_inputs=same_inputs,
        difference=difference,
        compared=len(run.result.get("quantile_days", ()))
        + sum(len(bands[name]) for name in bands if name != "days"),
    )
