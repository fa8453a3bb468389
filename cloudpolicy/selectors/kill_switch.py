"""Whether anything may change a company's cloud at all."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from cloudpolicy.models.kill_switch import KillSwitchTurn
from ledger.domain.actor import person


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """`because` is one line for people; '' while the switch is off and nobody ever turned it.

    Attributes:
        of_installation: it stands in the settings, and nobody turns it off from here.
    """

    on: bool
    because: str = ""
    turned_at: datetime | None = None
    of_installation: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody turned the company's switch."""

    on: bool
    actor: str
    reason: str
    turned_at: datetime


def kill_switch_turns(*, company_id: int, limit: int = 5) -> tuple[Turn, ...]:
    """The newest turns, newest first."""
    rows = KillSwitchTurn.objects.filter(company_id=company_id).order_by("-id")[:limit]
    return tuple(Turn(row.on, row.actor, row.reason, row.turned_at) for row in rows)


def kill_switch(*, company_id: int) -> KillSwitch:
    """The installation's switch if that is on, else the company's own."""
    if settings.CLOUD_KILL_SWITCH:
        return KillSwitch(
            True, "the kill switch of this installation is on (CLOUD_KILL_SWITCH)", of_installation=True
        )
    turn = KillSwitchTurn.objects.filter(company_id=company_id).order_by("-id").first()
    if turn is None:
        return KillSwitch(False)
    state = "on" if turn.on else "off"
    return KillSwitch(turn.on, f"the kill switch is {state}: {turn.reason} ({person(turn.actor)})", turn.turned_at)
