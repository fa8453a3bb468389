"""What AWS Budgets answers and moto does not know: tags, and changing what is there."""

import json
from typing import Any

from moto.budgets.models import Budget, budgets_backends
from moto.core import DEFAULT_ACCOUNT_ID

BUDGET_ACTIONS = ("CreateBudget", "ListTagsForResource", "UpdateBudget", "UpdateNotification")
_MOST_ALERTS = 5


def tag_budget(name: str, tags: dict[str, str]) -> None:
    """Give a budget other tags."""
    _of(DEFAULT_ACCOUNT_ID)[name].budget["ResourceTags"] = [{"Key": k, "Value": v} for k, v in tags.items()]


def answer_budgets(action: str, asked: dict[str, Any]) -> tuple[int, bytes]:
    """Answer a request as AWS does, on what moto keeps."""
    if action == "ListTagsForResource":
        *_, account_id, name = asked["ResourceARN"].replace(":budget/", ":").split(":")
        found = _of(account_id).get(name)
        return (200, _tags(found)) if found else _missing(name)
    kept = _of(asked["AccountId"])
    if action == "CreateBudget":
        return _create(kept, asked)
    name = asked.get("BudgetName") or asked["NewBudget"]["BudgetName"]
    if name not in kept:
        return _missing(name)
    if action == "UpdateBudget":
        if float(asked["NewBudget"]["BudgetLimit"]["Amount"]) <= 0:
            return _refused("InvalidParameterException", "a limit must be positive")
        kept[name].budget |= asked["NewBudget"]
        return 200, b"{}"
    alerts = [each for each in kept[name].notifications if each.details == asked["OldNotification"]]
    if not alerts:
        return _missing("the notification")
    alerts[0].details = asked["NewNotification"]
    return 200, b"{}"


def _create(kept: dict[str, Budget], asked: dict[str, Any]) -> tuple[int, bytes]:
    budget, alerts = asked["Budget"], asked.get("NotificationsWithSubscribers", [])
    if budget["BudgetName"] in kept:
        return _refused("DuplicateRecordException", "the budget exists")
    if float(budget["BudgetLimit"]["Amount"]) <= 0 or len(alerts) > _MOST_ALERTS:
        return _refused("InvalidParameterException", "a limit must be positive, and five alerts are the most")
    kept[budget["BudgetName"]] = Budget({**budget, "ResourceTags": asked.get("ResourceTags", [])}, alerts)
    return 200, b"{}"


def _of(account_id: str) -> dict[str, Budget]:
    kept: dict[str, Budget] = budgets_backends[DEFAULT_ACCOUNT_ID]["aws"].budgets[account_id]
    return kept


def _tags(budget: Budget) -> bytes:
    return json.dumps({"ResourceTags": budget.budget.get("ResourceTags", [])}).encode()


def _missing(what: str) -> tuple[int, bytes]:
    return _refused("NotFoundException", f"{what} does not exist")


def _refused(code: str, message: str) -> tuple[int, bytes]:
    return 400, json.dumps({"__type": code, "message": message}).encode()
