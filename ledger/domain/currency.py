"""Currencies one can hold, and those one could hold since 1999: codes of ISO 4217.

Funds, metals and test codes are none.
"""

from datetime import date

ACTIVE_CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a table of codes reads better as one
)

# Codes a past event may carry although nobody can hold them today: replaced by the euro or by a new unit since
# 1999. The month in which each ceased to be legal tender, or in which ISO 4217 withdrew the code; the later one.
_LAST_MONTHS = {
    "2002-03": "ATS BEF DEM ESP FIM FRF GRD IEP ITL LUF NLG PTE",
    "2004-01": "SRG",
    "2006-12": "MZM ROL TRL",
    "2007-07": "SDD SIT",
    "2008-01": "CYP GHC MTL VEB",
    "2009-01": "SKK TMM",
    "2011-01": "EEK",
    "2013-06": "ZMK",
    "2014-01": "LVL",
    "2015-01": "LTL",
    "2017-01": "BYR",
    "2018-12": "MRO STD VEF",
    "2021-06": "CUC",
    "2023-01": "HRK",
    "2024-09": "SLL ZWL",
    "2025-07": "ANG",
    "2026-02": "BGN",
}
# A refund or a correction of the old money may still be posted in it, converted at its fixed rate.
YEARS_OF_LATE_POSTINGS = 1


def _first_day_after(last_month: str) -> date:
    year, month = map(int, last_month.split("-"))
    return date(year + YEARS_OF_LATE_POSTINGS + month // 12, month % 12 + 1, 1)


# The first day on which nothing can be dated in it any more.
FORMER_CURRENCIES = {
    code: _first_day_after(last_month) for last_month, codes in _LAST_MONTHS.items() for code in codes.split()
}
KNOWN_CURRENCIES = ACTIVE_CURRENCIES.union(FORMER_CURRENCIES)
