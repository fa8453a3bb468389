"""Reading large files of every format: time and memory of a process against a file of a hundredth of the size.

Each reading is a process of its own, so that its peak is its own. Reading is what differs between formats; what
is recorded goes through the one recorder, which `bulk` measures. NDJSON is also imported, ten times as large and
once: rows recorded per second, and the peak of the importing process.

Goals: memory flat (the large file takes at most 24 MB more), speed proportional (no row of the large file costs
more than 1.3 times one of the small file). CAPSTACK_BENCH_MEGABYTES makes the large files smaller.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from bench.stack import manage, running_stack, told_apart

LARGE_MEGABYTES = int(os.environ.get("CAPSTACK_BENCH_MEGABYTES", "200"))
SMALL_MEGABYTES = 2
IMPORTED_MEGABYTES = 20
MEGABYTE = 1_000_000

GOALS = {
    "most_memory_growth_mb": "<= 24",
    "most_slowing": "<= 1.3",
    "import_memory_growth_mb": "<= 60",
}


def run() -> dict[str, Any]:
    """Measure; returns figures by name."""
    figures: dict[str, Any] = {"large_mb": LARGE_MEGABYTES}
    growths, slowings = [], []
    with tempfile.TemporaryDirectory(prefix="capstack-bench-") as name:
        folder = Path(name)
        for format_name, pieces in FILES.items():
            small = told_apart(read, str(write(folder / "small", pieces, SMALL_MEGABYTES)), format_name)
            large = told_apart(read, str(write(folder / "large", pieces, LARGE_MEGABYTES)), format_name)
            growths.append(large["peak_mb"] - small["peak_mb"])
            slowings.append(small["rows_per_second"] / large["rows_per_second"])
            figures |= {
                f"{format_name}_rows_per_second": large["rows_per_second"],
                f"{format_name}_mb_per_second": LARGE_MEGABYTES / large["seconds"],
                f"{format_name}_peak_mb": large["peak_mb"],
                f"{format_name}_memory_growth_mb": growths[-1],
                f"{format_name}_slowing": slowings[-1],
            }
        figures |= {"most_memory_growth_mb": max(growths), "most_slowing": max(slowings)}
        return figures | imported(folder)


def write(path: Path, pieces: Callable[[], Iterator[str]], megabytes: int) -> Path:
    """Write a file of a format, of about that size."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for piece in pieces():
            written += file.write(piece)
            if written >= megabytes * MEGABYTE:
                break
        file.write(ENDS.get(pieces, ""))
    return path


def read(path: str, format_name: str) -> None:
    """Print, as JSON, how long it took to read a file to its end, and the peak of this process."""
    import resource
    import time
    from zoneinfo import ZoneInfo

    from ledger.importers.csv_mapping import CsvChoices
    from ledger.importers.importer import ImportContext
    from ledger.importers.registry import detect
    from ledger.importers.row import BadRow

    context = ImportContext(account=None, currency="USD", timezone=ZoneInfo("UTC"), choices=CsvChoices())
    with Path(path).open("rb") as stream:
        importer = detect(stream)
        if importer.name != format_name:
            raise RuntimeError(f"taken for {importer.name}, and it is {format_name}")
        begun = time.perf_counter()
        rows = 0
        for found in importer.rows(stream, context):
            if isinstance(found, BadRow):
                raise RuntimeError(f"unreadable: {found}")
            rows += 1
        seconds = time.perf_counter() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows_per_second": rows / seconds, "seconds": seconds, "peak_mb": peak_mb}))


def imported(folder: Path) -> dict[str, Any]:
    """Import a small and a large file through the command, each into a company of its own."""
    figures = {}
    with running_stack() as stack:
        for name, megabytes in (("small", SMALL_MEGABYTES), ("large", IMPORTED_MEGABYTES)):
            path = write(folder / f"{name}.ndjson", ndjson, megabytes)
            manage(stack.env, "create_company", name, "--name", name, "--currency", "USD", "--timezone", "UTC")
            figures[name] = told_apart(take, str(path), name, env=stack.env)
    return {
        "imported_mb": IMPORTED_MEGABYTES,
        "import_rows_per_second": figures["large"]["rows_per_second"],
        "import_peak_mb": figures["large"]["peak_mb"],
        "import_memory_growth_mb": figures["large"]["peak_mb"] - figures["small"]["peak_mb"],
        "import_slowing": figures["small"]["rows_per_second"] / figures["large"]["rows_per_second"],
    }


def take(path: str, slug: str) -> None:
    """Import a file; print, as JSON, rows recorded per second and the peak of this process."""
    import resource
    import time

    import django

    django.setup()
    from django.utils import timezone

    from ledger.selectors.companies import company_ref
    from ledger.services.import_events import import_events

    with Path(path).open("rb") as stream:
        begun = time.perf_counter()
        report = import_events(company=company_ref(slug=slug), stream=stream, actor="bench", now=timezone.now())
        seconds = time.perf_counter() - begun
    if report.recorded != report.read:
        raise RuntimeError(f"{report.recorded} of {report.read} recorded")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows_per_second": report.recorded / seconds, "peak_mb": peak_mb}))


