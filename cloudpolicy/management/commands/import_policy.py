"""Put a policy from a file in force."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cloudpolicy.engine.document import InvalidPolicy, canonical_digest, parse_policy
from cloudpolicy.management.policy_file import read_policy_file, refusal_of
from cloudpolicy.services.policies import enable_policy
from ledger.domain.company import CompanyNotFound
from ledger.selectors.companies import company_ref

ACTOR = "command:import_policy"


class Command(BaseCommand):
    help = (
        "Check a policy in YAML or JSON and put it in force as the newest version. The same policy again changes"
        " nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--because", required=True, help="why, in one line")
        parser.add_argument("--check", action="store_true", help="only say whether it is a policy")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, alone on stdout")

    def handle(self, *args: Any, path: Path, company: str, because: str, check: bool, **options: Any) -> None:
        text, document = read_policy_file(path)
        try:
            company_id = company_ref(slug=company).id
            if check:
                parse_policy(document)
                result = {"status": "checked", "version": None, "digest": canonical_digest(document)}
            else:
                now = timezone.now()
                result = asdict(
                    enable_policy(company_id=company_id, document=document, actor=ACTOR, because=because, now=now)
                )
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except InvalidPolicy as invalid:
            raise refusal_of(path, invalid, text=text) from invalid
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2))
        else:
            said = {
                "checked": f"{path} is a policy; nothing was changed.",
                "unchanged": f"The policy of {company} says this already: version {result['version']}.",
                "recorded": f"Version {result['version']} of the policy of {company} is in force.",
            }
            self.stdout.write(said[str(result["status"])])
