"""Do what happens by the clock until told to stop."""

import signal
import threading
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from capstack.demo.cloud import seed_groups
from capstack.scheduler import Duty, keep_time
from cloudpolicy.jobs import sweep as sweep_plans
from forecasting.jobs import sweep as sweep_forecasts
from forecasting.record_jobs import sweep_records
from ledger.jobs import sweep_books, sweep_chains, sweep_deliveries, sweep_imports, sweep_plaid
from ledger.services.answers import forget_answers
from ledger.services.chain_heads.export import export_all_heads
from ledger.services.sealing import seal_all

SWEEP_SECONDS = 10
PARTITIONS_SECONDS = 3600
RECORDS_SECONDS = 60
FORGET_SECONDS = 3600
# Half of the time between two sweeps: duties wait for each other.
SEALING_SECONDS = 5
HEADS_SECONDS = 60
VERIFY_SECONDS = 60
DEMO_CLOUD_SECONDS = 30


class Command(BaseCommand):
    help = "Sweep for forecasts, scaling plans and imports that wait, and keep the months ahead partitioned."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        keep_time(duties=_duties(), stop=stop)


def _duties() -> list[Duty]:
    duties = [
        Duty(name="sweep", every_seconds=SWEEP_SECONDS, work=lambda: sweep_forecasts(now=timezone.now())),
        Duty(name="sweep_records", every_seconds=RECORDS_SECONDS, work=lambda: sweep_records(now=timezone.now())),
        Duty(name="sweep_imports", every_seconds=SWEEP_SECONDS, work=lambda: sweep_imports(now=timezone.now())),
        Duty(name="sweep_books", every_seconds=SWEEP_SECONDS, work=lambda: sweep_books(now=timezone.now())),
        Duty(
            name="sweep_deliveries",
            every_seconds=SWEEP_SECONDS,
            work=lambda: sweep_deliveries(now=timezone.now()),
        ),
        Duty(name="sweep_plaid", every_seconds=SWEEP_SECONDS, work=lambda: sweep_plaid(now=timezone.now())),
        Duty(name="sweep_plans", every_seconds=SWEEP_SECONDS, work=lambda: sweep_plans(now=timezone.now())),
        Duty(
            name="seal",
            every_seconds=SWEEP_SECONDS,
            work=lambda: seal_all(now=timezone.now(), within_seconds=SEALING_SECONDS),
        ),
        Duty(name="sweep_chains", every_seconds=VERIFY_SECONDS, work=lambda: sweep_chains(now=timezone.now())),
        Duty(name="heads", every_seconds=HEADS_SECONDS, work=lambda: export_all_heads(now=timezone.now())),
        Duty(
            name="partitions",
            every_seconds=PARTITIONS_SECONDS,
            work=lambda: call_command("maintain_partitions", stdout=StringIO()),
        ),
        Duty(
            name="forget_answers",
            every_seconds=FORGET_SECONDS,
            work=lambda: forget_answers(now=timezone.now()),
        ),
    ]
    if settings.DEMO_CLOUD:
        # moto keeps everything in memory; after a restart of it the groups must come back.
        duties.append(
            Duty(
                name="demo_cloud",
                every_seconds=DEMO_CLOUD_SECONDS,
                work=lambda: seed_groups(endpoint=settings.AWS_ENDPOINT_URL, region=settings.AWS_REGION),
            )
        )
    return duties
