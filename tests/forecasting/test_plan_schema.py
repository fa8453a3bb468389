"""The published schema and the parser say yes and no to the same documents."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import forecasting
from forecasting.fit.plan import InvalidPlan, parse_plan

SCHEMA = json.loads((Path(forecasting.__file__).parent / "plan_schema.json").read_text(encoding="utf-8"))
CHECKER = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())

PLAN: dict[str, Any] = {
    "company": "acme",
    "base_currency": "USD",
    "as_of": "2026-03-31",
    "history_start": "2025-01-01",
    "opening_balance": {"USD": "1200000.00", "EUR": "-20.5"},
    "history_opening_balance": {"USD": "2400000.00"},
    "fx": {"EUR": 1.0825, "GBP": "1.271"},
    "fx_history": [["2026-03-31", 1.0825, "1.271"]],
    "tranches": [
        {
            "date": "2026-06-01",
            "amount": "1500000.00",
            "probability": 0.8,
            "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9.5},
            "milestone": "ARR",
        }
    ],
    "cloud_credits": [{"provider": "aws", "remaining": "0", "expires": "2026-09-30"}],
    "planned_hires": [{"start": "2026-05-01", "monthly_gross": "9000", "currency": "EUR", "confirmed": True}],
    "annual_renewals": [{"vendor": "Vendor", "date": "2026-11-02", "amount": "24000.00"}],
    "open_receivables": [{"customer": "Customer", "amount": "35000.00", "due": "2026-04-15"}],
}

# (path of keys, value that neither may take)
REFUSED: list[tuple[tuple[str | int, ...], object]] = [
    (("unknown",), 1),
    (("as_of",), "31.03.2026"),
    (("as_of",), "2026-02-30"),
    (("base_currency",), "usd"),
    (("opening_balance", "USD"), 1200000),
    (("opening_balance", "USD"), "1e6"),
    (("opening_balance", "USD"), "1.1234567"),
    (("opening_balance", "USD"), "1" * 15),
    (("opening_balance", "dollars"), "1.00"),
    (("fx", "EUR"), 0),
    (("fx", "EUR"), "-1"),
    (("fx", "EUR"), True),
    (("fx_history", 0), ["2026-03-31", 1.08]),
    (("tranches", 0, "probability"), 1),
    (("tranches", 0, "probability"), 0),
    (("tranches", 0, "amount"), "0.00"),
    (("tranches", 0, "amount"), "-5"),
    (("tranches", 0, "delay", "dist"), "normal"),
    (("tranches", 0, "delay", "mean_days"), 0),
    (("tranches", 0, "delay", "sd_days"), 731),
    (("tranches", 0, "note"), "x"),
    (("cloud_credits", 0, "remaining"), "-1"),
    (("cloud_credits", 0, "expires"), None),
    (("planned_hires", 0, "confirmed"), "yes"),
    (("planned_hires", 0, "currency"), "EURO"),
    (("annual_renewals",), {}),
    (("annual_renewals", 0, "vendor"), "v" * 256),
    (("open_receivables", 0), "Customer"),
]


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    document = copy.deepcopy(PLAN)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_both_accept_a_plan_with_every_key() -> None:
    assert set(PLAN) == set(SCHEMA["properties"])
    CHECKER.validate(PLAN)
    parse_plan(PLAN)


@pytest.mark.parametrize(("path", "value"), REFUSED, ids=lambda part: str(part)[:40])
def test_both_refuse(path: tuple[str | int, ...], value: object) -> None:
    document = changed(path, value)
    assert not CHECKER.is_valid(document)
    with pytest.raises(InvalidPlan):
        parse_plan(document)


@pytest.mark.parametrize(
    "key", ["tranches", "cloud_credits", "planned_hires", "annual_renewals", "open_receivables"]
)
def test_both_know_the_same_required_keys(key: str) -> None:
    for name in PLAN[key][0]:
        document = copy.deepcopy(PLAN)
        del document[key][0][name]
        try:
            parse_plan(document)
        except InvalidPlan:
            assert not CHECKER.is_valid(document), name
        else:
            assert CHECKER.is_valid(document), name


def test_both_accept_the_generated_plans(shared_data: Path) -> None:
    paths = sorted((shared_data / "companies").glob("*/plan.json"))
    assert paths
    for path in paths:
        document = json.loads(path.read_text(encoding="utf-8"))
        CHECKER.validate(document)
        parse_plan(document)
