"""The random numbers of every forecast, drawn once per process and shared by all of them.

Each row of numbers has a generator of its own, seeded by the seed, the stream's name and the row. So a new hire
draws new rows and leaves all others as they were: two scenarios differ by their inputs, not by noise. Rows are
drawn when a name is first asked for and kept while there is room; drawn again they are the same, bit for bit.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import RLock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecasting.kernel.levels import SHOCK_ROWS_BEFORE_STEPS
from forecasting.kernel.strata import StratifiedRow, draw_row
from forecasting.kernel.walk_terms import LANES

MAX_PATHS = 1_000_000
# Named streams kept per 10,000 paths. A company of forty names needs about 30 MB; others share most of them.
STREAM_BYTES_PER_10_000_PATHS = 64 * 2**20
SHOCK_SETS_KEPT = 2
_SLOT_ROWS_AT_ONCE = 8


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class DrawnRow:
    """A stratified row with its uniforms spelled out: float32 [paths]."""

    row: StratifiedRow
    uniforms: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        return self.row.sorted_uniforms.nbytes + self.row.stratum.nbytes + self.uniforms.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class ArrivalSlots:
    """Shocks of the first, second, ... arrival of a Poisson stream on each path; float32 [paths, slots] each.

    Attributes:
        times: uniform, when in the horizon.
        choices: uniform, which of the known sizes.
        spreads: standard normal, how the size differs.
    """

    times: NDArray[np.float32]
    choices: NDArray[np.float32]
    spreads: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        return self.times.nbytes + self.choices.nbytes + self.spreads.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Shocks:
    """Everything random in one simulation of `paths` x `horizon_days`; make it with `shocks_for`.

    Attributes:
        noise: float32 [chunks, horizon_days, LANES], daily Student-t(4) shocks of unit variance; row t of a chunk
            is day t + 1 of its paths, which are walked together. The last chunk is filled up with zeros.
    """

    seed: int
    paths: int
    horizon_days: int
    noise: NDArray[np.float32] = field(repr=False)
    _streams: "OrderedDict[tuple[Hashable, ...], Sized]" = field(default_factory=OrderedDict, repr=False)
    _lock: RLock = field(default_factory=RLock, repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes held now, streams included."""
        with self._lock:
            streams = sum(stream.nbytes for stream in self._streams.values())
        return self.noise.nbytes + streams

    def noise_of_path(self, path: int) -> NDArray[np.float32]:
        """float32 [horizon_days], the daily shocks of one path."""
        return self.noise[path // LANES, :, path % LANES]

    def level_shocks(self, name: str) -> NDArray[np.float32]:
        """float32 [2 + month steps, paths]: e1, e2 and one normal per month step of factor `name`."""

        def draw() -> NDArray[np.float32]:
            rows = np.empty(
                (SHOCK_ROWS_BEFORE_STEPS + most_month_steps(self.horizon_days), self.paths), np.float32
            )
            for n in range(rows.shape[0]):
                rows[n] = self._draw("level", name, n + 1).normals()
            return rows

        return self._kept(("level", name), draw)

    def uniform(self, *, kind: str, name: str) -> DrawnRow:
        """One uniform per path, e.g. whether a tranche comes at all."""

        def draw() -> DrawnRow:
            row = self._draw(kind, name, 0)
            return DrawnRow(row=row, uniforms=row.uniforms())

        return self._kept(("uniform", kind, name), draw)

    def normal(self, *, kind: str, name: str) -> NDArray[np.float32]:
        """float32 [paths], one standard normal per path."""
        return self._kept(("normal", kind, name), lambda: self._draw(kind, name, 0).normals())

    def arrival_slots(self, name: str, *, slots: int) -> ArrivalSlots:
        """At least `slots` arrivals per path. Asking for more later adds rows and changes none."""
        rows = -(-slots // _SLOT_ROWS_AT_ONCE) * _SLOT_ROWS_AT_ONCE
        with self._lock:
            known = self._streams.get(("slots", name))
            if isinstance(known, ArrivalSlots) and known.times.shape[1] >= slots:
                self._streams.move_to_end(("slots", name))
                return known
            drawn = ArrivalSlots(
                times=np.stack([self._draw("slot time", name, n).uniforms() for n in range(rows)], axis=1),
                choices=np.stack([self._draw("slot choice", name, n).uniforms() for n in range(rows)], axis=1),
                spreads=np.stack([self._draw("slot spread", name, n).normals() for n in range(rows)], axis=1),
            )
            self._keep(("slots", name), drawn)
            return drawn

    def derived[S: Sized](self, key: tuple[Hashable, ...], derive: Callable[[], S]) -> S:
        """What follows from these shocks and `key` alone, worked out once and kept beside them for a while.

        It must not depend on a company's amounts: those are new with each event, and would push the shocks out.
        """
        return self._kept(("derived", *key), derive)

    def _draw(self, kind: str, name: str, row: int) -> StratifiedRow:
        return draw_row(generator=_generator(self.seed, kind, name, row), paths=self.paths)

    def _kept[S: Sized](self, key: tuple[Hashable, ...], draw: Callable[[], S]) -> S:
        with self._lock:
            known = self._streams.get(key)
            if known is not None:
                self._streams.move_to_end(key)
                return known  # type: ignore[return-value]  # one kind of value per kind of key
            drawn = draw()
            self._keep(key, drawn)
            return drawn

    def _keep(self, key: tuple[Hashable, ...], drawn: Sized) -> None:
        self._streams[key] = drawn
        self._streams.move_to_end(key)
        limit = STREAM_BYTES_PER_10_000_PATHS * max(self.paths, 10_000) // 10_000
        held = sum(stream.nbytes for stream in self._streams.values())
        while held > limit and len(self._streams) > 1:
            _, dropped = self._streams.popitem(last=False)
            held -= dropped.nbytes


_kept_sets: "OrderedDict[tuple[int, int, int], Shocks]" = OrderedDict()
_kept_sets_lock = RLock()


def shocks_for(*, seed: int, paths: int, horizon_days: int) -> Shocks:
    """The shocks of this seed and size: drawn on first use (0.2 s for 10,000 x 365), then shared by all threads.

    Raises:
        ValueError: a size that is not positive, or more than a million paths.
    """
    if seed < 0:
        raise ValueError(f"seed: must not be negative, is {seed}")
    if not 1 <= paths <= MAX_PATHS:
        raise ValueError(f"paths: must be 1 to {MAX_PATHS}, is {paths}")
    if horizon_days < 1:
        raise ValueError(f"horizon_days: must be at least 1, is {horizon_days}")
    key = (seed, paths, horizon_days)
    with _kept_sets_lock:
        if key not in _kept_sets:
            while len(_kept_sets) >= SHOCK_SETS_KEPT:
                _kept_sets.popitem(last=False)
            _kept_sets[key] = _draw_set(seed=seed, paths=paths, horizon_days=horizon_days)
        _kept_sets.move_to_end(key)
        return _kept_sets[key]


def most_month_steps(horizon_days: int) -> int:
    """No calendar cuts the horizon into more months than this."""
    return horizon_days // 28 + 2


def _draw_set(*, seed: int, paths: int, horizon_days: int) -> Shocks:
    noise = np.zeros((-(-paths // LANES), horizon_days, LANES), np.float32)
    row = np.zeros(noise.shape[0] * LANES, np.float32)
    for t in range(horizon_days):
        row[:paths] = draw_row(generator=_generator(seed, "noise", "", t + 1), paths=paths).heavy_tailed()
        noise[:, t] = row.reshape(-1, LANES)
    noise.setflags(write=False)
    return Shocks(seed=seed, paths=paths, horizon_days=horizon_days, noise=noise)


def _generator(seed: int, kind: str, name: str, row: int) -> np.random.Generator:
    # hash() is salted per process; a digest is the same tomorrow and on another machine.
    digest = hashlib.blake2b(f"{kind}\0{name}".encode(), digest_size=16).digest()
    key = (int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big"), row)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
