"""Make a database and a data folder ready for the application: what `up` does between servers and processes."""

import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from capstack.embedded.aws import is_listening
from capstack.static_files import collect_when_changed
from ledger.models.company import Company

CLOUD_TIMEOUT_SECONDS = 60.0


class Command(BaseCommand):
    help = "Make tables, partitions and static files; with --demo also the demo company in an empty database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="Make the demo company unless there are companies."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Whoever opens a company while the rest is made ready does not take the demo away by it.
        is_new = Company._meta.db_table not in connection.introspection.table_names()
        self._step("tables", lambda: call_command("migrate", verbosity=0))
        self._step("monthly partitions", lambda: call_command("maintain_partitions", stdout=StringIO()))
        self._step("static files", collect_when_changed)
        if options["demo"]:
            self._demo(is_new=is_new)

    def _demo(self, *, is_new: bool) -> None:
        from capstack.demo import company  # heavy, and only demos need it

        try:
            if is_new or company.is_wanted():
                self._step(
                    "the demo company: 18 months of events", lambda: company.create_demo(now=timezone.now())
                )
            elif not company.is_there():
                self._say("no demo company: the database has companies of its own")
        except company.NotTheDemo as error:
            self._say(f"no demo company: {error}")
        if settings.DEMO_CLOUD:
            self._step("the demo's auto-scaling groups", _make_groups)

    def _step(self, title: str, work: Callable[[], object]) -> None:
        started = time.monotonic()
        work()
        self._say(f"{title} ({time.monotonic() - started:.1f} s)")

    def _say(self, line: str) -> None:
        self.stdout.write(f"  {line}")
        self.stdout.flush()


def _make_groups() -> None:
    from capstack.demo.cloud import seed_groups

    deadline = time.monotonic() + CLOUD_TIMEOUT_SECONDS
    while not is_listening(url=settings.AWS_ENDPOINT_URL) and time.monotonic() < deadline:
        time.sleep(0.1)
    seed_groups(endpoint=settings.AWS_ENDPOINT_URL, region=settings.AWS_REGION)
