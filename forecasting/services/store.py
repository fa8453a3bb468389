"""Storing both runs of a publication: the rows, the cursor onto them and the end of the lease, all or nothing."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import IntegrityError, connection, transaction

from forecasting.models.cursor import ForecastCursor
from forecasting.models.run import ForecastRun
from forecasting.services.lease import LeaseLost

# The order of the columns in `_STORE`; the number of a run is drawn by the database.
_FIELDS = [field for field in ForecastRun._meta.concrete_fields if not field.primary_key]
_ROW = ", ".join(f"%s::{re.sub(r'[(]\d+[)]', '', field.db_type(connection) or '')}" for field in _FIELDS)
# One round trip and one wait for the disk. Nothing is returned when the lease is lost, or when a run of the same
# inputs is there already. What neither an event nor a plan has caused (a rate, a calibration) does not count for
# the pace, so that the next event does not wait for it.
_STORE = f"""
    WITH held AS (
        SELECT company_id FROM forecasting_forecastcursor WHERE company_id = %s AND lease_owner = %s FOR UPDATE
    ), made AS (
        INSERT INTO forecasting_forecastrun ({", ".join(f'"{field.column}"' for field in _FIELDS)})
        SELECT v.* FROM held CROSS JOIN (VALUES ({_ROW}), ({_ROW})) AS v
        ON CONFLICT DO NOTHING RETURNING id, basis
    )
    UPDATE forecasting_forecastcursor c
    SET position = %s, plan_version = %s, checked_at = %s, free_run_id = free.id, bank_run_id = bank.id,
        lease_owner = '', lease_until = NULL, refusal = '',
        claimed_at = CASE WHEN (c.position, c.plan_version) <> (%s, %s) THEN c.claimed_at END
    FROM held, made free, made bank
    WHERE c.company_id = held.company_id AND free.basis = 'free' AND bank.basis = 'bank'
    RETURNING c.free_run_id, c.bank_run_id
"""  # noqa: S608 - made of the model's own names


@dataclass(frozen=True, slots=True)
class RunTexts:
    """The two large columns of a run as JSON: written down once, for the database and for the cache."""

    result: str
    closing_balances: str

    @classmethod
    def of(cls, run: ForecastRun) -> "RunTexts":
        return cls(*(msgspec.json.encode(value).decode() for value in (run.result, run.closing_balances)))

    @property
    def cached(self) -> str:
        """As `forecasting.selectors.forecasts.cached_content` would be written."""
        return f'{{"forecast":{self.result},"closing_balances":{self.closing_balances}}}'


@dataclass(frozen=True, slots=True)
class RunsInForce:
    """Numbers of the runs on free and on bank cash."""

    free: int
    bank: int


def store_runs(
    *,
    free: ForecastRun,
    bank: ForecastRun,
    texts: tuple[RunTexts, RunTexts],
    owner: str,
    plan_version: int,
    now: datetime,
) -> RunsInForce:
    """Insert both runs, or where one came of the same inputs before, use that; then move the cursor.

    Args:
        texts: of `free` and `bank`.
        plan_version: that they are of, 0 for none.

    Raises:
        LeaseLost: the cursor belongs to somebody else by now; nothing is stored.
    """
    reached = (free.position, plan_version)
    rows = [_values(run, text) for run, text in zip((free, bank), texts, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            [free.company_id, owner, *rows[0], *rows[1], *reached, now, *reached],
        )
        stored = cursor.fetchone()
    if stored is not None:
        return RunsInForce(*stored)
    with transaction.atomic():
        found = RunsInForce(_found_or_saved(free), _found_or_saved(bank))
        keep_runs(
            company_id=free.company_id,
            owner=owner,
            runs=found,
            position=free.position,
            plan_version=plan_version,
            now=now,
            counts_for_pace=True,
        )
    return found


def keep_runs(
    *,
    company_id: int,
    owner: str,
    runs: RunsInForce,
    position: int,
    plan_version: int,
    now: datetime,
    counts_for_pace: bool,
) -> None:
    """Let runs that are stored be in force, checked just now, and give the lease back.

    Args:
        counts_for_pace: False where nothing had to be computed: the next event need not wait.

    Raises:
        LeaseLost: the cursor belongs to somebody else by now.
    """
    unpaced: dict[str, Any] = {} if counts_for_pace else {"claimed_at": None}
    moved = ForecastCursor.objects.filter(company_id=company_id, lease_owner=owner).update(
        position=position,
        plan_version=plan_version,
        checked_at=now,
        free_run_id=runs.free,
        bank_run_id=runs.bank,
        lease_owner="",
        lease_until=None,
        refusal="",
        **unpaced,
    )
    if not moved:
        raise LeaseLost(f"company {company_id} was taken over while it was computed")


def _values(run: ForecastRun, texts: RunTexts) -> list[Any]:
    written = {"result": texts.result, "closing_balances": texts.closing_balances}
    return [
        written[field.name]
        if field.name in written
        else field.get_db_prep_save(getattr(run, field.attname), connection)
        for field in _FIELDS
    ]


def _found_or_saved(run: ForecastRun) -> int:
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        return ForecastRun.objects.values_list("pk", flat=True).get(
            company_id=run.company_id,
            basis=run.basis,
            as_of=run.as_of,
            position=run.position,
            plan_id=run.plan_id,  # type: ignore[misc]  # null is a value of the key too
            seed=run.seed,
            horizon_days=run.horizon_days,
            paths=run.paths,
            engine_version=run.engine_version,
            history_digest=run.history_digest,
        )
    return run.pk
