"""Every driver there is: a module of this package with a `DRIVER` is one, and needs no other entry."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from forecasting import drivers
from forecasting.drivers.contribution import Driver


@cache
def all_drivers() -> tuple[Driver, ...]:
    """In the order of their names, so that sums of floats come out alike everywhere."""
    found = []
    for module in sorted(iter_modules(drivers.__path__), key=lambda entry: entry.name):
        driver = getattr(import_module(f"{drivers.__name__}.{module.name}"), "DRIVER", None)
        if isinstance(driver, Driver):
            found.append(driver)
    return tuple(found)
