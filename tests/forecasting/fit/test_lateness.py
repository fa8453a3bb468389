import numpy as np
import pytest

from forecasting.fit.lateness import USUAL, Lateness, read_lateness
from forecasting.fit.read_rows import read_cash_rows
from ledger.domain.flows import day_number
from tests.forecasting.fit.test_clients import AS_OF, client
from tests.forecasting.journal import history, monthly

DUE = {"Client": "2025-07-15"}


def lateness(text: str, due: dict[str, str] | None = None) -> Lateness:
    rows = read_cash_rows(history(text, as_of=AS_OF))
    return read_lateness(
        rows, {name: day_number(np.datetime64(day).astype(object)) for name, day in (due or DUE).items()}
    )


def test_whoever_pays_five_days_after_the_day_of_the_month_is_five_days_late():
    late = lateness(client("Client", day=20))
    trust = 8 / 14  # eight payments against six that are usual
    assert late.shift + late.spread == pytest.approx(trust * 5 + (1 - trust) * 12)
    assert late.spread == pytest.approx((1 - trust) * 12)


def test_who_pays_early_pays_early():
    late = lateness(client("Client", day=12))
    assert late.shift + late.spread == pytest.approx(8 / 14 * -3 + 6 / 14 * 12)


def test_of_who_pays_by_the_quarter_the_days_of_the_quarter_say_it():
    late = lateness("".join(f"{day} 100 invoices Client\n" for day in ("2024-10-20", "2025-01-20", "2025-04-20")))
    assert late.shift + late.spread == pytest.approx(3 / 9 * 5 + 6 / 9 * 12, abs=0.5)


@pytest.mark.parametrize(
    "text",
    [
        client("Somebody Else", day=20),
        client("Client", months=2),
        monthly(start="2024-07-20", months=1, line="100 invoices Client")
        + monthly(start="2024-12-20", months=1, line="100 invoices Client")
        + monthly(start="2025-06-20", months=1, line="100 invoices Client"),
        "".join(
            f"2025-0{n}-{day} 100 invoices Client\n"
            for n, day in enumerate(("02", "28", "11", "19", "05"), start=1)
        ),
    ],
    ids=["who owes never paid", "too few", "not monthly", "any day of the month"],
)
def test_where_the_ledger_does_not_tell_it_is_what_is_usual(text):
    assert lateness(text) == USUAL
