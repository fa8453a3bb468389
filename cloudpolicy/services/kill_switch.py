"""Turning the switch that stops everything, and off again."""

from datetime import datetime

from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.selectors.kill_switch import KillSwitch, kill_switch
from cloudpolicy.services.refusals import need_reason
from ledger.selectors.companies import company_ref


def turn_kill_switch(*, company_id: int, on: bool, actor: str, reason: str, now: datetime) -> KillSwitch:
    """Stop everything that changes the company's cloud, or allow it again. A run that it stops does not go on.

    Raises:
        CompanyNotFound: no such company.
        NotAllowed: without a reason.
    """
    company_ref(company_id=company_id)
    reason = need_reason(reason)
    KillSwitchTurn.objects.create(company_id=company_id, on=on, actor=actor, reason=reason, turned_at=now)
    return kill_switch(company_id=company_id)
