"""Exchange rates of the European Central Bank."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zipfile import ZipFile

import pytest

from ledger.domain.fx import MAX_GAP_DAYS, EuroRates, UnknownRate, read_euro_rates
from ledger.selectors.fx import euro_rates, rate

# Thursday to Tuesday over a weekend; the krona pauses, the lev ends, the rouble is gone.
LINES = """Date,USD,JPY,SEK,BGN,RUB,
2026-01-06,1.1700,183.05,N/A,N/A,N/A,
2026-01-05,1.1650,182.90,N/A,N/A,N/A,
2026-01-02,1.1600,182.50,10.80,N/A,N/A,
2025-12-31,1.1550,182.10,10.75,1.9558,N/A,""".splitlines()


@pytest.fixture
def rates() -> EuroRates:
    return read_euro_rates(LINES)


def test_a_rate_through_the_euro_is_exact_to_twelve_decimals(rates: EuroRates) -> None:
    quote = rates.quote(currency="JPY", base="USD", on=date(2026, 1, 5))
    assert quote.rate == Decimal("0.006369600875")
    assert quote.source == "ecb"


def test_to_and_from_the_euro_it_is_the_published_number(rates: EuroRates) -> None:
    assert rates.quote(currency="EUR", base="USD", on=date(2026, 1, 6)).rate == Decimal("1.17")
    assert rates.quote(currency="USD", base="EUR", on=date(2026, 1, 6)).rate == Decimal("0.854700854701")


def test_a_weekend_has_the_rate_of_the_friday_before(rates: EuroRates) -> None:
    quote = rates.quote(currency="EUR", base="USD", on=date(2026, 1, 4))
    assert quote.rate == Decimal("1.16")
    assert quote.at == datetime(2026, 1, 2, 15, 0, tzinfo=UTC)


def test_a_short_gap_of_one_currency_is_bridged_and_dated_by_the_older_leg(rates: EuroRates) -> None:
    quote = rates.quote(currency="SEK", base="USD", on=date(2026, 1, 6))
    assert quote.at.date() == date(2026, 1, 2)


def test_after_the_end_of_the_file_its_last_rate_holds(rates: EuroRates) -> None:
    quote = rates.quote(currency="EUR", base="USD", on=date(2026, 9, 1))
    assert quote.rate == Decimal("1.17")
    assert quote.at.date() == date(2026, 1, 6)


@pytest.mark.parametrize(
    ("currency", "on"),
    [
        ("RUB", date(2026, 1, 6)),
        ("USD", date(2025, 12, 30)),
        ("XYZ", date(2026, 1, 6)),
        ("AED", date(2026, 1, 6)),
    ],
)
def test_without_a_rate_it_names_the_currency(rates: EuroRates, currency: str, on: date) -> None:
    with pytest.raises(UnknownRate, match=currency) as refused:
        rates.quote(currency=currency, base="EUR", on=on)
    assert refused.value.currency == currency


def test_a_missing_base_is_named_too(rates: EuroRates) -> None:
    with pytest.raises(UnknownRate, match="RUB"):
        rates.quote(currency="USD", base="RUB", on=date(2026, 1, 6))


def test_it_refuses_a_file_of_another_kind() -> None:
    with pytest.raises(ValueError, match="not a history"):
        read_euro_rates(["Name,USD", "2026-01-01,1"])


def test_the_bundled_history_begins_in_1999_and_knows_the_dead() -> None:
    assert euro_rates().first_day == date(1999, 1, 4)
    assert rate(currency="BGN", base="EUR", on=date(2015, 7, 1)).rate == Decimal("0.511299723898")
    with pytest.raises(UnknownRate, match="SIT"):
        rate(currency="SIT", base="USD", on=date(2010, 7, 1))


def test_a_gap_longer_than_a_week_is_no_rate() -> None:
    """Iceland's krona was not quoted from December 2008 to February 2018."""
    assert MAX_GAP_DAYS == 7
    with pytest.raises(UnknownRate, match="ISK"):
        rate(currency="ISK", base="USD", on=date(2012, 5, 5))


def test_a_currency_in_itself_is_one() -> None:
    quote = rate(currency="AED", base="AED", on=date(2026, 1, 6))
    assert quote.rate == 1
    assert quote.source == "same"


@pytest.fixture(scope="module")
def published(shared_data) -> EuroRates:
    """The file of the ECB as it was published, not the one that a package carries."""
    with ZipFile(shared_data / "ecb-fx" / "eurofxref-hist.zip") as archive:
        return read_euro_rates(archive.read(archive.namelist()[0]).decode("ascii").splitlines())


def test_on_every_day_since_1999_the_dollar_has_the_rate_last_published(published: EuroRates) -> None:
    expected = None
    day = published.first_day
    while day <= published.last_day:
        line = published.lines.get(day)
        if line is not None:
            expected = Decimal(line.split(",")[published.columns["USD"]])
        quote = published.quote(currency="EUR", base="USD", on=day)
        assert quote.rate == expected, day
        assert quote.at.date() <= day
        day += timedelta(days=1)


def test_every_gap_of_every_currency_is_bridged_for_a_week_and_refused_beyond(published: EuroRates) -> None:
    days = sorted(published.lines)
    refused = set()
    for currency, column in published.columns.items():
        last = None
        for day in days[::5]:
            texts = [
                (other, published.lines[other].split(",")[column])
                for back in range(MAX_GAP_DAYS + 1)
                if (other := day - timedelta(days=back)) in published.lines
            ]
            last = next((Decimal(text) for _, text in texts if text not in {"", "N/A"}), None)
            if last is None:
                refused.add(currency)
                with pytest.raises(UnknownRate, match=currency):
                    published.quote(currency=currency, base="EUR", on=day)
            else:
                assert published.quote(currency="EUR", base=currency, on=day).rate == last
    # Became the euro, a new unit, or is quoted no more.
    assert {"SIT", "CYP", "EEK", "HRK", "RUB", "TRL", "ROL", "ISK"} <= refused
    assert not {"USD", "GBP", "JPY", "CHF"} & refused


def test_no_rate_of_a_real_treasurys_coins_is_invented(published: EuroRates, shared_data) -> None:
    """Its rows carry rates of their own for coins; the ECB has none, and says which one."""
    with (shared_data / "grin-pm" / "income_log.csv").open(encoding="utf-8") as file:
        rows = [(row["currency"], row["date"], row["exchange_rate"]) for row in csv.DictReader(file)]
    coins = {currency for currency, _, _ in rows} - {"USD", ""}
    assert {"BTC", "GRIN", "ETH"} <= coins
    for coin in coins:
        with pytest.raises(UnknownRate, match=coin):
            published.quote(currency=coin, base="USD", on=date(2020, 3, 2))
    dollars = [Decimal(stated) for currency, _, stated in rows if currency == "USD" and stated]
    assert dollars
    assert set(dollars) == {Decimal(1)}
