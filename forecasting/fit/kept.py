"""What was made of the same values before: an event moves little of what a company's fit is made of."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock


class Kept[V]:
    """The last few results by key. Two threads may compute one at once; they come to the same."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = RLock()

    def get(self, key: Hashable, compute: Callable[[], V]) -> V:
        """The result of this key, which holds everything that decides it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = compute()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value
