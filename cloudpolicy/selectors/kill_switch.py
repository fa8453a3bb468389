"""Whether anything may change a company's cloud at all."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from cloudpolicy.models.kill_switch import KillSwitchTurn


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """`because` is one line for people; '' while the switch is off and nobody ever turned it."""

    on: bool
    because: str = ""
    turned_at: datetime | None = None


def kill_switch(*, company_id: int) -> KillSwitch:
    """The installation's switch if that is on, else the company's own."""
    if settings.CLOUD_KILL_SWITCH:
        return KillSwitch(True, "the kill switch of this installation is on (CLOUD_KILL_SWITCH)")
    turn = KillSwitchTurn.objects.filter(company_id=company_id).order_by("-id").first()
    if turn is None:
        return KillSwitch(False)
    state = "on" if turn.on else "off"
    return KillSwitch(turn.on, f"the kill switch is {state}: {turn.reason} ({turn.actor})", turn.turned_at)
