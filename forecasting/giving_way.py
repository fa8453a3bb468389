"""Work on the queue of forecasts that gives way to them, and is not starved by them either."""

import time
from collections.abc import Callable

from forecasting.wake import forecast_waits

# Numbers go first, but under load that never ends somebody still wants to know why, and how well it was foretold:
# when work has done nothing but give way for so long, one job of it does not.
GIVE_WAY_SECONDS = 5.0


class Postponed(Exception):
    """A forecast waits, which is more urgent."""


class GivingWay:
    """How one kind of work gives way in this worker, which does one job at a time."""

    def __init__(self) -> None:
        self._since_seconds: float | None = None

    def begin_job(self) -> Callable[[], None]:
        """Return what the job calls before each piece of its work: it raises Postponed while a forecast waits."""
        since = self._since_seconds
        patient = since is None or time.monotonic() - since < GIVE_WAY_SECONDS

        def pause() -> None:
            if patient and forecast_waits():
                raise Postponed

        return pause

    def gave_way(self) -> None:
        """A job ended without having done anything."""
        if self._since_seconds is None:
            self._since_seconds = time.monotonic()

    def got_on(self) -> None:
        """A job ended that has done something."""
        self._since_seconds = None
