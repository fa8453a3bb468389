"""Make a past day's forecast again, from what was known then."""

import json
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from forecasting.fit.history import MissingInputs
from forecasting.services.replay import NotKnown, Replay, replay
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = (
        "Make the forecast of the end of a past day from what was known then: the journal, statements, plan and"
        " categories as they stood. Says whether it equals what was published. Publishes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument(
            "--on", required=True, type=_day, metavar="DATE", help="a day of the company's calendar"
        )
        parser.add_argument("--basis", choices=("free", "bank"), default="free")
        parser.add_argument("--json", action="store_true", help="print the forecast as JSON, alone on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["company"]
        try:
            company = company_ref(slug=slug)
            made = replay(company=company, day=options["on"], basis=options["basis"], now=timezone.now())
        except (CompanyNotFound, NotKnown) as error:
            raise CommandError(str(error)) from error
        except MissingInputs as missing:
            raise CommandError(f"there was no forecast of {slug} on {options['on']}: {missing}") from missing
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(made), indent=2))
        else:
            self.stdout.write(_in_words(made))


def _as_json(made: Replay) -> dict[str, object]:
    return made.forecast.to_json() | {
        "known_at": made.known_at.isoformat(),
        "position": made.position,
        "plan_version": made.plan_version,
        "published_run": made.published.pk if made.published else None,
        "equals_published": None if made.differs is None else not made.differs,
        "differs": made.differs,
    }


def _in_words(made: Replay) -> str:
    forecast = made.forecast
    quantiles = ", ".join(
        f"{name} {'beyond ' if forecast.beyond_horizon[name] else ''}{getattr(forecast, f'{name}_days')} days"
        for name in ("p5", "p50", "p95")
    )
    return "\n".join(
        [
            f"Known by the end of {made.day}: {made.position:,} events, plan version {made.plan_version}.",
            f"{forecast.basis.capitalize()} cash of {forecast.balance:,.0f} {forecast.currency} at the end of"
            f" {forecast.as_of} runs out: {quantiles}.",
            _against_published(made),
        ]
    )


def _against_published(made: Replay) -> str:
    if made.published is None:
        return "Nothing had been published by then."
    if made.differs:
        return f"Run {made.published.pk}, in force then, is not the same: {made.differs}."
    return f"Run {made.published.pk}, in force then, is the same, bit for bit."


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date as YYYY-MM-DD") from None
