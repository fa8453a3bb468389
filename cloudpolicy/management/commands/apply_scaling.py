"""Carry an approved plan out."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.management.plan_at_work import PlanCommand, company_of_plan, one_line_refusals
from cloudpolicy.services.approving import Approver, approve_plan
from cloudpolicy.services.runs import start_apply
from ledger.models.company import Role
from ledger.selectors.memberships import companies_of


class Command(PlanCommand):
    help = (
        "Carry a plan out: make its calls one by one, and wait until every group is there. The plan must be "
        "approved, on the page, over the API, or with --approve-as by an admin of its company."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--approve-as", metavar="EMAIL", help="Approve it first, as this admin of the company."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        plan_id, reason = options["plan_id"], options["reason"]
        with one_line_refusals():
            company_id = company_of_plan(plan_id)
            if options["approve_as"]:
                approver = _admin(options["approve_as"], company_id)
                approve_plan(
                    company_id=company_id, plan_id=plan_id, approver=approver, reason=reason, now=timezone.now()
                )
            run = start_apply(
                company_id=company_id, plan_id=plan_id, actor="command", reason=reason, now=timezone.now()
            )
        if run is None:
            done = f'{{"plan_id": {plan_id}, "state": "nothing_to_do"}}'
            self.stdout.write(done if options["json"] else f"Plan {plan_id} asks for nothing: nothing to do.")
            return
        self.tell(self.follow(run, wait=not options["no_wait"]), as_json=options["json"])


def _admin(email: str, company_id: int) -> Approver:
    user = get_user_model().objects.filter(email__iexact=email).first()
    roles = {company.id: role for company, role in companies_of(user)} if user is not None else {}
    if user is None or roles.get(company_id) != Role.ADMIN.value:
        raise CommandError(f"{email} is no admin of the plan's company")
    return Approver(f"command:{user.get_username()}", user.pk)
