"""`maintain_partitions`: a partition of the journal for every month from 24 back to 18 ahead, none in the net."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.utils import timezone

from ledger.services.partitions import maintain_partitions


class Command(BaseCommand):
    help = "Make the journal's missing monthly partitions and empty its DEFAULT partition."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print what was done as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = maintain_partitions(now=timezone.now())
        except OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"the journal is too busy to change its partitions: {reason}") from None
        if options["json"]:
            self.stdout.write(json.dumps({"made": [str(month) for month in done.made], "drained": done.drained}))
        else:
            made = ", ".join(f"{month:%Y-%m}" for month in done.made) or "none missing"
            self.stdout.write(
                f"Partitions made: {made}. Events moved out of the default partition: {done.drained}."
            )
