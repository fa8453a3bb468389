"""The rules of a company, and how far they have been applied."""

from ledger.domain.category_rules import Rule, digest_of, in_order
from ledger.models.category import AssignmentCursor, CategoryRule
from ledger.selectors.journal import journal_positions


def active_rules(*, company_id: int) -> tuple[Rule, ...]:
    """Return the rules that are switched on, in the order they are tried."""
    rows = CategoryRule.objects.filter(company_id=company_id, active=True).values_list(
        "id", "priority", "test", "pattern", "account_id", "category", "counterparty"
    )
    return in_order([Rule(*row) for row in rows])


def companies_to_categorise() -> tuple[int, ...]:
    """Numbers of the companies with events that the present rules have not seen."""
    cursors = {
        company_id: (position, digest)
        for company_id, position, digest in AssignmentCursor.objects.values_list(
            "company_id", "position", "rules_digest"
        )
    }
    with_rules = set(CategoryRule.objects.filter(active=True).values_list("company_id", flat=True))
    heads = journal_positions()
    return tuple(
        company_id
        for company_id in sorted(with_rules | {number for number, (_, digest) in cursors.items() if digest})
        if _is_behind(company_id, cursors.get(company_id, (0, "")), heads.get(company_id, 0))
    )


def _is_behind(company_id: int, cursor: tuple[int, str], head: int) -> bool:
    position, digest = cursor
    present = digest_of(active_rules(company_id=company_id))
    return bool(head) and (digest != present or (bool(present) and position < head))
