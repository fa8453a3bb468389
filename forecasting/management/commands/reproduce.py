"""Prove that a stored forecast run is what its inputs imply."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from forecasting.services.reproduction import CannotReproduce, Reproduction, RunNotFound, reproduce


class Command(BaseCommand):
    help = (
        "Read again what a forecast run read (journal position, plan, seed), compute it again and compare every"
        " figure bit for bit. Ends with 0 when they are equal; else with 1 and the first difference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run_id", type=int, metavar="RUN_ID")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, alone on stdout")

    def handle(self, *args: Any, run_id: int, **options: Any) -> None:
        try:
            made = reproduce(run_id=run_id)
        except (RunNotFound, CannotReproduce) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(made) | {"equal": made.is_equal}, default=str, indent=2))
        if made.difference:
            raise CommandError(f"run {run_id} is not reproduced: {made.difference}")
        if not options["json"]:
            self.stdout.write(_in_words(made))


def _in_words(made: Reproduction) -> str:
    return (
        f"Run {made.run_id} is reproduced: {made.company}, {made.basis} cash as of {made.as_of}."
        f" {made.compared:,} quantiles and every other figure are equal, bit for bit."
    )
