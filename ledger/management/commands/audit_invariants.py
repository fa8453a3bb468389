"""`audit_invariants`: recompute everything from the journal; exit 1 on the first difference."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.domain.company import CompanyNotFound
from ledger.selectors.audit import Finding, audit
from ledger.selectors.companies import all_companies, company_ref


class Command(BaseCommand):
    help = "Hold every sum, cursor and reference against the journal; stop at the first difference with exit 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="Default: every company.")
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            companies = [company_ref(slug=options["company"])] if options["company"] else all_companies()
        except CompanyNotFound as error:
            raise CommandError(str(error)) from None
        findings: list[Finding] = []
        for finding in audit(companies=companies):
            findings.append(finding)
            if not options["json"]:
                told = "holds" if finding.difference is None else finding.difference
                self.stdout.write(f"{finding.company.slug}: {finding.claim}: {told}")
            if finding.difference is not None:
                break
        broken = next((finding for finding in findings if finding.difference is not None), None)
        if options["json"]:
            self.stdout.write(json.dumps(_report(findings, broken)))
        if broken is not None:
            raise CommandError(f"{broken.company.slug}: {broken.invariant}: {broken.difference}")


def _report(findings: list[Finding], broken: Finding | None) -> dict[str, Any]:
    held: dict[str, list[str]] = {}
    for finding in findings:
        names = held.setdefault(finding.company.slug, [])
        if finding.difference is None:
            names.append(finding.invariant)
    first = broken and {
        "company": broken.company.slug,
        "invariant": broken.invariant,
        "difference": broken.difference,
    }
    return {"holds": broken is None, "held": held, "first_difference": first}
