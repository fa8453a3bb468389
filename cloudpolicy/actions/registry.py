"""Every action there is: one file each in this folder, with an `ACTION` in it."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import cloudpolicy.actions as folder
from cloudpolicy.engine.action import Action


@cache
def all_actions() -> tuple[Action, ...]:
    """All registered actions, ordered by name.

    Raises:
        RuntimeError: a file defines no ACTION, or two actions share a name.
    """
    actions: dict[str, Action] = {}
    for module in iter_modules(folder.__path__):
        if module.name == "registry":
            continue
        action = getattr(import_module(f"{folder.__name__}.{module.name}"), "ACTION", None)
        if not isinstance(action, Action) or action.name in actions:
            raise RuntimeError(f"cloudpolicy/actions/{module.name}.py defines no ACTION of its own")
        actions[action.name] = action
    return tuple(actions[name] for name in sorted(actions))


@cache
def action_named(name: str) -> Action | None:
    """The action of that name; None where there is none (any more)."""
    return next((action for action in all_actions() if action.name == name), None)
