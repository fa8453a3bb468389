"""An engine that holds its lock: what its steps ask it for, a cloud, a while, and leave to change anything."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudpolicy.engine.policy import OptInTag
from cloudpolicy.selectors.kill_switch import kill_switch
from cloudpolicy.services.clouds import Clouds
from cloudpolicy.services.engine_lock import EngineLock
from cloudpolicy.services.run_pace import Clock, RunEnds, RunIsPutOff


@dataclass(frozen=True, slots=True)
class EngineAtWork:
    """One engine, from taking its lock until it lets go.

    Attributes:
        until: when it has worked long enough, and what is left goes on in another job.
        opt_in: only what carries this tag is touched.
    """

    company_id: int
    lock: EngineLock
    clock: Clock
    until: datetime
    clouds: Clouds
    opt_in: OptInTag

    def permit(self) -> None:
        """Asked before every call: may this engine change anything at this moment?

        Raises:
            LockLost: another engine may be at work.
            RunEnds: the kill switch is on.
        """
        self.lock.check()
        switch = kill_switch(company_id=self.company_id)
        if switch.on:
            raise RunEnds(switch.because)

    def wait(self, wait: timedelta, reason: str) -> None:
        """Sleep, or put the run off when there is no time left for that."""
        if self.clock.now() + wait > self.until:
            raise RunIsPutOff(reason, after=wait)
        self.clock.sleep(wait.total_seconds())
