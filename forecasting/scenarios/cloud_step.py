"""Cloud scaling step: so much less usage per month from a day on."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from forecasting.drivers.contribution import Setting
from forecasting.scenarios.change import DAYS_PER_MONTH, Change, Inapplicable, on_day
from forecasting.scenarios.fields import Rule, ruled


@dataclass(frozen=True)
class CloudStep(Change):
    """Usage is metered, so credits last longer, and cash is saved once bills are paid in cash, a month later."""

    KIND = "cloud_step"
    LABEL = "Scale the cloud down"
    ABOUT = "Costs"

    start: date = ruled(Rule("day", "From"))
    saving_per_month: Decimal = ruled(Rule("money", "Saves per month"))
    provider: str = ruled(Rule("text", "Provider", hint="empty: the largest"), default="")

    def in_force_from(self) -> date:
        return self.start

    def settle(self, setting: Setting) -> Setting:
        clouds = setting.company.clouds
        if not clouds:
            raise Inapplicable("saving_per_month", "no cloud bills are known")
        wanted = self.provider.casefold()
        known = [cloud for cloud in clouds if not wanted or cloud.provider.casefold() == wanted]
        if not known:
            names = ", ".join(cloud.provider for cloud in clouds)
            raise Inapplicable("provider", f"there is no cloud {self.provider!r}; there is {names}")
        cut = max(known, key=lambda cloud: cloud.usage_per_day)
        saving = float(self.saving_per_month) / DAYS_PER_MONTH
        if saving > cut.usage_per_day:
            usage = cut.usage_per_day * DAYS_PER_MONTH
            raise Inapplicable("saving_per_month", f"is more than {cut.provider} costs, {usage:,.0f} a month")
        smaller = replace(cut, usage_per_day=cut.usage_per_day - saving)
        changed = tuple(smaller if cloud is cut else cloud for cloud in clouds)
        return replace(setting, company=replace(setting.company, clouds=changed))

    def sentence(self, currency: str) -> str:
        where = self.provider or "the cloud"
        return f"Save {self.saving_per_month:,.0f} {currency} a month on {where} from {on_day(self.start)}"
