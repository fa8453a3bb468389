"""Rules applied to a journal, again and again, without touching an event."""

from datetime import date
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.category import CategoryAssignment, CategoryRule
from ledger.models.event import CapitalEvent
from ledger.models.matching import EventReading
from ledger.selectors.category_rules import companies_to_categorise
from ledger.selectors.flows import daily_flows
from ledger.services import categorise
from ledger.services.categorise import apply_rules
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db
UNTIL = date(2026, 12, 31)


def write(company: CompanyRef, ref: str, **changes: Any) -> str:
    draft = make_draft(external_ref=ref, **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded"
    return outcome.event_id


def rule(company: CompanyRef, pattern: str, category: str, **changes: Any) -> CategoryRule:
    fields = {"test": "contains", "actor": "ann", "changed_at": NOW, **changes}
    return CategoryRule.objects.create(company_id=company.id, pattern=pattern, category=category, **fields)


def spent(company: CompanyRef) -> dict[tuple[str, str], float]:
    catch_up(company_id=company.id)
    flows = daily_flows(company_id=company.id, until=UNTIL)
    sums: dict[tuple[str, str], float] = {}
    for category, who, amount in zip(flows.category, flows.counterparty, flows.amount, strict=True):
        key = (flows.categories[category], flows.counterparties[who])
        sums[key] = sums.get(key, 0.0) + float(amount)
    return {key: amount for key, amount in sums.items() if amount}


def run(company: CompanyRef) -> int:
    return apply_rules(company_id=company.id, actor="rules", now=NOW)


@pytest.mark.parametrize("summed_first", [True, False])
@pytest.mark.parametrize("step", [1, 100])
def test_a_rule_moves_the_sums_and_no_event(
    company: CompanyRef, summed_first: bool, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(categorise, "POSITIONS_PER_STEP", step)
    write(company, "1", amount="10", counterparty="AMZN WEB SVCS 1", category="other")
    write(company, "2", amount="3", counterparty="Gusto", category="payroll")
    if summed_first:
        catch_up(company_id=company.id)
    rule(company, "amazon", "cloud", counterparty="AWS")
    assert companies_to_categorise() == (company.id,)
    assert run(company) == 1
    assert companies_to_categorise() == ()
    assert spent(company) == {("cloud", "AWS"): -10.0, ("payroll", "Gusto"): -3.0}
    assert set(CapitalEvent.objects.values_list("category", flat=True)) == {"other", "payroll"}
    assert run(company) == 0


def test_other_rules_are_new_assignments_and_the_old_ones_stay(company: CompanyRef) -> None:
    write(company, "1", amount="10", counterparty="Uber", category="card")
    first = rule(company, "uber", "travel")
    run(company)
    CategoryRule.objects.filter(id=first.id).update(category="transport")
    assert companies_to_categorise() == (company.id,)
    run(company)
    assert spent(company) == {("transport", "Uber"): -10.0}
    first.delete()
    run(company)
    assert spent(company) == {("card", "Uber"): -10.0}
    assert list(CategoryAssignment.objects.order_by("revision").values_list("revision", "category")) == [
        (0, "travel"),
        (1, "transport"),
        (2, ""),
    ]
    assert not EventReading.objects.exists()


def test_what_comes_later_is_assigned_too_and_a_reversal_follows_its_event(company: CompanyRef) -> None:
    rule(company, "uber", "travel")
    run(company)
    event_id = write(company, "1", amount="10", counterparty="Uber")
    assert companies_to_categorise() == (company.id,)
    run(company)
    catch_up(company_id=company.id)
    reverse(company_id=company.id, event_id=event_id, reason="x", actor="t", now=NOW)
    assert spent(company) == {}


def test_a_credit_keeps_its_name(company: CompanyRef) -> None:
    write(company, "1", event_type="credit", counterparty="AWS")
    rule(company, "aws", "cloud", counterparty="Amazon")
    assert run(company) == 0
