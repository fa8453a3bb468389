"""Finding a tranche of the plan by what people call it."""

from dataclasses import replace

from forecasting.drivers.contribution import Setting
from forecasting.drivers.tranches import named_tranches
from forecasting.kernel.inputs import Tranche
from forecasting.scenarios.change import Inapplicable, Told


def tranche_names(setting: Setting, *, called: str) -> frozenset[str]:
    """Names of the shocks of the tranches with this milestone, or planned for this day.

    Raises:
        Inapplicable: the plan has none.
    """
    wanted = called.casefold()
    found = frozenset(
        name
        for name, tranche in named_tranches(setting)
        if wanted in (tranche.milestone.casefold(), tranche.date.isoformat())
    )
    if not found:
        known = [tranche.milestone or tranche.date.isoformat() for _, tranche in named_tranches(setting)]
        if not known:
            raise Inapplicable("tranche", "the plan has no tranche at all")
        if not wanted:
            raise Inapplicable("tranche", f"must name one: {', '.join(known)}")
        raise Inapplicable("tranche", f"the plan has no tranche {called!r}; it has {', '.join(known)}")
    return found


def with_tranches(told: Told, tranches: tuple[Tranche, ...]) -> Told:
    """What the drivers said with these tranches instead."""
    return told.turned("tranches", replace(told.contributions["tranches"], tranches=tranches))
