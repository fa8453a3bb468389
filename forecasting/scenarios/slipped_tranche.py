"""Slipped tranche: the same money, later."""

from dataclasses import dataclass, replace

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import Change, Told
from forecasting.scenarios.fields import Rule, ruled
from forecasting.scenarios.planned_tranche import tranche_names, with_tranches


@dataclass(frozen=True)
class SlippedTranche(Change):
    """A tranche of the plan is planned for a later day; its delay comes on top, as before."""

    KIND = "slipped_tranche"
    LABEL = "A tranche slips"
    ABOUT = "New money"

    tranche: str = ruled(Rule("text", "Tranche", hint="its milestone or date"))
    days: int = ruled(Rule("whole", "Days later", at_least=1, at_most=730))

    def turn(self, told: Told, setting: Setting) -> Told:
        names = tranche_names(setting, called=self.tranche)
        return with_tranches(
            told,
            tuple(
                replace(each, day=each.day + self.days) if each.name in names else each
                for each in told.contributions["tranches"].tranches
            ),
        )

    def sentence(self, currency: str) -> str:
        del currency
        return f"{self.tranche} slips by {self.days:,} day{'' if self.days == 1 else 's'}"
