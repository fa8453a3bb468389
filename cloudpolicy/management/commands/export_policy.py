"""Print a company's policy as YAML, or as JSON."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.engine.policy_text import write_yaml
from cloudpolicy.selectors.policies import StoredPolicy, policy_version
from cloudpolicy.services.policies import stored_policy
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref


class Command(BaseCommand):
    help = "Print the policy in force, or another version, as YAML that import_policy reads again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        # `--version` is Django's own.
        parser.add_argument("--policy-version", type=int, metavar="N", help="default: the one in force")
        parser.add_argument("--json", action="store_true", help="print the document as JSON, alone on stdout")

    def handle(self, *args: Any, company: str, policy_version: int | None, **options: Any) -> None:
        try:
            stored = _stored(company_ref(slug=company).id, policy_version)
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        if stored is None:
            raise CommandError(f"{company} has no version {policy_version} of its policy")
        if options["json"]:
            self.stdout.write(json.dumps(stored.document, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(write_yaml(stored.document), ending="")


def _stored(company_id: int, version: int | None) -> StoredPolicy | None:
    if version is None:
        return stored_policy(company_id=company_id, now=timezone.now())
    return policy_version(company_id=company_id, version=version)
