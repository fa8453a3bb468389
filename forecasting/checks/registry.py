"""Every data check there is: a module of this package with a `CHECK` is one, and needs no other entry."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from forecasting import checks
from forecasting.checks.data_check import Check, CheckedCompany, DataCheck


@cache
def all_checks() -> tuple[Check, ...]:
    """In the order of their codes."""
    found = []
    for module in sorted(iter_modules(checks.__path__), key=lambda entry: entry.name):
        check = getattr(import_module(f"{checks.__name__}.{module.name}"), "CHECK", None)
        if isinstance(check, Check):
            found.append(check)
    return tuple(found)


def check_data(company: CheckedCompany) -> tuple[DataCheck, ...]:
    """What every check finds, the newest first."""
    found = [doubt for check in all_checks() for doubt in check.find(company)]
    return tuple(sorted(found, key=lambda doubt: (-doubt.since.toordinal(), doubt.code, doubt.sentence)))
