"""Rules that say what an event is for."""

import pytest

from ledger.domain.category_rules import InvalidPattern, Rule, check_pattern, digest_of, in_order, rule_for


def rule(number: int, test: str, pattern: str = "", *, priority: int = 100, account: int | None = None) -> Rule:
    return Rule(number, priority, test, pattern, account, f"category-{number}", "")


def winner(rules: list[Rule], counterparty: str, account_id: int = 1) -> int | None:
    found = rule_for(in_order(rules), counterparty=counterparty, account_id=account_id)
    return found.number if found else None


def test_the_lowest_priority_wins_then_the_older_rule() -> None:
    rules = [rule(3, "contains", "gus"), rule(2, "contains", "gus"), rule(1, "contains", "gus", priority=200)]
    assert winner(rules, "Gusto") == 2


def test_a_rule_sees_the_name_as_it_came_and_the_cleaned_one() -> None:
    assert winner([rule(1, "contains", "amazon web")], "AMZN WEB SVCS 123") == 1
    assert winner([rule(1, "regex", r"svcs \d+")], "AMZN WEB SVCS 123") == 1
    assert winner([rule(1, "regex", r"^svcs")], "AMZN WEB SVCS 123") is None


def test_a_rule_about_an_account_takes_everything_on_it_and_only_that() -> None:
    rules = [rule(1, "account", account=7), rule(2, "contains", "x", account=8)]
    assert winner(rules, "", 7) == 1
    assert winner(rules, "x", 8) == 2
    assert winner(rules, "x", 9) is None


@pytest.mark.parametrize("pattern", ["(", "*", "", "x*", "(a|aa)+$!"])
def test_a_pattern_that_is_wrong_or_too_wide_or_too_slow_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"aws|amazon", r"^GUSTO\b", r"vendor \d{3}$"])
def test_an_honest_pattern_is_taken(pattern: str) -> None:
    check_pattern(pattern)


def test_the_digest_moves_with_anything_a_rule_says() -> None:
    one = rule(1, "contains", "a")
    assert digest_of([]) == ""
    assert digest_of([one, rule(2, "contains", "b")]) == digest_of([rule(2, "contains", "b"), one])
    assert len({digest_of([one]), digest_of([rule(1, "regex", "a")]), digest_of([rule(1, "contains", "b")])}) == 3
