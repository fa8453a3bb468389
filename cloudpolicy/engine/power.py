"""Stopping something that runs, and starting it again: what is equal for everything that has a switch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudpolicy.engine.action import NOTHING, Discover, Proposal, Resources
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.policy import Policy, Rule
from cloudpolicy.engine.resource import Resource, call_on


@dataclass(frozen=True, slots=True)
class Power:
    """The switch of one kind of thing. Settings are `{"running": bool}`; None is neither, as while it is made.

    Attributes:
        noun: what one of them is called: `instance`.
        word: the word in `stopped` that stands for all of them.
        stop, start: the permissions.
        parameters: (its name) -> the request, which is the same for both.
    """

    noun: str
    word: str
    stop: str
    start: str
    parameters: Callable[[str], Mapping[str, Any]]

    def propose(self, resource: Resource, rule: Rule, _policy: Policy) -> Proposal:
        """Stop it if it runs."""
        if resource.settings["running"] is not True:
            return NOTHING
        call = call_on(
            resource,
            permission=self.stop,
            after={"running": False},
            parameters=self.parameters(resource.name),
            because=rule.name,
        )
        return Proposal(calls=(call,))

    def inverse(self, call: ApiCall, before: Mapping[str, Any]) -> ApiCall:
        permission = self.start if call.permission == self.stop else self.stop
        return call._replace(before=call.after, after=before, permission=permission)

    def describe(self, call: ApiCall) -> str:
        return f"{'start' if call.after['running'] else 'stop'} the {self.noun} {call.group}"

    def resources(self, discover: Discover) -> Resources:
        return Resources(
            word=self.word,
            wanted=lambda policy: any(self.word in rule.stopped for rule in policy.rules),
            discover=discover,
            propose=self.propose,
        )
