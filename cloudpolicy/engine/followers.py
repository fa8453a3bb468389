"""Which groups take over a new version of a launch template at once, whatever anybody meant by it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from cloudpolicy.engine.group import Group
from cloudpolicy.engine.market import LaunchTemplate


@dataclass(frozen=True, slots=True)
class Followers:
    """Groups that follow `$Latest` of a template, found once for all that ask.

    Attributes:
        by_template: by the template's id, in the order of their names.
    """

    by_template: Mapping[str, tuple[Group, ...]]

    @classmethod
    def of(cls, groups: Iterable[Group]) -> "Followers":
        """Those among these groups."""
        found: dict[str, list[Group]] = {}
        for group in groups:
            market = group.market
            if isinstance(market, LaunchTemplate) and market.follows == "$Latest":
                found.setdefault(market.template_id, []).append(group)
        return cls({each: tuple(sorted(them, key=lambda group: group.name)) for each, them in found.items()})

    def others(self, group: Group, template_id: str, *, most: int) -> list[str]:
        """Names of the first of them that are not this very group."""
        found = self.by_template.get(template_id, ())
        return list(islice((other.name for other in found if other is not group), most))


NOBODY = Followers({})
