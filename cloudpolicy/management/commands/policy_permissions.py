"""Print the least IAM policy that the cloud policy works with."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy, parse_policy
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.services.permissions import least_permissions
from cloudpolicy.services.policies import policy_in_force
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = "Print the least IAM policy for the credentials of the cloud policy, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="for its opt-in tag; default: capstack:managed=true")
        parser.add_argument("--json", action="store_true", help="what it prints is JSON anyway")

    def handle(self, *args: Any, company: str | None, **options: Any) -> None:
        try:
            if company is None:
                policy = parse_policy(FOUNDING_LADDER)
            else:
                company_id = company_ref(slug=company).id
                policy = policy_in_force(company_id=company_id, now=timezone.now()).policy
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except InvalidPolicy as error:
            raise CommandError(f"the stored policy is broken: {error}") from error
        self.stdout.write(json.dumps(least_permissions(opt_in=policy.opt_in), indent=2))
