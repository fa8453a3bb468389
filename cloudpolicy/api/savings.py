"""What steps cost and save over HTTP: prices, the cheapest steps to a p5, scores, cost against runway."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cloudpolicy.api.plans import PlanSchema
from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.instance_price import Market
from cloudpolicy.models.saving_score import Verdict
from cloudpolicy.selectors.cost_days import MAX_DAYS, cost_against_runway
from cloudpolicy.selectors.prices import entered_prices
from cloudpolicy.selectors.savings import MAX_SCORES, savings_json
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.cheapest_plan import plan_cheapest
from cloudpolicy.services.cheapest_steps import UnreachableTarget, cheapest_steps
from cloudpolicy.services.p5_by_saving import NoCurve
from cloudpolicy.services.prices import PriceRefused, enter_price
from forecasting.engine import HORIZON_DAYS
from ledger.api.auth import TokenAuth
from ledger.api.problems import Problem, ProblemSchema
from ledger.domain.company import CompanyRef
from ledger.domain.problems import FieldProblem
from ledger.models.token import Scope
from ledger.selectors.companies import company_ref
from ledger.services.daily_flows import catch_up

router = Router(tags=["policy"], auth=TokenAuth(Scope.POLICY))


class PriceSchema(Schema):
    account: str
    region: str
    instance_type: str
    group: str
    market: str
    per_hour: str | None
    currency: str
    actor: str
    because: str
    entered_at: str


class PricesSchema(Schema):
    prices: list[PriceSchema]


class PriceIn(Schema, extra="forbid"):
    region: str = Field(max_length=32)
    instance_type: str = Field("", max_length=64, description="Either this or `group`.")
    group: str = Field("", max_length=255)
    account: str = Field("", max_length=64, description="By its name in the settings; empty is all of them.")
    market: str = Field(Market.ON_DEMAND.value, description="on_demand or spot")
    per_hour: str | None = Field(description="An amount as text; null takes the price before it back.")
    currency: str = Field("", max_length=3, description="Default: the company's.")
    because: str = Field(max_length=500)


class KeptSchema(Schema):
    status: str = "recorded"


class CheapestQuery(Schema):
    p5: int = Field(ge=1, lt=HORIZON_DAYS, description="The p5 that is wanted, in days.")


class StepSchema(Schema):
    action: str
    group: str
    environment: str
    account: str
    region: str
    before: dict[str, int]
    after: dict[str, int]
    monthly_saving: str | None = Field(description="Of this step alone, at the low end.")
    price: str


class CheapestSchema(Schema):
    wanted_p5_days: int
    base_p5_days: int = Field(description="Without the steps.")
    p5_days: int = Field(description="With them.")
    reaches: bool = Field(description="If they do not, they are all that may be taken away.")
    is_exact: bool = Field(description="No other set that saves enough takes less away.")
    currency: str
    monthly_saving: str
    monthly_cash_saving: str = Field(description="What leaves the bank less while credits pay their share.")
    credit_share: str
    steps: list[StepSchema]
    left_out: list[str] = Field(description="Groups that are not counted on, each with why.")


class ScoreSchema(Schema):
    run_id: int
    plan_id: int
    after_days: int
    band: str | None
    verdict: str = Field(description=f"One of {', '.join(Verdict.values)}.")
    currency: str
    predicted: str | None
    billed: str | None
    predicted_days: float | None
    billed_days: float | None
    adjusted_by: str | None
    text: str
    scored_at: datetime
    wanted_p5_days: int | None = Field(
        description="What a person asked the plan to reach; null for a plan of the policy's."
    )


class BandSchema(Schema):
    band: str | None
    runs: int
    predicted: str
    billed: str
    currency: str
    delivers: bool = Field(description="False flags the band: it saved less than half of what it promised.")


class ShareSchema(Schema):
    cost: str | None
    saved: str | None
    share: float | None
    currency: str
    because: str | None = Field(description="Why there is no share.")
    looked_at: datetime


class SavingsSchema(Schema):
    scores: list[ScoreSchema]
    bands: list[BandSchema]
    share: ShareSchema | None


class WantedRunway(CheapestQuery, extra="forbid"):
    """What a plan is asked to reach."""


class ScoresQuery(Schema):
    limit: int = Field(20, ge=1, le=MAX_SCORES)


class CostQuery(Schema):
    days: int = Field(90, ge=1, le=MAX_DAYS)


class CostDaySchema(Schema):
    day: date
    gross: str | None
    credited: str
    net: str | None
    p5_days: int | None


class CostSchema(Schema):
    currency: str
    days: list[CostDaySchema]


@router.get("/prices", response=PricesSchema, summary="Prices of instance-hours that people entered")
def get_prices(request: HttpRequest) -> dict[str, Any]:
    """Those that count. What bills say goes before them."""
    return {"prices": [price.to_json() for price in entered_prices(company_id=_company(request).id)]}


@router.post(
    "/prices",
    response={200: KeptSchema, 422: ProblemSchema, 503: ProblemSchema},
    summary="Enter what an instance-hour costs",
)
def post_price(request: HttpRequest, price: PriceIn) -> dict[str, Any]:
    """It counts where no line of a bill says it, from the next plan on."""
    try:
        enter_price(
            company=_company(request),
            region=price.region,
            instance_type=price.instance_type,
            group=price.group,
            account=price.account,
            market=price.market,
            per_hour=price.per_hour,
            currency=price.currency,
            actor=request.auth.actor,  # type: ignore[attr-defined]
            because=price.because,
            now=timezone.now(),
        )
    except PriceRefused as refused:
        raise Problem(422, "The price is refused.", errors=list(refused.problems)) from refused
    except CloudUnavailable as unavailable:
        raise Problem(503, f"The cloud accounts cannot be read: {unavailable}.") from unavailable
    return {"status": "recorded"}


@router.get(
    "/cheapest",
    response={200: CheapestSchema, 409: ProblemSchema, 422: ProblemSchema, 503: ProblemSchema},
    summary="The cheapest set of steps that reaches a p5",
)
def get_cheapest(request: HttpRequest, query: Query[CheapestQuery]) -> dict[str, Any]:
    """Least capacity taken away, production last. Nothing is planned: this says what it would take."""
    with _cheapest_problems():
        found = cheapest_steps(company=_company(request), wanted_p5_days=query.p5, now=timezone.now())
    return found.to_json()


@router.post(
    "/cheapest",
    response={200: PlanSchema, 201: PlanSchema, 409: ProblemSchema, 422: ProblemSchema, 503: ProblemSchema},
    summary="Plan the cheapest set of steps that reaches a p5 (dry run)",
)
def post_cheapest(request: HttpRequest, wanted: WantedRunway) -> Status[dict[str, Any]]:
    """201 with a new plan, 200 with the last one when nothing has changed since. A person has to approve it."""
    company, now = _company(request), timezone.now()
    with _cheapest_problems():
        plan = plan_cheapest(company_id=company.id, wanted_p5_days=wanted.p5, now=now)
    return Status(201 if plan.created_at == now else 200, plan.to_json())


@contextmanager
def _cheapest_problems() -> Iterator[None]:
    try:
        yield
    except UnreachableTarget as refused:
        raise Problem(422, "No such p5.", errors=[FieldProblem("p5", str(refused))]) from refused
    except CloudUnavailable as unavailable:
        raise Problem(503, f"The groups cannot be read: {unavailable}.") from unavailable
    except (NoCurve, InvalidPolicy) as missing:
        raise Problem(409, f"It cannot be computed: {missing}.") from missing


@router.get("/savings", response=SavingsSchema, summary="Predicted and billed savings side by side")
def get_savings(request: HttpRequest, query: Query[ScoresQuery]) -> dict[str, Any]:
    """Scores 7 and 30 days after a plan was applied, whether the bands deliver, and the share that was saved."""
    return savings_json(company_id=_company(request).id, limit=query.limit)


@router.get("/cost", response=CostSchema, summary="Cloud cost day by day against p5")
def get_cost(request: HttpRequest, query: Query[CostQuery]) -> dict[str, Any]:
    """The last days up to the company's yesterday; days of which no bill speaks have no cost."""
    company = _company(request)
    catch_up(company_id=company.id)
    stop = timezone.now().astimezone(ZoneInfo(company.timezone)).date()
    days = cost_against_runway(company_id=company.id, start=stop - timedelta(days=query.days), stop=stop)
    return {
        "currency": company.base_currency,
        "days": [
            {
                "day": each.day,
                "gross": None if each.gross is None else f"{each.gross:.2f}",
                "credited": f"{each.credited:.2f}",
                "net": None if each.net is None else f"{each.net:.2f}",
                "p5_days": each.p5_days,
            }
            for each in days
        ],
    }


def _company(request: HttpRequest) -> CompanyRef:
    return company_ref(company_id=request.auth.company_id)  # type: ignore[attr-defined]
