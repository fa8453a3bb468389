"""Take back what a plan has changed."""

from typing import Any

from django.utils import timezone

from cloudpolicy.management.plan_at_work import PlanCommand, company_of_plan, one_line_refusals
from cloudpolicy.services.runs import start_rollback


class Command(PlanCommand):
    help = (
        "Take back what a plan has changed, in reverse order, to what every group was before. It stops at a group "
        "that somebody has changed since."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with one_line_refusals():
            run = start_rollback(
                company_id=company_of_plan(options["plan_id"]),
                plan_id=options["plan_id"],
                actor="command",
                reason=options["reason"],
                now=timezone.now(),
            )
        self.tell(self.follow(run, wait=not options["no_wait"]), as_json=options["json"])
