"""Every kind of change there is: a module of this package with a subclass of `Change`, which needs no entry."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from forecasting import scenarios
from forecasting.scenarios.change import Change


@cache
def all_changes() -> dict[str, type[Change]]:
    """By kind, in the order of their names."""
    found: dict[str, type[Change]] = {}
    for module in sorted(iter_modules(scenarios.__path__), key=lambda entry: entry.name):
        name = f"{scenarios.__name__}.{module.name}"
        for value in vars(import_module(name)).values():
            is_change = isinstance(value, type) and issubclass(value, Change) and value is not Change
            if is_change and value.__module__ == name:
                found[value.KIND] = value
    return found
