"""A call is data: one request to the cloud with before and after, planned and not made."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple


class ApiCall(NamedTuple):
    """One request to the cloud, planned and not made.

    Attributes:
        action: the registered action that planned it.
        permission: the IAM permission the request needs, which also names the request: `autoscaling:UpdateAuto…`.
        before, after: the settings that change, in the policy's words; equal keys on both sides.
        parameters: the request, as its action makes it. Where a value is settled by this call or by one before it,
            such as the number of a version that is created, a placeholder stands here (`resolved`). What may hold
            secrets, such as the rest of a version that is copied, is read when the call is made.
        account: the cloud account by its name in the settings; '' is the one that the environment names.

    A tuple, because fleets make tens of thousands at a time, and a frozen dataclass takes four times as long.
    """

    action: str
    group: str
    environment: str
    region: str
    permission: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    parameters: Mapping[str, Any]
    because: str = ""
    account: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The call as JSON content."""
        return {
            "action": self.action,
            "group": self.group,
            "environment": self.environment,
            "region": self.region,
            "account": self.account,
            "before": dict(self.before),
            "after": dict(self.after),
            "permission": self.permission,
            "parameters": dict(self.parameters),
            "because": self.because,
        }


def parse_call(stored: Mapping[str, Any]) -> ApiCall:
    """Read `ApiCall.as_dict` back. Plans from before there were several accounts name none."""
    return ApiCall(**{"account": "", **stored})


# Makes a call from its values in their order: several times faster than by name, for tens of thousands at a time.
_call_from = partial(tuple.__new__, ApiCall)


def calls_from(rows: Iterable[tuple[Any, ...]]) -> "Iterable[ApiCall]":
    """Calls from the values of each, in the order of `ApiCall`; mappings may be shared, as nobody changes them."""
    return map(_call_from, rows)


def asked_for_by(because: str, calls: Sequence[tuple[ApiCall, ...]]) -> list[tuple[ApiCall, ...]]:
    """The same calls, each group's in a tuple, for the sake of another row."""
    return [
        tuple(_call_from((*call[:8], because, call.account)) for call in each) if each else each for each in calls
    ]


def place_of(call: ApiCall) -> tuple[str, str, str]:
    """Account, region and name of what a call changes."""
    return call.account, call.region, call.group


def resolved(call: ApiCall, learned: Mapping[str, Any]) -> ApiCall:
    """The call with placeholders replaced by what they turned out to be."""
    return call._replace(after=_settled(call.after, learned), parameters=_settled(call.parameters, learned))


def _settled(content: Any, learned: Mapping[str, Any]) -> Any:
    if isinstance(content, Mapping):
        return {key: _settled(value, learned) for key, value in content.items()}
    return learned.get(content, content) if isinstance(content, str) else content
