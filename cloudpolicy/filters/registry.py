"""Every filter there is: one file each in this folder, with a `FILTER` in it."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import cloudpolicy.filters as folder
from cloudpolicy.engine.filter import Filter


@cache
def all_filters() -> tuple[Filter, ...]:
    """All registered filters, in the order in which they ask.

    Raises:
        RuntimeError: a file defines no FILTER, or two filters share a name.
    """
    filters: dict[str, Filter] = {}
    for module in iter_modules(folder.__path__):
        if module.name == "registry":
            continue
        found = getattr(import_module(f"{folder.__name__}.{module.name}"), "FILTER", None)
        if not isinstance(found, Filter) or found.name in filters:
            raise RuntimeError(f"cloudpolicy/filters/{module.name}.py defines no FILTER of its own")
        filters[found.name] = found
    return tuple(sorted(filters.values(), key=lambda each: (each.order, each.name)))
