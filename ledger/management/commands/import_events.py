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
from ledger.domain.currency import ACTIVE_CURRENCIES
from ledger.importers.csv_dates import ORDERS
from ledger.importers.csv_mapping import COLUMNS, CsvChoices
from ledger.importers.registry import AUTO, importers
from ledger.importers.row import FileRefused, RowProblem
from ledger.selectors.companies import company_ref
from ledger.services.import_events import import_events
from ledger.services.import_report import ImportProgress, ImportReport

ACTOR = "import"
SHOWN_PROBLEMS = 20
BAR_CHARACTERS = 24
# As a shell says it of a command that Ctrl-C ended.
INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Record the events of a file (a bank's OFX, CAMT.053 or MT940, CSV, NDJSON; plain or gzip). Importing it "
        "again records nothing twice, and goes on where an import broke off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", help="The file; - reads standard input.")
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument(
            "--format", default=AUTO, choices=[AUTO, *sorted(importers())], help="Default: by content."
        )
        parser.add_argument(
            "--account",
            metavar="NAME",
            help="Account of lines that name none, and of the one account that a bank's file is about.",
        )
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
        csv.add_argument(
            "--currency", type=_currency, metavar="CODE", help="Of every amount, whatever a column says."
        )
        csv.add_argument(
            "--mapping", metavar="NAME", help="Read it by a saved mapping; default: the one saved for its header."
        )
        csv.add_argument(
            "--save-mapping", metavar="NAME", help="Keep what is said here for every file with the same header."
        )
        csv.add_argument("--source", type=_source, help="The events' source; default: the format's name.")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = _Progress(visible=sys.stderr.isatty())
        choices = CsvChoices(
            columns=dict(options["column"]),
            date_order=options["date_order"],
            decimal_mark=options["decimal"],
            positive_is=options["positive"],
            timezone=options["timezone"],
            source=options["source"],
            currency=options["currency"],
        )
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
                    choices=choices,
                    mapping=options["mapping"],
                    save_mapping_as=options["save_mapping"],
                    dry_run=options["dry_run"],
                    on_progress=progress,
                )
        except CompanyNotFound as error:
            raise CommandError(str(error)) from error
        except FileRefused as error:
            raise CommandError(f"nothing was imported: {error}") from error
        except DatabaseError as error:
            if _is_of_an_interrupt(error):
                said = progress.interrupted(dry_run=options["dry_run"])
                raise CommandError(said, returncode=INTERRUPTED) from None
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"broke off, import the file again to finish it: {reason}") from error
        except OSError as error:
            said = progress.broke_off(dry_run=options["dry_run"])
            raise CommandError(f"{options['path']}: {_reason(error)}; {said}") from error
        except KeyboardInterrupt:
            said = progress.interrupted(dry_run=options["dry_run"])
            raise CommandError(said, returncode=INTERRUPTED) from None
        finally:
            progress.clear()
        self._print(report, as_json=options["json"], dry_run=options["dry_run"])

    def _print(self, report: ImportReport, *, as_json: bool, dry_run: bool) -> None:
        if as_json:
            written = report.to_json() | {"dry_run": dry_run}
            if not dry_run:
                del written["sample"]
            self.stdout.write(json.dumps(written))
            return
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{report.read:,} lines of {report.format}: {report.recorded:,} {would}recorded, "
            f"{report.duplicates:,} duplicates, {report.conflicts:,} conflicts, "
            f"{report.rejected_lines:,} rejected, {report.needs_review:,} to review"
        )
        for said in _asides(report):
            self.stdout.write(f"  {said}")
        for title, problems in (
            ("left out", report.left_out),
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


def _is_of_an_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C fell into a query: taking the transaction back may then fail in its own way."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, KeyboardInterrupt):
        seen = seen.__cause__ or seen.__context__
    return seen is not None


def _asides(report: ImportReport) -> Iterator[str]:
    if report.mapping:
        yield f"read by the saved mapping {report.mapping}"
    if report.resumed_after:
        yield f"went on after {report.resumed_after:,} lines that an earlier import had done"
    if report.new_accounts:
        yield f"new accounts: {', '.join(report.new_accounts)}"
    if report.balances:
        yield f"{report.balances:,} balances stated, {report.balances_new:,} of them new"
    for balance in report.stated:
        if balance.agrees is False:
            yield (
                f"line {balance.line}: {balance.account} had {balance.amount} {balance.currency} at the end of "
                f"{balance.day}, and the ledger makes it {balance.expected}"
            )


class _Progress:
    """One line on the terminal that is written over, and what is to be said when the import is interrupted."""

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible
        self._last: ImportProgress | None = None

    def __call__(self, progress: ImportProgress) -> None:
        self._last = progress
        if self._visible:
            share = progress.read_bytes / progress.total_bytes if progress.total_bytes else 0.0
            bar = ("#" * int(share * BAR_CHARACTERS)).ljust(BAR_CHARACTERS)
            sys.stderr.write(f"\r[{bar}] {share:4.0%}  {progress.read:,} lines, {progress.recorded:,} recorded")
            sys.stderr.flush()

    def interrupted(self, *, dry_run: bool) -> str:
        if not dry_run and (self._last is None or not self._last.recorded):
            # A batch may have been committed in the very moment in which somebody pressed Ctrl-C.
            return "interrupted: the first lines at most are recorded; the same command again goes on from there"
        return f"interrupted: {self._so_far(dry_run=dry_run)}"

    def broke_off(self, *, dry_run: bool) -> str:
        return f"the file could not be read to its end: {self._so_far(dry_run=dry_run)}"

    def _so_far(self, *, dry_run: bool) -> str:
        if dry_run or self._last is None or not self._last.recorded:
            return "nothing was recorded"
        return (
            f"{self._last.recorded:,} events are recorded, up to line {self._last.line:,} of the "
            "file; the same command again goes on from there"
        )

    def clear(self) -> None:
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def _open(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        if Path(path).is_dir():
            raise FileRefused(f"{path} is a directory: name one file")
        stream = Path(path).open("rb")  # noqa: SIM115 - closed below; its errors are not those of the import
    except OSError as error:
        raise FileRefused(f"{path}: {_reason(error)}") from error
    except ValueError as error:
        raise FileRefused(f"{path!r} is not the name of a file: {error}") from error
    with stream:
        yield stream


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


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


def _currency(code: str) -> str:
    if code not in ACTIVE_CURRENCIES:
        raise argparse.ArgumentTypeError(f"{code!r} is not a currency code of ISO 4217, such as EUR")
    return code


def _source(name: str) -> str:
    if not 1 <= len(name) <= 64:
        raise argparse.ArgumentTypeError("a source has 1 to 64 characters")
    return name
