"""`GET /runway` and `GET /runway/bands`: the forecast in force."""

from dataclasses import asdict
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from forecasting.api.schemas import ExplanationSchema, RunwayBandsSchema, RunwaySchema
from forecasting.fit.history import MissingInputs
from forecasting.selectors.explanations import explanation_of
from forecasting.selectors.forecasts import StoredForecast, refusal
from forecasting.services.in_force import forecast_in_force
from forecasting.services.lease import LeaseBusy
from ledger.api.auth import TokenAuth
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.problems import FieldProblem

router = Router(tags=["runway"], auth=TokenAuth("read"))

_PROBLEMS = {401: ProblemSchema, 403: ProblemSchema, 409: ProblemSchema, 422: ProblemSchema, 503: ProblemSchema}


@router.get("/runway", response={200: RunwaySchema, **_PROBLEMS}, summary="How long the money lasts, and how sure")
def runway(request: HttpRequest, basis: Literal["free", "bank"] = "free") -> dict[str, Any]:
    """The forecast in force; computed at once when nothing is stored yet.

    409 names what is missing when there can be no honest forecast.
    """
    stored = _in_force(request, basis)
    return stored.forecast | {
        "run_id": stored.run_id,
        "position": stored.position,
        "events_behind": stored.events_behind,
        "plan_version": stored.plan_version,
        "plan_digest": stored.plan_digest,
        "published_at": stored.published_at,
        "confirmed_at": stored.confirmed_at,
        "refusal": refusal(company_id=stored.company_id),
        "yesterday": stored.yesterday and asdict(stored.yesterday),
        "last_week": stored.last_week and asdict(stored.last_week),
    }


@router.get("/runway/bands", response={200: RunwayBandsSchema, **_PROBLEMS}, summary="The fan chart as figures")
def runway_bands(request: HttpRequest, basis: Literal["free", "bank"] = "free") -> dict[str, Any]:
    """Actual closing balances up to the as-of date, and the bands of the days after it."""
    stored = _in_force(request, basis)
    shared = ("company", "as_of", "currency", "basis", "balance", "bands", "marks")
    return {name: stored.forecast[name] for name in shared} | {
        "run_id": stored.run_id,
        "position": stored.position,
        "history": [{"day": row.day, "balance": str(row.balance)} for row in stored.history],
    }


@router.get(
    "/runway/explanation",
    response={200: ExplanationSchema, **_PROBLEMS},
    summary="Why the runway is what it is, why it changed, and what would help",
)
def runway_explanation(request: HttpRequest, basis: Literal["free", "bank"] = "free") -> dict[str, Any]:
    """What stands beside the forecast in force; `pending` until it is worked out, mostly within two seconds."""
    stored = _in_force(request, basis)
    said = explanation_of(company_id=stored.company_id, run_id=stored.run_id)
    shared = ("company", "basis", "as_of", "currency", "tranches", "lowest", "burn")
    content: dict[str, Any] = (
        dict.fromkeys(("drivers", "levers", "changes", "checks")) if said is None else said.content
    )
    return (
        {name: stored.forecast[name] for name in shared}
        | content
        | {
            "run_id": stored.run_id,
            "state": "pending" if said is None else "explained",
            "explained_at": None if said is None else said.explained_at,
        }
    )


def _in_force(request: HttpRequest, basis: str) -> StoredForecast:
    try:
        return forecast_in_force(company_id=request.auth.company_id, basis=basis, now=timezone.now())  # type: ignore[attr-defined]
    except MissingInputs as missing:
        raise Problem(
            409,
            "There is no forecast yet, because something is missing.",
            errors=[FieldProblem("", reason) for reason in missing.reasons],
        ) from missing
    except LeaseBusy as busy:
        raise Problem(
            503, "The first forecast is being computed; ask again in a moment.", headers={"Retry-After": "1"}
        ) from busy
