"""What a company has in the cloud besides groups: single instances, databases, requests for spot, budgets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudpolicy.engine.call import ApiCall

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as the cloud described it.

    Attributes:
        action: name of the action that knows it.
        environment: `dev`, `staging`, `production` …; empty when neither name nor tag tells.
        settings: as `Action.observe` reports them.
        opted_in: carries the opt-in tag of the policy. Nothing else is ever touched.
        account: the cloud account by its name in the settings; '' is the one that the environment names.
        left: why the action must leave it to a person; '' when it need not.
        details: what a call on it needs besides. No secrets: it is stored with the plan.
        tags_unread: the endpoint does not tell its tags at all; then it is not opted in, unless our own journal
            says that a plan of ours made it.
    """

    action: str
    name: str
    environment: str
    region: str
    settings: Mapping[str, Any] = field(hash=False)
    opted_in: bool
    account: str = ""
    left: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    tags_unread: bool = False

    @property
    def key(self) -> Key:
        """Action, account, region and name: what no other resource shares."""
        return self.action, self.account, self.region, self.name


@dataclass(frozen=True, slots=True)
class Held:
    """A resource that a plan has stopped, and that runs again once no rule stops it.

    Attributes:
        call: as it was made.
        before: the settings before it.
    """

    call: ApiCall
    before: Mapping[str, Any] = field(hash=False)

    @property
    def key(self) -> Key:
        return key_of(self.call)


def key_of(call: ApiCall) -> Key:
    """The resource that a call is about."""
    return call.action, call.account, call.region, call.group


def stops(call: ApiCall) -> bool:
    """Whether a call makes something other than a group stand still."""
    return call.after.get("running", call.after.get("bids")) is False


def call_on(
    resource: Resource, *, permission: str, after: Mapping[str, Any], parameters: Mapping[str, Any], because: str
) -> ApiCall:
    """The call that gives a resource other settings."""
    return ApiCall(
        action=resource.action,
        group=resource.name,
        environment=resource.environment,
        region=resource.region,
        account=resource.account,
        permission=permission,
        before={key: resource.settings[key] for key in after},
        after=after,
        parameters=parameters,
        because=because,
    )
