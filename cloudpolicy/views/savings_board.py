"""What the policy has saved, and what the bills say of it: for the page of the cloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cloudpolicy.models.saving_score import Verdict
from cloudpolicy.selectors.cost_days import CostDay, cost_against_runway
from cloudpolicy.selectors.groups_seen import Inventory
from cloudpolicy.selectors.planned_things import PlannedThing, planned_things
from cloudpolicy.selectors.prices import EnteredPrice, entered_prices
from cloudpolicy.selectors.savings import (
    BandVerdict,
    CostShare,
    ScoredSaving,
    band_verdicts,
    cost_share,
    scored_savings,
)
from cloudpolicy.services.waiting_scores import WaitingScore, waiting_scores
from cloudpolicy.views.cost_figure import cost_chart
from cloudpolicy.views.worth_words import days_text
from ledger.domain.company import CompanyRef
from ledger.templatetags.amounts import money_text
from ledger.views.books_charts import Chart

SHOWN_DAYS = 183
SCORES_SHOWN = 12
ABOVE = "above the ladder"
_STATES = {Verdict.DELIVERED: "good", Verdict.SHORT: "bad"}


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A run some days on: what was predicted and what was billed, in money and in days."""

    score: ScoredSaving
    said: str
    state: str
    band: str
    predicted_days: str
    billed_days: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A band that does not deliver: `said` is what the bills did, and what was predicted."""

    band: str
    said: str
    runs: int


@dataclass(frozen=True, slots=True)
class Priceable:
    """What may have a price of its hour: an instance type, or what names none. Forms send `value`."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class SavingsBoard:
    """Attributes:
    share: None before the sweep has computed it.
    figure: None while no bill speaks of the cloud.
    waiting: runs whose window is over, and of which no bill has told yet.
    flagged: bands that do not deliver.
    priceable: what groups of the company run, and the instances, databases and requests that plans speak of.
    """

    share: CostShare | None
    figure: Chart | None
    scores: tuple[ScoreRow, ...]
    waiting: tuple[WaitingScore, ...]
    verdicts: tuple[BandVerdict, ...]
    flagged: tuple[Flag, ...]
    prices: tuple[EnteredPrice, ...]
    priceable: tuple[Priceable, ...]


def savings_board(*, company: CompanyRef, inventory: Inventory | None, now: datetime) -> SavingsBoard:
    """Gather it.

    Args:
        now: in the company's time zone.
    """
    verdicts = band_verdicts(company_id=company.id)
    prices = entered_prices(company_id=company.id)
    return SavingsBoard(
        share=cost_share(company_id=company.id),
        figure=_figure(company, today=now.date()),
        scores=tuple(_score(each) for each in scored_savings(company_id=company.id, limit=SCORES_SHOWN)),
        waiting=waiting_scores(company_id=company.id, now=now),
        verdicts=verdicts,
        flagged=tuple(_flag(each) for each in verdicts if not each.delivers),
        prices=prices,
        priceable=_priceable(inventory, planned_things(company_id=company.id)),
    )


def _figure(company: CompanyRef, *, today: date) -> Chart | None:
    days = cost_against_runway(
        company_id=company.id, start=today - timedelta(days=SHOWN_DAYS), stop=today + timedelta(days=1)
    )
    return cost_chart(days=_begun(days), today=today, currency=company.base_currency)


def _begun(days: Sequence[CostDay]) -> Sequence[CostDay]:
    """From the first day of which a bill speaks."""
    return days[next((place for place, each in enumerate(days) if each.gross is not None), len(days)) :]


def _score(score: ScoredSaving) -> ScoreRow:
    verdict = Verdict(score.verdict)
    return ScoreRow(
        score=score,
        said=_short_of(score) if verdict == Verdict.SHORT else str(verdict.label).lower(),
        state=_STATES.get(verdict, "unknown"),
        band=f"asked for {score.wanted_p5_days:,} days" if score.wanted_p5_days else score.band or ABOVE,
        predicted_days=days_text(score.predicted_days),
        billed_days=days_text(score.billed_days),
    )


def _short_of(score: ScoredSaving) -> str:
    if score.predicted is not None and score.predicted < 0:
        return "cost half as much again, or more"
    if score.billed is not None and score.billed < 0:
        return "the bills rose"
    return str(Verdict.SHORT.label).lower()


def _flag(band: BandVerdict) -> Flag:
    billed, predicted = (money_text(abs(each), band.currency) for each in (band.billed, band.predicted))
    rose = band.billed < 0
    if rose == (band.predicted < 0):
        expected = predicted
    else:
        expected = f"a {'rise' if band.predicted < 0 else 'fall'} of {predicted}"
    said = f"the bills {'rose' if rose else 'fell'} by {billed} where {expected} was predicted"
    return Flag(band.band or ABOVE, said, band.runs)


def _priceable(inventory: Inventory | None, things: Sequence[PlannedThing]) -> tuple[Priceable, ...]:
    """Types before names: one price then holds for all that are of a type."""
    groups = [group for group in inventory.groups if group.opted_in] if inventory else []
    found = {(group.region, name, group.name) for group in groups for name in group.instance_types or ("",)}
    found |= {(thing.region, thing.instance_type, thing.name) for thing in things}
    told = {
        (f"type {region} {kind}" if kind else f"group {region} {name}"): f"{kind or name} in {region}"
        for region, kind, name in found
    }
    return tuple(Priceable(value, label) for value, label in sorted(told.items()))
