"""Lost tranche: money that never comes."""

from dataclasses import dataclass

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import Change, Told
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.planned_tranche import tranche_names, with_tranches


@dataclass(frozen=True)
class LostTranche(Change):
    """A tranche of the plan falls through."""

    KIND = "lost_tranche"
    LABEL = "A tranche falls through"
    ABOUT = "New money"

    tranche: str = ruled(Rule("text", "Tranche", hint="its milestone or date"))

    def turn(self, told: Told, setting: Setting) -> Told:
        names = tranche_names(setting, called=self.tranche)
        return with_tranches(
            told, tuple(each for each in told.contributions["tranches"].tranches if each.name not in names)
        )

    def sentence(self, currency: str) -> str:
        del currency
        return f"{self.tranche} falls through"
