"""Print the scaling plan that today's p5 implies. Nothing in the cloud is changed."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.management.plan_text import plan_lines
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.planning import plan_scaling
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = "Print the scaling plan that today's p5 implies against the auto-scaling groups found. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="Print the plan as JSON, and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            company = company_ref(slug=options["company"])
            plan = plan_scaling(company_id=company.id, now=timezone.now())
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except CloudUnavailable as error:
            raise CommandError(f"the groups cannot be read: {error}") from error
        except InvalidPolicy as error:
            raise CommandError(f"the stored policy is broken: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(plan.to_json(), indent=2))
        else:
            self.stdout.write("\n".join(plan_lines(plan)))
