"""Currencies that became the euro, at the rates at which the euro took their place for good.

Source: Article 1 of Council Regulation (EC) No 2866/98 as amended by Regulations (EC) 1478/2000 (Greece),
1086/2006 (Slovenia), 1134/2007 (Malta), 1135/2007 (Cyprus), 694/2008 (Slovakia), (EU) 671/2010 (Estonia),
870/2013 (Latvia), 851/2014 (Lithuania), 2022/1208 (Croatia) and 2025/1409 (Bulgaria). A rate has six significant
digits, by law.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class EuroAdoption:
    """Attributes:
    units_per_euro: irrevocable.
    since: the first day of the euro in that country; the rate holds on it and on every later one.
    """

    units_per_euro: Decimal
    since: date


_BY_DAY = {
    date(1999, 1, 1): {
        "ATS": "13.7603",
        "BEF": "40.3399",
        "DEM": "1.95583",
        "ESP": "166.386",
        "FIM": "5.94573",
        "FRF": "6.55957",
        "IEP": "0.787564",
        "ITL": "1936.27",
        "LUF": "40.3399",
        "NLG": "2.20371",
        "PTE": "200.482",
    },
    date(2001, 1, 1): {"GRD": "340.750"},
    date(2007, 1, 1): {"SIT": "239.640"},
    date(2008, 1, 1): {"CYP": "0.585274", "MTL": "0.429300"},
    date(2009, 1, 1): {"SKK": "30.1260"},
    date(2011, 1, 1): {"EEK": "15.6466"},
    date(2014, 1, 1): {"LVL": "0.702804"},
    date(2015, 1, 1): {"LTL": "3.45280"},
    date(2023, 1, 1): {"HRK": "7.53450"},
    date(2026, 1, 1): {"BGN": "1.95583"},
}

EURO_ADOPTIONS = {
    currency: EuroAdoption(Decimal(units), since)
    for since, currencies in _BY_DAY.items()
    for currency, units in currencies.items()
}
