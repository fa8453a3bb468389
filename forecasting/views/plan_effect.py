"""What saving a plan would do to the day cash runs out, in words and days."""

from dataclasses import dataclass
from datetime import date

from forecasting.services.plan_look import PlanLook
from forecasting.services.plans import RecordedPlan
from forecasting.views.seen_runway import SeenRunway, seen_runway
from ledger.templatetags.amounts import day_date, days, exact_text

NAMES = ("Cautious", "Middle", "Lucky")


@dataclass(frozen=True, slots=True)
class RunwayFigure:
    """A quantile of the runway; `date` is '' beyond the horizon."""

    name: str
    days: str
    date: str


@dataclass(frozen=True, slots=True)
class EffectRow:
    """A quantile with the plan in force and with another. `moved` is '' where that cannot be told."""

    name: str
    now: RunwayFigure | None
    then: RunwayFigure
    moved: str


@dataclass(frozen=True, slots=True)
class Effect:
    """Attributes:
    lead: the answer in a sentence.
    warnings: what else a person should know before saving.
    """

    lead: str
    rows: tuple[EffectRow, ...]
    warnings: tuple[str, ...]


def effect(look: PlanLook, *, today: date) -> Effect:
    """Tell it."""
    warnings = warnings_of(look.recorded)
    then, refusal = seen_runway(look.then)
    if then is None:
        return Effect(f"Saved like this, no forecast could be made. {refusal}", (), warnings)
    now, _ = seen_runway(look.now)
    figures = runway_figures(then, today=today)
    if now is None:
        rows = tuple(EffectRow(name, None, figures[n], "") for n, name in enumerate(NAMES))
        return Effect("Saved like this, a forecast can be made.", rows, warnings)
    before = runway_figures(now, today=today)
    rows = tuple(EffectRow(name, before[n], figures[n], _moved(now, then, n)) for n, name in enumerate(NAMES))
    return Effect(_lead(now, then), rows, warnings)


def runway_figures(seen: SeenRunway, *, today: date) -> tuple[RunwayFigure, ...]:
    """p5, p50 and p95 of a runway."""
    return tuple(
        RunwayFigure(
            name=name,
            days=f"over {days(count)}" if end is None else days(count),
            date="" if end is None else day_date(end, today),
        )
        for name, count, end in zip(NAMES, seen.counts, seen.ends, strict=True)
    )


def warnings_of(recorded: RecordedPlan) -> tuple[str, ...]:
    """What recording a plan has found, for people."""
    gaps = tuple(
        f"{each.currency}: the history's opening balance and the events lead to "
        f"{exact_text(each.computed, each.currency)}, the plan states {exact_text(each.stated, each.currency)}. "
        f"The ledger does not know of {exact_text(each.unexplained, each.currency)}."
        for each in recorded.differences
    )
    return gaps + tuple(f"{warning[0].upper()}{warning[1:]}." for warning in recorded.warnings)


def _lead(now: SeenRunway, then: SeenRunway) -> str:
    moved = [_days_moved(now, then, n) for n in range(len(NAMES))]
    if all(each == 0 for each in moved) and then.case.mean_days == now.case.mean_days:
        return "Saved like this, the day cash runs out stays where it is."
    cautious, middle, lucky = moved
    if middle:
        return f"Saved like this, cash runs out {_words(middle)} in the middle of all futures."
    if cautious:
        return f"Saved like this, the cautious runway ends {_words(cautious)}."
    if lucky:
        return f"Saved like this, cash runs out {_words(lucky)} in the luckiest futures."
    if None in moved:
        return "Saved like this, what lies within the year and what beyond it changes."
    return "Saved like this, the day cash runs out moves by less than a day."


def _moved(now: SeenRunway, then: SeenRunway, n: int) -> str:
    moved = _days_moved(now, then, n)
    if moved is None:
        ends = now.ends[n], then.ends[n]
        return "" if ends == (None, None) else "beyond the year" if ends[1] is None else "within the year"
    return _words(moved) if moved else "unmoved"


def _days_moved(now: SeenRunway, then: SeenRunway, n: int) -> int | None:
    """By dates: another as-of day does not make a runway longer. None where one of the two has no end."""
    before, after = now.ends[n], then.ends[n]
    if before is None or after is None:
        return 0 if before is after else None
    return (after - before).days


def _words(moved: int) -> str:
    return f"{days(abs(moved))} {'later' if moved > 0 else 'sooner'}"
