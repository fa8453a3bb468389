"""`GET /accuracy` and `GET /runway/replay`: past forecasts against what happened, and what was known on a day."""

import re
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import BeforeValidator

from forecasting.api.accuracy_schemas import AccuracySchema, ReplaySchema
from forecasting.fit.history import MissingInputs
from forecasting.models.record import CalibrationVersion
from forecasting.selectors.track_record import PastForecast, past_forecasts, track_record
from forecasting.services.replay import LONGEST_JOURNAL_TO_WAIT_FOR, NotKnown, replay
from ledger.api.auth import TokenAuth
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.problems import FieldProblem
from ledger.selectors.companies import company_ref

router = Router(tags=["runway"], auth=TokenAuth("read"))


def _iso_day(given: object) -> object:
    """Without this, a number would pass for a day, as seconds since 1970."""
    if isinstance(given, str) and not _ISO_DAY.fullmatch(given):
        raise ValueError("must be a day as YYYY-MM-DD")
    return given


_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
IsoDay = Annotated[date, BeforeValidator(_iso_day)]
_PROBLEMS = {401: ProblemSchema, 403: ProblemSchema, 422: ProblemSchema}


@router.get(
    "/accuracy", response={200: AccuracySchema, **_PROBLEMS}, summary="Past forecasts against what happened"
)
def accuracy(
    request: HttpRequest,
    basis: Literal["free", "bank"] = "bank",
    days_ahead: Literal["30", "60", "90", "180"] = "30",
) -> dict[str, Any]:
    """The record summed up, and each past forecast of a balance `days_ahead` days on, the newest first.

    Published forecasts count for their time, a back-test in bank cash for the time before the first of them.
    """
    company = company_ref(company_id=request.auth.company_id)  # type: ignore[attr-defined]
    record = track_record(company_id=company.id, basis=basis)
    past = past_forecasts(company_id=company.id, basis=basis, days_ahead=int(days_ahead))
    return asdict(record) | {
        "company": company.slug,
        "currency": company.base_currency,
        "calibration": _calibration(record.calibration),
        "days_ahead": int(days_ahead),
        "past": [_past(one) for one in past],
    }


@router.get(
    "/runway/replay",
    response={200: ReplaySchema, **_PROBLEMS, 409: ProblemSchema},
    summary="A past day's forecast, from what was known then",
)
def runway_replay(request: HttpRequest, on: IsoDay, basis: Literal["free", "bank"] = "free") -> dict[str, Any]:
    """Made again from the journal, statements, plan and categories as they stood at the end of the day `on`.

    `equals_published` says whether it is, bit for bit, the forecast that was in force then; `differs` says why
    not. 409 names what was missing when there could be no forecast.
    """
    company = company_ref(company_id=request.auth.company_id)  # type: ignore[attr-defined]
    try:
        made = replay(
            company=company,
            day=on,
            basis=basis,
            now=timezone.now(),
            longest_journal=LONGEST_JOURNAL_TO_WAIT_FOR,
        )
    except NotKnown as error:
        raise Problem(422, "This day cannot be replayed.", errors=[FieldProblem("on", str(error))]) from error
    except MissingInputs as missing:
        raise Problem(
            409,
            "There was no forecast on that day, because something was missing.",
            errors=[FieldProblem("", reason) for reason in missing.reasons],
        ) from missing
    return {
        "on": made.day,
        "known_at": made.known_at,
        "position": made.position,
        "plan_version": made.plan_version,
        "published_run": made.published.pk if made.published else None,
        "equals_published": None if made.differs is None else not made.differs,
        "differs": made.differs,
        "forecast": made.forecast.to_json(),
    }


def _calibration(version: CalibrationVersion | None) -> dict[str, Any] | None:
    names = ("state", "dispersion", "windows", "stretch", "coverage_before", "coverage", "below_p5", "outcomes")
    if version is None:
        return None
    return {name: getattr(version, name) for name in names} | {"made_at": version.made_at}


def _past(one: PastForecast) -> dict[str, Any]:
    money = {name: str(getattr(one, name)) for name in ("p5", "p50", "p95", "actual", "new_money", "linear")}
    return {
        "as_of": one.as_of,
        "day": one.day,
        **money,
        "inside": one.is_inside,
        "run_id": one.run_id,
    }
