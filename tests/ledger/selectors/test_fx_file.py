"""The European Central Bank's history from a file of the operator's."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from ledger.selectors import fx
from ledger.selectors.fx import euro_rates, rate

HEADER = "Date,USD,GBP,"
FIRST, SECOND = "2026-11-24,1.1700,0.8800,", "2026-11-25,1.1800,0.8700,"


@pytest.fixture
def path(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fx, "_read", None)
    settings.ECB_RATES_PATH = str(tmp_path / "eurofxref-hist.zip")
    return tmp_path / "eurofxref-hist.zip"


def publish(path: Path, *lines: str) -> None:
    """Put a file in place of the one before, as a careful operator does."""
    fresh = path.with_name("fresh")
    with ZipFile(fresh, "w") as archive:
        archive.writestr("eurofxref-hist.csv", "\n".join([HEADER, *lines]))
    fresh.replace(path)


def dollars(on: date) -> Decimal:
    return rate(currency="EUR", base="USD", on=on).rate


def test_a_day_that_the_bank_publishes_counts_as_soon_as_the_file_is_there(path: Path) -> None:
    publish(path, FIRST)
    assert dollars(date(2026, 11, 25)) == Decimal("1.17")
    publish(path, SECOND, FIRST)
    assert dollars(date(2026, 11, 25)) == Decimal("1.18")
    assert euro_rates().last_day == date(2026, 11, 25)


def test_a_file_that_has_not_changed_is_read_once(path: Path) -> None:
    publish(path, FIRST)
    assert euro_rates() is euro_rates()


def test_the_csv_itself_will_do(path: Path, settings: Any) -> None:
    settings.ECB_RATES_PATH = str(path.with_suffix(".csv"))
    path.with_suffix(".csv").write_text("\n".join([HEADER, SECOND]))
    assert dollars(date(2026, 11, 25)) == Decimal("1.18")


@pytest.mark.parametrize("content", [b"", b"PK broken", b"<html>busy</html>"])
def test_a_broken_file_is_told_and_the_one_before_counts(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    publish(path, FIRST)
    good = euro_rates()
    path.write_bytes(content)
    assert euro_rates() is good
    assert euro_rates() is good
    assert caplog.text.count("ecb_rates_unreadable") == 1
    publish(path, SECOND, FIRST)
    assert euro_rates().last_day == date(2026, 11, 25)


def test_a_csv_without_the_banks_columns_is_broken(path: Path, settings: Any) -> None:
    settings.ECB_RATES_PATH = str(path.with_suffix(".csv"))
    path.with_suffix(".csv").write_text("Name,USD\nx,1")
    assert euro_rates().first_day == date(1999, 1, 4)


def test_without_the_file_the_packages_history_counts(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert euro_rates().first_day == date(1999, 1, 4)
    assert "ecb_rates_unreadable" in caplog.text
    publish(path, FIRST)
    assert euro_rates().first_day == date(2026, 11, 24)
