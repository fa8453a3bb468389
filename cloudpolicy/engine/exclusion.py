"""What a person's own act keeps the policy from for a while: a roll-back, or sizes that somebody chose."""

from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.reason import Reason

Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One group or resource that is left alone for a while.

    Attributes:
        account, region, name: what it is.
        until: aware UTC; from then on it no longer counts.
        because: for people.
        only_growth: it may still be made smaller, and is only not brought back.
    """

    account: str
    region: str
    name: str
    until: datetime
    because: str
    only_growth: bool = False

    @property
    def place(self) -> Place:
        return self.account, self.region, self.name

    @property
    def reason(self) -> Reason:
        what = "is not made larger" if self.only_growth else "is left alone"
        return Reason("excluded", f"{self.name} {what} until {self.until:%Y-%m-%d %H:%M} UTC: {self.because}")

    def forbids(self, call: ApiCall, *, floor: int) -> bool:
        """Whether a call may not be made while it counts.

        Args:
            floor: instances that what the call changes is never left below; growing to it is never forbidden.
        """
        if place_of(call) != self.place:
            return False
        if not self.only_growth:
            return True
        return int(call.after.get("desired", 0)) > max(int(call.before.get("desired", 0)), floor)


def makes_smaller(call: ApiCall) -> bool:
    """Whether a call leaves a group with fewer instances than it has."""
    return int(call.after.get("desired", 0)) < int(call.before.get("desired", 0))
