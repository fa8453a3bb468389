"""Which budgets plans of ours have made: the second evidence where an endpoint does not tell tags."""

from cloudpolicy.actions.set_budget import ACTION, CREATE
from cloudpolicy.models.run import Phase, StepEntry

WAS_MADE = (Phase.MADE, Phase.FOUND_MADE)


def own_budgets(*, company_id: int) -> frozenset[tuple[str, str]]:
    """(account, name) of every budget that a run has created and none has deleted since, by their journals."""
    entries = StepEntry.objects.filter(
        company_id=company_id, phase__in=WAS_MADE, run__calls__contains=[{"action": ACTION.name}]
    )
    found: set[tuple[str, str]] = set()
    for calls, step in entries.order_by("id").values_list("run__calls", "step"):
        call = (calls or [])[step]
        if call["action"] != ACTION.name or call["parameters"]["what"] != CREATE:
            continue
        place = (call.get("account", ""), call["group"])
        if call["after"]["usd_per_month"] is None:
            found.discard(place)
        else:
            found.add(place)
    return frozenset(found)
