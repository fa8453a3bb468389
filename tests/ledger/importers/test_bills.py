"""Cloud bills in the forms of their providers: FOCUS, AWS, Azure, and those that are refused by name."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.domain.cloud_bill import BillLine
from ledger.importers.registry import detect
from ledger.importers.row import BadRow, FileRefused

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.csv").read_text(encoding="utf-8")


def changed(name: str, before: str, after: str) -> str:
    text = sample(name)
    assert before in text
    return text.replace(before, after)


def test_the_word_null_is_nothing_and_naive_times_are_utc(read) -> None:
    line = read("focus", sample("focus"), timezone="America/New_York")[2]
    assert (line.resource, line.quantity, line.unit) == ("", None, "")
    assert line.occurred_at == datetime(2025, 11, 4, tzinfo=UTC)
    assert line.key.period_start == date(2025, 11, 1)
    assert line.period_end == date(2025, 12, 1)


def test_cash_follows_what_is_billed_and_the_effective_cost_stands_beside_it(read) -> None:
    purchase = read("focus", sample("focus"))[3]
    assert (purchase.charge_type, purchase.billed, purchase.effective) == ("purchase", Decimal(720), Decimal(0))


def test_a_charge_for_several_days_says_until_when(read) -> None:
    usage, *_, purchase, tax, credit, _ = read("focus", sample("focus"))
    assert (usage.until, credit.until) == (None, None), "an hour before midnight, and a day"
    assert (purchase.until, tax.until) == (date(2025, 12, 1), date(2025, 12, 1))
    whole = changed("aws-cur", "2025-11-04T00:00:00.000Z,AmazonS3", "2025-11-30T23:59:59Z,AmazonS3")
    assert read("aws-cur", whole)[0].until == date(2025, 12, 1), "the last second belongs to the period"
    assert read("aws-cur", sample("aws-cur"))[0].until is None
    backwards = changed("aws-cur", "2025-11-04T00:00:00.000Z,AmazonS3", "2025-11-01T00:00:00Z,AmazonS3")
    assert read("aws-cur", backwards)[0].until is None
    unsaid = changed("aws-cur", "2025-11-04T00:00:00.000Z,AmazonS3", ",AmazonS3")
    assert read("aws-cur", unsaid)[0].until is None


def test_a_line_of_one_day_is_known_again_by_what_it_was_kept_as_before_ends_were_read(read) -> None:
    assert read("focus", sample("focus"))[0].digest.hex().startswith("cc4923b0d47cdd71f326f0cf705b05d1")


def test_every_digit_and_exponents_are_kept(read) -> None:
    assert read("focus", sample("focus"))[0].billed == Decimal("0.0416000000001")
    assert read("aws-cur", sample("aws-cur"))[0].billed == Decimal("0.0000000052")
    assert read("azure-cost", sample("azure-cost"))[0].billed == Decimal("0.0000564902")


def test_what_aws_adds_to_focus_names_the_usage_where_a_sku_names_nothing(read) -> None:
    text = changed("focus", "SkuId,", "SkuId,x_UsageType,").replace(",SKU1,", ",SKU1,EU-BoxUsage:m5.large,")
    header, line, *_ = text.splitlines()
    assert read("focus", f"{header}\n{line}\n")[0].usage_type == "EU-BoxUsage:m5.large"
    assert read("focus", sample("focus"))[0].usage_type == "SKU1"


def test_a_negative_correction_is_a_line_like_others(read) -> None:
    correction = read("focus", sample("focus"))[2]
    assert (correction.charge_type, correction.billed) == ("usage", Decimal("-1.5"))


@pytest.mark.parametrize(
    ("before", "after", "column", "message"),
    [
        (",720,0,720,", ",12 EUR,0,720,", "BilledCost", "is not a number"),
        (",720,0,720,", ",NULL,0,720,", "BilledCost", "is missing"),
        (",720,0,720,", ",1e99,0,720,", "BilledCost", "is out of range"),
        (",720,0,720,", ",NaN,0,720,", "BilledCost", "is not a number"),
        ("Purchase", "Gift", "ChargeCategory", "is 'Gift', and not one of Usage"),
        ("2025-11-04 00:00:00,2025-11-05", "yesterday,2025-11-05", "ChargePeriodStart", "is not a time"),
        ("2025-11-04 00:00:00,2025-11-05", "1970-01-01,2025-11-05", "ChargePeriodStart", "is before 1999"),
    ],
)
def test_a_line_that_cannot_be_read_names_its_column(read, before, after, column, message) -> None:
    rows = read("focus", changed("focus", before, after))
    (bad,) = (row for row in rows if isinstance(row, BadRow))
    assert bad.problems[0].field == column
    assert message in bad.problems[0].message


def test_both_spellings_of_aws_are_one(read) -> None:
    legacy = sample("aws-cur")
    header, _, body = legacy.partition("\n")
    words = {"lineItem": "line_item"}
    new_names = []
    for name in header.split(","):
        group, column = name.split("/")
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in column)
        new_names.append(f"{words.get(group, group)}_{snake.lstrip('_')}")
    new = ",".join(new_names) + "\n" + body.replace("T00:00:00.000Z", " 00:00:00.000")
    assert "line_item_unblended_cost" in new
    assert detect(io.BytesIO(new.encode())).name == "aws-cur"
    assert read("aws-cur", new) == read("aws-cur", legacy)


def test_a_savings_plan_costs_its_fee_once(read) -> None:
    lines = read("aws-cur", sample("aws-cur"))
    by_type = {}
    for line in lines:
        billed, effective = by_type.get((line.service, line.charge_type), (0, 0))
        by_type[line.service, line.charge_type] = (billed + line.billed, effective + line.effective)
    # The covered usage is taken off again; what is billed is the fee, what was used of it is the effective cost.
    assert by_type["AmazonEC2", "usage"] == (Decimal(0), Decimal("0.07"))
    assert by_type["ComputeSavingsPlans", "purchase"] == (Decimal("0.08"), Decimal("0.01"))


def test_a_kind_of_line_that_aws_adds_is_booked_for_what_it_costs(read) -> None:
    line = read("aws-cur", changed("aws-cur", ",Refund,", ",Surprise,"))[-1]
    assert (line.charge_type, line.billed) == ("adjustment", Decimal("-0.25"))


def test_the_last_day_of_an_azure_period_belongs_to_it(read) -> None:
    line = read("azure-cost", sample("azure-cost"))[0]
    assert (line.key.period_start, line.period_end) == (date(2025, 11, 1), date(2025, 12, 1))
    assert line.occurred_at == datetime(2025, 11, 2, tzinfo=UTC)


def test_an_amortized_azure_export_is_refused(read) -> None:
    with pytest.raises(FileRefused, match="line 4 is of UnusedReservation: this is Azure's amortized export"):
        read("azure-cost", changed("azure-cost", ",Purchase,", ",UnusedReservation,"))


def test_files_of_one_bill_may_be_joined(read) -> None:
    text = sample("focus")
    header, _, body = text.partition("\n")
    lines = body.splitlines(keepends=True)
    joined = header + "\n" + "".join(lines[:3]) + header + "\n" + "".join(lines[3:])
    assert [line.digest for line in read("focus", joined)] == [line.digest for line in read("focus", text)]


def test_a_provider_has_one_name_in_all_formats(read) -> None:
    spelled_out = read("focus", changed("focus", "AWS,100", "Amazon Web Services,100"))
    assert {line.key for line in spelled_out} == {line.key for line in read("aws-cur", sample("aws-cur"))}


@pytest.mark.parametrize(
    ("path", "name", "lines", "total"),
    [
        ("focus/focus_sample.csv", "focus", 1000, "20.52022672899"),
        ("aws-cur/aws/sample-anonymous-aws-export-dataset.csv", "aws-cur", 1281, "1.68230869740"),
        ("aws-cur/azure/sample-anonymous-ea-export-dataset.csv", "azure-cost", 27, "1.26136926505726"),
    ],
)
def test_real_exports_are_read_to_the_last_line_and_digit(read, shared_data, path, name, lines, total) -> None:
    content = (shared_data / path).read_bytes()
    assert detect(io.BytesIO(content)).name == name
    found = read(name, content)
    assert len(found) == lines
    assert all(isinstance(line, BillLine) for line in found)
    assert sum(line.billed for line in found) == Decimal(total)


def test_a_real_oracle_report_is_refused_by_name(shared_data) -> None:
    content = (shared_data / "aws-cur/oci/reports_cost-csv_0000000030000269.csv").read_bytes()
    with pytest.raises(FileRefused, match="Oracle cost report: it holds some hours of a month"):
        detect(io.BytesIO(content))


def test_an_aws_report_without_the_columns_of_a_bill_is_refused_by_name() -> None:
    content = b"bill/PayerAccountId,lineItem/UsageStartDate,lineItem/BlendedCost\n1,2025-11-01T00:00:00Z,3\n"
    with pytest.raises(FileRefused, match=r"without bill/BillingPeriodStartDate"):
        detect(io.BytesIO(content))
