"""`import_events`: record the events of a file, and say what became of every line."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from ledger.domain.company import CompanyNotFound
from ledger.importers.csv_dates import ORDERS
from ledger.importers.csv_mapping import COLUMNS, CsvChoices
from ledger.importers.registry import importers
from ledger.importers.row import FileRefused, RowProblem
from ledger.selectors.companies import company_ref
from ledger.services.import_events import AUTO, ImportProgress, ImportReport, import_events

ACTOR = "import"
SHOWN_PROBLEMS = 20


class Command(BaseCommand):
    help = "Record the events of a file (NDJSON or CSV, plain or gzip). Importing it again records nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", help="The file; - reads standard input.")
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument(
            "--format", default=AUTO, choices=[AUTO, *sorted(importers())], help="Default: by content."
        )
        parser.add_argument("--account", metavar="NAME", help="Account of lines that name none.")
        parser.add_argument("--dry-run", action="store_true", help="Do everything, then roll back.")
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")
        csv = parser.add_argument_group("CSV that does not say enough about itself")
        csv.add_argument(
            "--column",
            action="append",
            default=[],
            type=_column,
            metavar="FIELD=NAME",
            help=f"Column NAME of the file holds FIELD, one of {', '.join(COLUMNS)}. Repeatable.",
        )
        csv.add_argument("--date-order", choices=ORDERS, help="03/04/2026 is 3 April (dmy) or March 4 (mdy).")
        csv.add_argument("--decimal", choices=[".", ","], help="1,234 is a thousand (.) or one and a bit (,).")
        csv.add_argument("--positive", choices=["in", "out"], help="What an amount without a minus sign means.")
        csv.add_argument(
            "--timezone", type=_timezone, metavar="ZONE", help="Of dates and times without an offset."
        )
        csv.add_argument("--source", type=_source, help="The events' source; default: the format's name.")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = _ProgressLine() if sys.stderr.isatty() else None
        try:
            company = company_ref(slug=options["company"])
            with _open(options["path"]) as stream:
                report = import_events(
                    company=company,
                    stream=stream,
                    actor=ACTOR,
                    now=timezone.now(),
                    format_name=options["format"],
                    account=options["account"],
                    choices=CsvChoices(
                        columns=dict(options["column"]),
                        date_order=options["date_order"],
                        decimal_mark=options["decimal"],
                        positive_is=options["positive"],
                        timezone=options["timezone"],
                        source=options["source"],
                    ),
                    dry_run=options["dry_run"],
                    on_progress=progress,
                )
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except FileRefused as error:
            raise CommandError(f"nothing was imported: {error}") from error
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"broke off, import the file again to finish it: {reason}") from error
        finally:
            if progress is not None:
                progress.clear()
        self._print(report, as_json=options["json"], dry_run=options["dry_run"])

    def _print(self, report: ImportReport, *, as_json: bool, dry_run: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report.to_json() | {"dry_run": dry_run}))
            return
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{report.read:,} lines of {report.format}: {report.recorded:,} {would}recorded, "
            f"{report.duplicates:,} duplicates, {report.conflicts:,} conflicts, "
            f"{report.rejected_lines:,} rejected, {report.needs_review:,} to review"
        )
        for title, problems in (
            ("rejected", report.rejected),
            ("conflict", report.conflicting),
            ("review", report.review),
        ):
            self._print_problems(title, problems)

    def _print_problems(self, title: str, problems: list[RowProblem]) -> None:
        for problem in problems[:SHOWN_PROBLEMS]:
            self.stdout.write(f"  {title}: line {problem.line}: {problem.field} {problem.message}")
        if len(problems) > SHOWN_PROBLEMS:
            self.stdout.write(f"  {title}: {len(problems) - SHOWN_PROBLEMS:,} more, all of them with --json")


class _ProgressLine:
    """One line on the terminal that is written over."""

    def __call__(self, progress: ImportProgress) -> None:
        share = progress.read_bytes / progress.total_bytes
        sys.stderr.write(f"\r{share:4.0%}  {progress.read:,} lines")
        sys.stderr.flush()

    def clear(self) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


@contextmanager
def _open(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdin.buffer
        return
    if Path(path).is_dir():
        raise FileRefused(f"{path} is a directory: name one file")
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed below; its errors are not those of the import
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror}") from error
    with stream:
        yield stream


def _column(text: str) -> tuple[str, str]:
    field, equals, name = text.partition("=")
    if not equals or not name or field not in COLUMNS:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=NAME with a FIELD of {', '.join(COLUMNS)}")
    return field, name


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} is not a time zone, such as Europe/Berlin") from error


def _source(name: str) -> str:
    if not 1 <= len(name) <= 64:
        raise argparse.ArgumentTypeError("a source has 1 to 64 characters")
    return name
