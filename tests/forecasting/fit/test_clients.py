from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.fit.cash_rows import CashRows
from forecasting.fit.clients import MOST_CLIENTS, FittedClients, fit_clients
from forecasting.fit.contracts import Receivable
from forecasting.fit.invoiced import fit_invoiced
from forecasting.fit.read_rows import read_cash_rows
from ledger.domain.flows import day_number
from tests.forecasting.journal import history, monthly

AS_OF = "2025-06-30"
FEE = 3040.0  # 100 a day


def client(name: str, *, months: int = 18, until: str = "2025-06", day: int = 10, fee: float = FEE) -> str:
    """A client who pays on a day of each month, the last time in `until`."""
    year, month = (int(part) for part in until.split("-"))
    first = year * 12 + month - months
    return monthly(
        start=f"{first // 12}-{first % 12 + 1:02d}-{day:02d}", months=months, line=f"{fee} invoices {name}"
    )


def owes(name: str, due: str, *, amount: float = FEE, by_contract: bool = False) -> Receivable:
    return Receivable(name, day_number(date.fromisoformat(due)), amount, 0.98, 0, by_contract)


def read(text: str) -> tuple[CashRows, np.ndarray]:
    rows = read_cash_rows(history(text, as_of=AS_OF))
    return rows, rows.amount > 0


def fit(text: str, *owed: Receivable) -> FittedClients:
    rows, chosen = read(text)
    fitted = fit_clients(rows, chosen, owed=owed)
    assert fitted is not None
    return fitted


FOUR = "".join(client(f"Client {n}", day=5 + 4 * n) for n in range(4))


def test_all_who_pay_are_the_level():
    fitted = fit(FOUR)
    assert fitted.level_per_day == pytest.approx(400, rel=0.02)
    assert fitted.lvl < 0.06


def test_who_has_been_silent_for_two_months_has_gone():
    gone = client("Client 4", until="2025-03")
    assert fit(FOUR + gone).level_per_day == pytest.approx(400, rel=0.02)
    late = client("Client 4", until="2025-05", day=28)  # a few days behind
    assert fit(FOUR + late).level_per_day == pytest.approx(500, rel=0.04)


def test_a_month_in_which_somebody_pays_late_is_no_lower_level():
    """What receipts by month would say: June has three payments of four."""
    text = "".join(client(f"Client {n}", day=5 + 4 * n) for n in range(3)) + client(
        "Client 3", until="2025-05", day=28
    )
    rows, chosen = read(text)
    by_client, _ = fit_invoiced(rows, explained=np.zeros(len(rows.day), dtype=bool))
    assert by_client is not None
    assert by_client.level_per_day == pytest.approx(400, rel=0.03)
    assert chosen.all()


def test_who_has_no_invoice_where_the_others_have_one_has_probably_left():
    others = [owes(f"Client {n}", "2025-07-10") for n in range(3)]
    assert fit(FOUR, *others).level_per_day < 370 < fit(FOUR).level_per_day
    assert fit(FOUR, *others, owes("Client 3", "2025-07-20")).level_per_day == pytest.approx(400, rel=0.02)


def test_who_has_paid_the_newest_invoice_is_still_a_client_though_it_owes_none():
    owing = [owes(f"Client {n}", "2025-06-28") for n in range(4)]
    prompt = "".join(client(f"Prompt {n}", day=26) for n in range(2))
    assert fit(FOUR + prompt, *owing).level_per_day == pytest.approx(600, rel=0.02)


def test_who_has_neither_paid_nor_owes_where_all_others_did_either_has_probably_left():
    owing = [owes(f"Client {n}", "2025-06-28") for n in range(4)]
    prompt = "".join(client(f"Prompt {n}", day=26) for n in range(3))
    silent = client("Client 9", until="2025-05", day=28)
    assert fit(FOUR + prompt + silent, *owing).level_per_day == pytest.approx(700, rel=0.05)


def test_clients_who_pay_by_the_quarter_are_read_one_by_one():
    months = [(n, n % 3 + 3 * quarter) for n in range(12) for quarter in range(10)]
    fitted = fit(
        "".join(
            f"{2023 + month // 12}-{month % 12 + 1:02}-{n + 3:02} {FEE * 3} invoices Tenant {n}\n"
            for n, month in months
        )
    )
    assert fitted.level_per_day == pytest.approx(1200, rel=0.03)
    assert fitted.rw < 0.06


def test_who_has_only_the_invoice_of_the_month_before_has_probably_left():
    fresh = [owes(f"Client {n}", "2025-08-01") for n in range(3)]
    assert fit(FOUR, *fresh, owes("Client 3", "2025-07-01")).level_per_day < 360


def test_who_owes_and_never_paid_is_a_new_client():
    assert fit(FOUR, owes("New", "2025-07-12")).level_per_day == pytest.approx(500, rel=0.03)
    assert fit(FOUR, owes("Licence", "2025-07-12", by_contract=True)).level_per_day == pytest.approx(400, rel=0.02)


