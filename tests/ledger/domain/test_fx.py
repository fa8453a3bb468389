"""Exchange rates of the European Central Bank."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zipfile import ZipFile

import pytest

from ledger.domain.currency import FORMER_CURRENCIES
from ledger.domain.euro_adoption import EURO_ADOPTIONS
from ledger.domain.fx import MAX_GAP_DAYS, EuroRates, UnknownRate, read_euro_rates
from ledger.selectors.fx import euro_rates, rate

# Thursday to Tuesday over a weekend; the krona pauses, the lev becomes the euro, the rouble is gone.
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
    with pytest.raises(UnknownRate, match="RUB"):
        rate(currency="RUB", base="USD", on=date(2024, 7, 1))
    with pytest.raises(UnknownRate, match="GRD"):
        rate(currency="GRD", base="USD", on=date(2000, 7, 3))


# Units per euro, as the Official Journal prints them: Regulation 2866/98 and the ones that amend it.
BY_LAW = """
    ATS 13.7603    1999  BEF 40.3399    1999  DEM 1.95583    1999  ESP 166.386    1999  FIM 5.94573    1999
    FRF 6.55957    1999  IEP 0.787564   1999  ITL 1936.27    1999  LUF 40.3399    1999  NLG 2.20371    1999
    PTE 200.482    1999  GRD 340.750    2001  SIT 239.640    2007  CYP 0.585274   2008  MTL 0.429300   2008
    SKK 30.1260    2009  EEK 15.6466    2011  LVL 0.702804   2014  LTL 3.45280    2015  HRK 7.53450    2023
    BGN 1.95583    2026
""".split()  # noqa: SIM905 - a table reads better as one
FIXED = [(BY_LAW[place], Decimal(BY_LAW[place + 1]), int(BY_LAW[place + 2])) for place in range(0, len(BY_LAW), 3)]


@pytest.mark.parametrize(("currency", "units", "year"), FIXED)
def test_a_currency_that_became_the_euro_keeps_its_rate_by_law(currency: str, units: Decimal, year: int) -> None:
    assert currency in FORMER_CURRENCIES
    for day in (date(year, 1, 1), date(2026, 1, 3), date(2031, 5, 5)):
        quote = rate(currency="EUR", base=currency, on=day)
        assert (quote.rate, quote.source) == (units, "euro-fixed")
        assert quote.at.date() == date(year, 1, 1), "since when it holds"
    friday = date(2026, 3, 6)
    dollars = rate(currency="EUR", base="USD", on=friday).rate
    quote = rate(currency=currency, base="USD", on=friday)
    assert quote.rate == (dollars / units).quantize(Decimal("0.000000000001"))
    assert (quote.source, quote.at.date()) == ("euro-fixed+ecb", friday), "as old as its published leg"


def test_every_currency_that_became_the_euro_is_known() -> None:
    assert {currency for currency, _, _ in FIXED} == EURO_ADOPTIONS.keys()
    assert all(euro_rates().knows(currency) for currency in EURO_ADOPTIONS)


def test_until_the_day_before_the_euro_the_published_rate_holds() -> None:
    before = rate(currency="HRK", base="EUR", on=date(2022, 12, 30))
    assert (before.source, before.rate) != (
        "euro-fixed",
        rate(currency="HRK", base="EUR", on=date(2023, 1, 1)).rate,
    )
    assert before.source == "ecb"
    assert rate(currency="HRK", base="EUR", on=date(2022, 12, 31)).source == "ecb"
    assert rate(currency="HRK", base="EUR", on=date(2023, 1, 1)).source == "euro-fixed"


def test_two_currencies_that_became_the_euro_change_through_it() -> None:
    quote = rate(currency="DEM", base="HRK", on=date(2023, 6, 1))
    assert quote.rate == (Decimal("7.53450") / Decimal("1.95583")).quantize(Decimal("0.000000000001"))
    assert (quote.source, quote.at.date()) == ("euro-fixed", date(2023, 1, 1))


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
        adoption = EURO_ADOPTIONS.get(currency)
        for day in days[::5]:
            if adoption is not None and day >= adoption.since:
                quote = published.quote(currency="EUR", base=currency, on=day)
                assert (quote.rate, quote.source) == (adoption.units_per_euro, "euro-fixed")
                continue
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
    # Became a new unit, or is quoted no more.
    assert {"RUB", "TRL", "ROL", "ISK"} <= refused
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
