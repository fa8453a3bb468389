"""Every invariant there is. A new one is one new file here with an `INVARIANT`, and a test that breaks it."""

import importlib
import pkgutil

import ledger.selectors.invariants as package
from ledger.selectors.invariants.invariant import Invariant


def invariants() -> dict[str, Invariant]:
    """Return the `INVARIANT` of every module of this package that has one, by name."""
    found: dict[str, Invariant] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        invariant = getattr(module, "INVARIANT", None)
        if isinstance(invariant, Invariant):
            if invariant.name in found:
                raise ValueError(f"two invariants are named {invariant.name}")
            found[invariant.name] = invariant
    return found
