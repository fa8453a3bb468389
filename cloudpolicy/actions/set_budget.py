"""Give an environment a budget at AWS, with an alert, or tighten the one that is there.

A budget is never loosened unless the policy says that it may be. It stays when the row that asked for it is left;
only rolling a plan back brings the former one back. One that does not carry the opt-in tag is somebody else's.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cloudpolicy.engine.action import Action, Observed, Proposal, Receipt, Resources, for_no_group
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cloud import Cloud, as_request, lacks_call, request_id_of
from cloudpolicy.engine.describe import ENVIRONMENT_TAG
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Budget, Policy, Rule
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resource import Resource, call_on

MODIFY = "budgets:ModifyBudget"
NAME = "capstack-{environment}"
# A request of AWS's names the budget by account and name; these follow from it.
CREATE, LIMIT, ALERT = "budget", "limit", "alert"
_READ_ONLY = ("CalculatedSpend", "LastUpdatedTime", "HealthStatus")
_LOOSELY = (
    ("PlannedBudgetLimits", "its limits differ from month to month"),
    ("AutoAdjustData", "AWS adjusts it by itself"),
)


def discover(cloud: Cloud, policy: Policy, groups: Sequence[Group]) -> Sequence[Resource]:
    """The budget of each environment that has groups here, there or not yet."""
    environments = sorted(
        {group.environment for group in groups if group.opted_in}
        & {rule.environment for rule in policy.rules if rule.budget is not None}
    )
    if not environments:
        return ()
    account_id = str(cloud.reading("sts").get_caller_identity()["Account"])
    known = _budgets(cloud, account_id)
    return tuple(_resource(environment, policy, cloud, account_id, known) for environment in environments)


def _resource(
    environment: str, policy: Policy, cloud: Cloud, account_id: str, known: Mapping[str, Mapping[str, Any]]
) -> Resource:
    name = NAME.format(environment=environment)
    budget, tag = known.get(name), {policy.opt_in.key: policy.opt_in.value}
    tags = tag if budget is None else _tags(cloud, account_id, name)
    opted_in = tags is not None and tags.get(policy.opt_in.key) == policy.opt_in.value
    return Resource(
        action=ACTION.name,
        name=name,
        environment=environment,
        region=cloud.region,
        account=cloud.account,
        settings=_settings(cloud, account_id, budget),
        opted_in=opted_in,
        tags_unread=tags is None,
        left=_left(budget) if budget else "",
        details={"AccountId": account_id, "tags": {**tag, ENVIRONMENT_TAG: environment}},
    )


def _left(budget: Mapping[str, Any]) -> str:
    for key, why in _LOOSELY:
        if budget.get(key):
            return why
    if budget.get("BudgetType") != "COST" or budget.get("TimeUnit") != "MONTHLY":
        return "it is not one of cost per month"
    return "" if budget.get("BudgetLimit", {}).get("Unit") == "USD" else "it is not in USD"


def propose(resource: Resource, rule: Rule, _policy: Policy) -> Proposal:
    budget = rule.budget
    if budget is None:
        return Proposal()
    limit, alert = resource.settings["usd_per_month"], resource.settings["alert_percent"]
    tells = bool(budget.notify)
    warnings = []
    if not tells and alert is None:
        warnings.append(
            Reason("budget_tells_nobody", f"{resource.name} alerts nobody: the policy says no address")
        )
    if limit is None:
        wanted = {"usd_per_month": budget.usd_per_month, "alert_percent": budget.alert_percent if tells else None}
        return Proposal((_call(resource, rule, budget, CREATE, wanted),), tuple(warnings))
    calls = []
    if _differs(Decimal(str(limit)), Decimal(budget.usd_per_month), may_loosen=budget.may_loosen):
        calls.append(_call(resource, rule, budget, LIMIT, {"usd_per_month": budget.usd_per_month}))
    if (alert is None and tells) or (
        alert is not None and _differs(Decimal(alert), Decimal(budget.alert_percent), may_loosen=budget.may_loosen)
    ):
        calls.append(_call(resource, rule, budget, ALERT, {"alert_percent": budget.alert_percent}))
    return Proposal(tuple(calls), tuple(warnings))


def _differs(now: Decimal, wanted: Decimal, *, may_loosen: bool) -> bool:
    return wanted < now or (may_loosen and wanted > now)


def _call(resource: Resource, rule: Rule, budget: Budget, what: str, after: Mapping[str, Any]) -> ApiCall:
    parameters = {"what": what, "name": resource.name, "notify": budget.notify, **resource.details}
    return call_on(resource, permission=MODIFY, after=after, parameters=parameters, because=rule.name)


def observe(call: ApiCall, cloud: Cloud, _token: str) -> Observed | None:
    account_id, name = call.parameters["AccountId"], call.parameters["name"]
    budget = _budgets(cloud, account_id).get(name)
    settings = _settings(cloud, account_id, budget)
    tags = call.parameters["tags"] if budget is None else _tags(cloud, account_id, name)
    if tags is None:
        # The plan speaks of it because our journal says that it is ours; more cannot be known here.
        tags = call.parameters["tags"]
    return Observed({key: settings[key] for key in call.before}, tags)


def perform(call: ApiCall, cloud: Cloud, _token: str) -> Receipt:
    budgets, place = cloud.changing("budgets"), _place(call)
    what = call.parameters["what"]
    if what == CREATE:
        answer = _create(budgets, call) if call.before["usd_per_month"] is None else budgets.delete_budget(**place)
    elif what == LIMIT:
        found = _budgets(cloud, place["AccountId"])[place["BudgetName"]]
        budget = as_request(budgets, "UpdateBudget", "NewBudget", found)
        budget = {key: value for key, value in budget.items() if key not in _READ_ONLY}
        budget["BudgetLimit"] = _money(call.after["usd_per_month"])
        answer = budgets.update_budget(AccountId=place["AccountId"], NewBudget=budget)
    else:
        answer = _set_alert(budgets, call, place)
    return Receipt(request_id_of(answer))


def inverse(call: ApiCall, before: Mapping[str, Any]) -> ApiCall:
    return call._replace(before=call.after, after=before)


def _create(budgets: Any, call: ApiCall) -> Mapping[str, Any]:
    alert = call.after["alert_percent"]
    told = [{"Notification": _alert(alert), "Subscribers": [_subscriber(call)]}] if alert is not None else []
    answer: Mapping[str, Any] = budgets.create_budget(
        AccountId=call.parameters["AccountId"],
        Budget={
            "BudgetName": call.parameters["name"],
            "BudgetLimit": _money(call.after["usd_per_month"]),
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "CostFilters": {"TagKeyValue": [f"user:{ENVIRONMENT_TAG}${call.environment}"]},
        },
        ResourceTags=[{"Key": key, "Value": value} for key, value in call.parameters["tags"].items()],
        **({"NotificationsWithSubscribers": told} if told else {}),
    )
    return answer


def _set_alert(budgets: Any, call: ApiCall, place: Mapping[str, str]) -> Any:
    before, after = call.before["alert_percent"], call.after["alert_percent"]
    if before is None:
        return budgets.create_notification(**place, Notification=_alert(after), Subscribers=[_subscriber(call)])
    if after is None:
        return budgets.delete_notification(**place, Notification=_alert(before))
    return budgets.update_notification(**place, OldNotification=_alert(before), NewNotification=_alert(after))


def _place(call: ApiCall) -> dict[str, str]:
    return {"AccountId": call.parameters["AccountId"], "BudgetName": call.parameters["name"]}


def _money(usd: object) -> dict[str, str]:
    return {"Amount": str(usd), "Unit": "USD"}


def _alert(percent: int) -> dict[str, Any]:
    return {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": float(percent),
        "ThresholdType": "PERCENTAGE",
    }


def _subscriber(call: ApiCall) -> dict[str, str]:
    address = call.parameters["notify"]
    return {"SubscriptionType": "SNS" if address.startswith("arn:") else "EMAIL", "Address": address}


def _budgets(cloud: Cloud, account_id: str) -> dict[str, Mapping[str, Any]]:
    pages = cloud.reading("budgets").get_paginator("describe_budgets").paginate(AccountId=account_id)
    return {budget["BudgetName"]: budget for page in pages for budget in page.get("Budgets", [])}


def _settings(cloud: Cloud, account_id: str, budget: Mapping[str, Any] | None) -> dict[str, Any]:
    """Its limit and the earliest of its alerts of the kind that is set here; None for what is not there."""
    if budget is None:
        return {"usd_per_month": None, "alert_percent": None}
    pages = (
        cloud.reading("budgets")
        .get_paginator("describe_notifications_for_budget")
        .paginate(AccountId=account_id, BudgetName=budget["BudgetName"])
    )
    alerts = [
        each["Threshold"]
        for page in pages
        for each in page.get("Notifications", [])
        if each["NotificationType"] == "ACTUAL"
        and each["ComparisonOperator"] == "GREATER_THAN"
        and each.get("ThresholdType", "PERCENTAGE") == "PERCENTAGE"
    ]
    limit = budget.get("BudgetLimit", {}).get("Amount")
    return {
        "usd_per_month": None if limit is None else _plain(limit),
        "alert_percent": _plain(min(alerts)) if alerts else None,
    }


def _plain(figure: object) -> int | str:
    """A figure as JSON keeps it without loss: whole, or as its text."""
    exact = Decimal(str(figure)).normalize()
    return int(exact) if exact == exact.to_integral_value() else f"{exact:f}"


def _tags(cloud: Cloud, account_id: str, name: str) -> dict[str, str] | None:
    """None where the endpoint has no such call, as AWS-compatible servers may not; AWS itself always answers."""
    budgets = cloud.reading("budgets")
    arn = f"arn:{budgets.meta.partition}:budgets::{account_id}:budget/{name}"
    try:
        answer = budgets.list_tags_for_resource(ResourceARN=arn)
    except Exception as refused:
        if lacks_call(budgets, refused):
            return None
        raise
    return {tag["Key"]: tag["Value"] for tag in answer.get("ResourceTags", [])}


def describe(call: ApiCall) -> str:
    if call.parameters["what"] == ALERT:
        return f"alert when {call.group} has spent {call.after['alert_percent']} % (now: {_shown(call.before)})"
    before, after = call.before["usd_per_month"], call.after["usd_per_month"]
    if after is None:
        return f"delete the budget {call.group}"
    if before is None:
        return f"create the budget {call.group} of {after} USD a month"
    return f"set the budget {call.group} from {before} to {after} USD a month"


def _shown(settings: Mapping[str, Any]) -> str:
    percent = settings["alert_percent"]
    return "never" if percent is None else f"at {percent} %"


ACTION = Action(
    name="set_budget",
    order=50,
    permissions=(
        MODIFY,
        "budgets:ViewBudget",
        "budgets:ListTagsForResource",
        "budgets:TagResource",
        "sts:GetCallerIdentity",
    ),
    describe=describe,
    propose=for_no_group,
    observe=observe,
    perform=perform,
    inverse=inverse,
    resources=Resources(
        word="",
        wanted=lambda policy: any(rule.budget is not None for rule in policy.rules),
        discover=discover,
        propose=propose,
        is_global=True,
    ),
    untagged=(MODIFY, "budgets:TagResource"),
)
