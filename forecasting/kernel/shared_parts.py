"""What simulations on the same shocks have in common, levels and lumps, worked out once for all of them.

The two bases of a forecast, the cases of a comparison and the questions of an explanation differ in some inputs
and agree in the others. What a part comes to depends on its own law and the shocks alone, so it may be handed from
one simulation to the next, bit for bit.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from forecasting.kernel.shocks import Shocks

# Two dozen levels of 10,000 paths and a company's lumps come to 20 MB. What does not fit is worked out again.
MOST_BYTES = 48 * 2**20


class SharedParts:
    """Parts by what decides them, for as long as somebody holds this; what is in it must not be written to.

    Nothing is dropped: those who ask again do so for the first parts as often as for the last.
    """

    def __init__(self, shocks: Shocks) -> None:
        self.shocks = shocks
        self._parts: dict[Hashable, Any] = {}
        self._bytes = 0
        self._lock = Lock()

    def get[P](self, key: Hashable, work_out: Callable[[], P], *, nbytes: Callable[[P], int]) -> P:
        """The part of this key. Two threads may work out one at once; they come to the same."""
        found: P | None = self._parts.get(key)
        if found is not None:
            return found
        part = work_out()
        with self._lock:
            size = nbytes(part)
            if key not in self._parts and self._bytes + size <= MOST_BYTES:
                self._parts[key] = part
                self._bytes += size
        return part
