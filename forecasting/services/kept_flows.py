"""Daily flows of the companies that this process has read last, kept while their sums stand as they did.

When exchange rates move, or an hour passes, a forecast looks again at what has not changed: reading some thousand
rows is then most of its questions to the database.
"""

from collections import OrderedDict
from dataclasses import dataclass, fields
from datetime import date
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.domain.flows import DailyFlows
from ledger.selectors.flows import daily_flows, flows_version

# Some 400 companies with eighteen months of history.
MAX_BYTES = 32_000_000
# Of a name or a contract, roughly.
BYTES_PER_OBJECT = 100


@dataclass(frozen=True, slots=True)
class _Kept:
    version: tuple[int, int]
    until: date
    flows: DailyFlows
    nbytes: int


_kept: OrderedDict[int, _Kept] = OrderedDict()
_lock = Lock()


def kept_flows(*, company_id: int, until: date) -> DailyFlows:
    """Return what `daily_flows` returns.

    Never within `books_as_known`: what stands in front of the books there has versions of its own.
    """
    version = flows_version(company_id=company_id)
    with _lock:
        kept = _kept.get(company_id)
        if kept is not None and (kept.version, kept.until) == (version, until):
            _kept.move_to_end(company_id)
            return kept.flows
    flows = daily_flows(company_id=company_id, until=until)
    for array in _arrays(flows):
        array.flags.writeable = False  # whoever is given them next must find them as they are
    if version is not None:
        _keep(company_id, _Kept(version=version, until=until, flows=flows, nbytes=_size(flows)))
    return flows


def forget_all() -> None:
    """Keep nothing."""
    with _lock:
        _kept.clear()


def _keep(company_id: int, kept: _Kept) -> None:
    """Keep it, and of those that were not asked for the longest as many fewer as that takes."""
    with _lock:
        _kept.pop(company_id, None)
        _kept[company_id] = kept
        while sum(each.nbytes for each in _kept.values()) > MAX_BYTES:
            _kept.popitem(last=False)


def _size(flows: DailyFlows) -> int:
    return sum(array.nbytes for array in _arrays(flows)) + BYTES_PER_OBJECT * (
        len(flows.currencies) + len(flows.categories) + len(flows.counterparties) + len(flows.contracts)
    )


def _arrays(flows: DailyFlows) -> list[NDArray[Any]]:
    values = (getattr(flows, field.name) for field in fields(flows))
    return [value for value in values if isinstance(value, np.ndarray)]
