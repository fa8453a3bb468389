"""What p5 would be if the cloud cost so much less a month: the forecast run again, on the same shocks.

Every step of the policy saves money on the same bill from the same day on, so p5 depends on nothing but what is
saved altogether. It never falls as more is saved: on the same shocks no future ends sooner with more cash. That
makes p5 a curve over savings: steps alone, steps together and the saving that reaches a wanted p5 are all read off
it, by few simulations.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from forecasting.fit.history import MissingInputs
from forecasting.kernel.soundness import NonFinitePaths, UnsoundInputs
from forecasting.scenarios.change import Change, InvalidScenario
from forecasting.scenarios.cloud_step import CloudStep
from forecasting.services.what_if import KnownNow, known_now
from ledger.domain.company import CompanyRef

# Bills name it otherwise than banks do.
AWS_NAMES = ("aws", "amazon")
BASIS = "free"


class NoCurve(Exception):
    """There is no forecast to run again, or none of the cloud; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class P5:
    """Attributes:
    is_beyond: it lies beyond the horizon, whose length `days` is.
    """

    days: int
    is_beyond: bool


@dataclass(slots=True)
class P5BySaving:
    """The curve; points are simulated when they are asked for, and kept.

    Attributes:
        most: what the cloud costs a month altogether; more than that cannot be saved.
    """

    known: KnownNow
    provider: str
    start: date
    most: Decimal
    _points: dict[Decimal, P5] = field(default_factory=dict)

    def at(self, saving_per_month: Decimal) -> P5:
        """Simulate one saving; one below zero is a cost.

        Raises:
            NoCurve: nothing like that can be simulated.
        """
        if saving_per_month not in self._points:
            self._points[saving_per_month] = self._simulated(saving_per_month)
        return self._points[saving_per_month]

    @property
    def simulated(self) -> tuple[tuple[Decimal, P5], ...]:
        """Every point so far, by saving."""
        return tuple(sorted(self._points.items(), key=lambda each: each[0]))

    def _simulated(self, saving: Decimal) -> P5:
        if saving > self.most:
            raise NoCurve(f"the step would save more than the forecast knows {self.provider} to cost a month")
        changes: tuple[Change, ...] = ()
        if saving:
            changes = (CloudStep(start=self.start, saving_per_month=saving, provider=self.provider),)
        try:
            runway = self.known.case(changes).runway
        except (InvalidScenario, UnsoundInputs, NonFinitePaths) as error:
            raise NoCurve(f"the forecast cannot be run again: {error}") from error
        return P5(runway.p5_days, runway.beyond_horizon[0])


def p5_by_saving(*, company: CompanyRef, now: datetime) -> P5BySaving:
    """The curve of what is known now. Costs a reading of the history, and a fit where it has changed.

    Raises:
        NoCurve: there is no honest forecast, or it knows no bill of the cloud.
    """
    try:
        known = known_now(company=company, basis=BASIS, now=now)
    except MissingInputs as missing:
        raise NoCurve("; ".join(missing.reasons)) from missing
    clouds = [
        cloud
        for cloud in known.setting.company.clouds
        if cloud.provider.casefold().startswith(AWS_NAMES) and cloud.usage_per_day > 0
    ]
    if not clouds:
        raise NoCurve("the forecast knows no bill of AWS: nothing it pays for would become cheaper")
    largest = max(clouds, key=lambda cloud: cloud.usage_per_day)
    today = now.astimezone(ZoneInfo(company.timezone)).date()
    return P5BySaving(
        known=known,
        provider=largest.provider,
        start=max(today, known.gathered.history.as_of + timedelta(days=1)),
        most=_monthly(largest.usage_per_day),
    )


def _monthly(usage_per_day: float) -> Decimal:
    # A cent less: the change itself computes in floats.
    return Decimal(repr(usage_per_day * 30.4)).quantize(Decimal("0.01")) - Decimal("0.01")
