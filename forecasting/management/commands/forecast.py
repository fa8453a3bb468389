"""Compute one forecast and print it. Needs no worker, publishes nothing."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from forecasting import engine
from forecasting.engine import HORIZON_DAYS, PATHS, SEED
from forecasting.fit.history import MissingInputs
from forecasting.outcome import Forecast, RunwayCase, TrancheOutlook
from forecasting.services.history import gather_history
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref

MAX_SEED = 2**63 - 1


class Command(BaseCommand):
    help = "Compute one forecast from a company's ledger and plan, and print it. Publishes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument(
            "--as-of", type=_day, metavar="DATE", help="default: the last day with an event or the plan's as_of"
        )
        parser.add_argument("--basis", choices=("free", "bank"), default="free")
        parser.add_argument("--horizon", type=_between(1, 730), default=HORIZON_DAYS, metavar="DAYS")
        parser.add_argument("--paths", type=_between(100, 100_000), default=PATHS)
        parser.add_argument("--seed", type=_between(0, MAX_SEED), default=SEED)
        parser.add_argument("--json", action="store_true", help="print the forecast as JSON, alone on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            company = company_ref(slug=options["company"])
            as_of: date | None = options["as_of"]
            if as_of is not None and as_of > now.astimezone(ZoneInfo(company.timezone)).date():
                raise CommandError(f"{as_of} lies in the future")
            gathered = gather_history(company=company, now=now, as_of=as_of)
            result = engine.forecast(
                gathered.history,
                basis=options["basis"],
                horizon_days=options["horizon"],
                paths=options["paths"],
                seed=options["seed"],
            )
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except MissingInputs as missing:
            raise CommandError(f"no forecast for {options['company']}: {missing}") from missing
        if options["json"]:
            document = result.to_json() | {
                "position": gathered.position,
                "plan_version": gathered.plan.version if gathered.plan else 0,
                "plan_digest": gathered.plan.digest if gathered.plan else "",
            }
            self.stdout.write(json.dumps(document, indent=2))
        else:
            self.stdout.write("\n".join(_in_words(result)))


def _in_words(result: Forecast) -> list[str]:
    lines = [
        f"{result.company} · {result.basis} cash of {_money(result.balance, result)} at the end of {result.as_of}",
        "",
        f"  p5   {_quantile(result, 'p5')}",
        f"  p50  {_quantile(result, 'p50')}",
        f"  p95  {_quantile(result, 'p95')}",
        "",
    ]
    if not result.determined:
        lines += ["  Not determined: the interval is too wide for its middle to be the message. Plan with p5.", ""]
    odds = (
        f"{share:.0%} by day {day}" for day, share in result.probability_of_zero_by.items() if share is not None
    )
    lines.append(f"  Cash runs out: {' · '.join(odds)}")
    burn = result.burn
    lines.append(
        f"  Burn: {_money(burn.mean_per_day, result)} a day, give or take {_money(burn.std_per_day, result)}"
        f" (next {burn.window_days} days)"
    )
    lowest = result.lowest
    lines.append(f"  The middle of all futures is lowest on {lowest.date}, at {_money(lowest.balance, result)}")
    for tranche in result.tranches:
        lines += ["", *_tranche_in_words(tranche, result)]
    if result.next_events:
        lines += ["", "  Next"]
        lines += [
            f"  {event.date}  {event.label:<40.40} {_money(event.amount, result):>18}"
            + ("" if event.probability >= 1.0 else f"  {event.probability:.0%}")
            for event in result.next_events[:10]
        ]
    lines += ["", f"  {result.paths:,} paths, seed {result.seed}, engine {result.engine_version}"]
    return lines


def _quantile(result: Forecast, name: str) -> str:
    if result.beyond_horizon[name]:
        return f"not within {result.horizon_days} days"
    return f"{getattr(result, f'{name}_days'):>4} days  {getattr(result, f'{name}_date')}"


def _tranche_in_words(tranche: TrancheOutlook, result: Forecast) -> list[str]:
    cases = [("received", tranche.received), ("not received", tranche.not_received)]
    return [
        f"  {tranche.label}: {_money(tranche.amount, result)} planned for {tranche.date},"
        f" {tranche.probability:.0%} likely",
        *(f"    {words:<13} {_case_in_words(case)}" for words, case in cases),
    ]


def _case_in_words(case: RunwayCase) -> str:
    days = (case.p5_days, case.p50_days, case.p95_days)
    quantiles = zip(("p5", "p50", "p95"), days, case.beyond_horizon, strict=True)
    return " · ".join(f"{name} {'beyond ' if beyond else ''}{day} days" for name, day, beyond in quantiles)


def _money(amount: Decimal, result: Forecast) -> str:
    return f"{amount:,.0f} {result.currency}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date as YYYY-MM-DD") from None


def _between(lowest: int, highest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not lowest <= value <= highest:
            raise ArgumentTypeError(f"must be {lowest} to {highest}, is {value}")
        return value

    return number