def test_comings_make_it_grow_and_goings_shrink_and_both_make_it_wander():
    born = "".join(client(f"New {n}", months=3 + 3 * n) for n in range(4))
    gone = "".join(client(f"Old {n}", months=12 + n, until=f"2025-0{1 + n}") for n in range(4))
    grows, shrinks, stays = fit(FOUR + born), fit(FOUR + gone), fit(FOUR)
    assert shrinks.g < stays.g < grows.g
    assert shrinks.rw > stays.rw
    assert grows.rw > stays.rw * 0.9


def test_one_large_client_makes_it_wander_more_than_many_small_ones():
    many = "".join(client(f"Client {n}", day=1 + n, fee=FEE / 5) for n in range(20))
    large = client("Large", fee=3 * FEE) + client("Small", fee=FEE)
    assert fit(large).rw > 2 * fit(many).rw


def test_the_receipts_of_whoever_pays_now_and_then_go_on_at_their_rate():
    odd = "2025-02-03 3650 invoices Once\n"
    assert fit(FOUR + odd).level_per_day == pytest.approx(fit(FOUR).level_per_day + 3650 / 365, rel=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"2025-0{1 + n % 4}-{1 + n % 28:02d} 500 invoices Customer {n}\n" for n in range(30)),
        "".join(client(f"Client {n}", months=6) for n in range(MOST_CLIENTS + 1)),
        client("Rare", months=1, until="2025-01"),
    ],
    ids=["nobody twice", "as many as a shop", "one payment"],
)
def test_where_a_look_at_each_client_tells_no_more_there_is_none(text):
    rows, chosen = read(text)
    assert fit_clients(rows, chosen, owed=()) is None


payments = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 600), st.floats(0.01, 1e7)), min_size=1, max_size=60
)


@given(payments=payments, owing=st.lists(st.tuples(st.integers(0, 8), st.integers(-60, 60)), max_size=5))
def test_whatever_was_paid_the_answer_is_finite(payments, owing):
    as_of = date.fromisoformat(AS_OF)
    text = "".join(
        f"{as_of - timedelta(days=day)} {amount:.2f} invoices C{who}\n" for who, day, amount in payments
    )
    rows, chosen = read(text)
    owed = tuple(owes(f"C{who}", str(as_of + timedelta(days=due))) for who, due in owing)
    fitted = fit_clients(rows, chosen, owed=owed)
    if fitted is not None:
        told = [getattr(fitted, name) for name in fitted.__slots__]
        assert np.isfinite(told).all()
        assert fitted.level_per_day > 0
        assert min(fitted.variance_per_day, fitted.lvl, fitted.gsd, fitted.rw) >= 0


def test_one_client_alone_is_read_though_receipts_are_too_few_to_be_read_together():
    rows, _ = read(client("Only"))
    fitted, explained = fit_invoiced(rows, explained=np.zeros(len(rows.day), dtype=bool))
    assert fitted is not None
    assert explained.all()
    assert fitted.level_per_day == pytest.approx(100, rel=0.03)
    assert fitted.rw > 0.1  # everything hangs on one


def test_a_new_client_who_pays_early_and_late_pays_as_often_as_it_did_in_all():
    """Invoices of four months, paid with 20, 20 and 51 days between them."""
    days = ("2025-03-10", "2025-03-30", "2025-04-19", "2025-06-09")
    newcomer = "".join(f"{day} {FEE} invoices Late\n" for day in days)
    alone = fit(client("A") + client("B"))
    assert fit(client("A") + client("B") + newcomer).level_per_day - alone.level_per_day == pytest.approx(
        100, rel=0.1
    )


def test_a_first_order_far_above_what_anybody_pays_is_no_fee_of_every_month():
    usual = fit(FOUR).level_per_day
    with_order = fit(FOUR + "2025-06-10 30000 invoices Order\n")
    assert with_order.level_per_day == pytest.approx(usual + 30000 / 365, rel=0.01)
    newcomer = fit(FOUR + "2025-06-10 5000 invoices Newcomer\n")
    assert newcomer.level_per_day == pytest.approx(usual + 5000 / 30.4, rel=0.05)


@pytest.mark.parametrize(("by_contract", "low", "high"), [(True, 410, 470), (False, 390, 410)])
def test_invoices_of_contracts_do_not_tell_which_client_has_left(monkeypatch, by_contract, low, high):
    """A level below all that came is doubted less only where the clients' own invoices are listed."""
    told = FittedClients(level_per_day=395.0, variance_per_day=1.0, lvl=0.05, g=0.0, gsd=0.01, rw=0.1)
    monkeypatch.setattr("forecasting.fit.invoiced.fit_clients", lambda *_, **__: told)
    rows, chosen = read(FOUR + client("Client 4", day=25))
    invoiced, _ = fit_invoiced(rows, explained=~chosen, owed=(owes("Big", "2025-07-10", by_contract=by_contract),))
    assert invoiced is not None
    assert low < invoiced.level_per_day < high
