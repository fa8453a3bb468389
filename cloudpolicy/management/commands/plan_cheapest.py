"""Plan the cheapest steps that reach a wanted p5, and print the plan. Nothing in the cloud is changed."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.management.plan_text import plan_lines
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.cheapest_plan import plan_cheapest
from cloudpolicy.services.cheapest_steps import UnreachableTarget
from cloudpolicy.services.p5_by_saving import NoCurve
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = (
        "Plan the least capacity to take away for a wanted p5, production last, and print the plan."
        " Approve and apply it by its number, as any other. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--p5", required=True, type=int, metavar="DAYS", help="the p5 that is wanted")
        parser.add_argument("--json", action="store_true", help="Print the plan as JSON, and nothing else.")

    def handle(self, *args: Any, company: str, p5: int, **options: Any) -> None:
        try:
            company_id = company_ref(slug=company).id
            plan = plan_cheapest(company_id=company_id, wanted_p5_days=p5, now=timezone.now())
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except UnreachableTarget as error:
            raise CommandError(f"--p5 {error}") from error
        except CloudUnavailable as error:
            raise CommandError(f"the groups cannot be read: {error}") from error
        except (NoCurve, InvalidPolicy) as error:
            raise CommandError(f"it cannot be computed: {error}") from error
        self.stdout.write(json.dumps(plan.to_json(), indent=2) if options["json"] else "\n".join(plan_lines(plan)))
