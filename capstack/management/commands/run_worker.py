"""Work on one queue until told to stop."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from capstack.supervision.supervisor import RESTART_ME
from capstack.worker import collect_seldom, work_until_stopped


class Command(BaseCommand):
    help = (
        "Work on one queue. Run one process per queue: a worker on two queues pops without the safety of a move."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queue", choices=sorted(settings.RQ_QUEUES))

    def handle(self, *args: Any, **options: Any) -> None:
        collect_seldom()
        if work_until_stopped(queue_name=options["queue"], redis_url=settings.REDIS_QUEUE_URL):
            # 75 asks a supervisor for a fresh process; elsewhere any restart policy does the same.
            sys.exit(RESTART_ME)