def day(number: int) -> tuple[int, int]:
    """A month of 2026 up to October, and a day of it."""
    return number // 28 % 10 + 1, number % 28 + 1


def ndjson() -> Iterator[str]:
    for number in count():
        month, date = day(number)
        yield (
            f'{{"source": "bank", "event_type": "expense", "amount": "{number % 997 + 1}.25", "currency": "USD", '
            f'"occurred_at": "2026-{month:02}-{date:02}T{number % 24:02}:00:00Z", "external_ref": "e{number}", '
            f'"counterparty": "Supplier {number % 300}", "metadata": {{"note": "invoice {number}"}}}}\n'
        )


def bank_csv() -> Iterator[str]:
    yield "Date,Amount,Description,Counterparty\n"
    for number in count():
        month, date = day(number)
        amount = f"-{number % 997 + 1}.25"
        yield f'2026-{month:02}-{date:02},{amount},"Invoice {number}, paid",Supplier {number % 300}\n'


def ofx() -> Iterator[str]:
    yield (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD\n"
        "<BANKACCTFROM><BANKID>1<ACCTID>4711<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n"
    )
    for number in count():
        month, date = day(number)
        yield (
            f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>2026{month:02}{date:02}120000<TRNAMT>-{number % 997 + 1}.25"
            f"<FITID>f{number}<NAME>Supplier {number % 300}<MEMO>Invoice {number}</STMTTRN>\n"
        )


def camt053() -> Iterator[str]:
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>'
        "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>\n"
    )
    for number in count():
        month, date = day(number)
        yield (
            f'<Ntry><Amt Ccy="EUR">{number % 997 + 1}.25</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>'
            f"<BookgDt><Dt>2026-{month:02}-{date:02}</Dt></BookgDt><AcctSvcrRef>r{number}</AcctSvcrRef>"
            f"<NtryDtls><TxDtls><RltdPties><Cdtr><Nm>Supplier {number % 300}</Nm></Cdtr></RltdPties>"
            f"<RmtInf><Ustrd>Invoice {number}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
        )


def mt940() -> Iterator[str]:
    yield ":20:X\n:25:DE89370400440532013000\n:28C:1/1\n:60F:C260101EUR100,00\n"
    for number in count():
        month, date = day(number)
        yield (
            f":61:26{month:02}{date:02}{month:02}{date:02}D{number % 997 + 1},25NTRFNONREF//{number}\n"
            f":86:Supplier {number % 300} invoice {number}\n"
        )


def focus() -> Iterator[str]:
    yield (
        "ProviderName,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,SubAccountId,"
        "ServiceName,RegionId,ResourceId,ChargeCategory,SkuId,ConsumedQuantity,ConsumedUnit,BilledCost,"
        "EffectiveCost,ListCost,BillingCurrency\n"
    )
    for number in count():
        yield (
            f"AWS,100,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,2026-03-{number % 28 + 1:02}T00:00:00Z,7,"
            f"Service {number % 60},eu-west-1,arn:aws:ec2:{number},Usage,sku{number % 900},1.5,Hours,"
            f"0.{number % 9973 + 1:010},0.1,0.2,USD\n"
        )


def cur() -> Iterator[str]:
    yield (
        "bill/PayerAccountId,bill/BillingPeriodStartDate,bill/BillingPeriodEndDate,lineItem/UsageStartDate,"
        "lineItem/UsageAccountId,lineItem/ProductCode,product/regionCode,lineItem/ResourceId,"
        "lineItem/LineItemType,lineItem/UsageType,lineItem/UsageAmount,pricing/unit,lineItem/UnblendedCost,"
        "pricing/publicOnDemandCost,lineItem/CurrencyCode\n"
    )
    for number in count():
        yield (
            f"100,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,2026-03-{number % 28 + 1:02}T00:00:00Z,7,"
            f"AmazonEC2,eu-west-1,i-{number:017x},Usage,BoxUsage:{number % 40},1.0,Hrs,0.{number % 9973 + 1:010},"
            "0.2,USD\n"
        )


FILES: dict[str, Callable[[], Iterator[str]]] = {
    "ndjson": ndjson,
    "csv": bank_csv,
    "ofx": ofx,
    "camt053": camt053,
    "mt940": mt940,
    "focus": focus,
    "aws-cur": cur,
}
# What a file of the format ends with.
ENDS: dict[Callable[[], Iterator[str]], str] = {
    ofx: "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n",
    camt053: "</Stmt></BkToCstmrStmt></Document>\n",
    mt940: ":62F:C261001EUR50,00\n-\n",
}
