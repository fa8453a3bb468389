"""What plans have stopped, as the page of the cloud lists it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.selectors.stopped_things import StoppedThing
from cloudpolicy.views.call_words import place_words

_KINDS = {
    "power_instance": "instance",
    "power_database": "database",
    "spot_request": "request for spot",
}


@dataclass(frozen=True, slots=True)
class StoppedRow:
    """One of them. `kind` says what it is."""

    name: str
    kind: str
    environment: str
    place: str
    plan_id: int
    since: datetime


def stopped_rows(things: Sequence[StoppedThing]) -> tuple[StoppedRow, ...]:
    return tuple(
        StoppedRow(
            name=each.name,
            kind=_KINDS.get(each.action, each.action.replace("_", " ")),
            environment=each.environment,
            place=place_words(each.account, each.region),
            plan_id=each.plan_id,
            since=each.since,
        )
        for each in things
    )
