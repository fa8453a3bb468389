"""The compiled loops, beside what the slow twin already says of them."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from forecasting.kernel import compiled as compiling
from forecasting.kernel.compile_ahead import compile_ahead
from forecasting.kernel.inputs import DatedLump, Factor
from forecasting.kernel.path_range import walk_range
from forecasting.kernel.simulate import checked_terms, room_for, simulate
from forecasting.kernel.soundness import NonFinitePaths
from forecasting.kernel.walk import add_lumps, add_payments, walk_paths, write_levels
from forecasting.kernel.walk_terms import LANES, LevelLaw, SingleAmounts
from tests.forecasting.kernel.samples import company, shocks
from tests.forecasting.kernel.test_simulate import lively

PATHS = 5 * LANES - 100


@pytest.mark.parametrize("edges", [(0, PATHS), (0, LANES, PATHS), (0, 3 * LANES, 4 * LANES, PATHS)])
@pytest.mark.parametrize("charted", [0, 700, PATHS])
def test_a_path_comes_to_the_same_bits_however_paths_are_split(edges, charted):
    terms = checked_terms(lively(), shocks(paths=PATHS))
    whole, found = (room_for(terms, turned=1, charted=each) for each in (PATHS, charted))
    walk_range(terms, terms.turned(["A"]), whole, start=0, stop=PATHS)
    for start, stop in pairwise(edges):
        walk_range(terms, terms.turned(["A"]), found, start=start, stop=stop)
    np.testing.assert_array_equal(found.runway, whole.runway)
    np.testing.assert_array_equal(found.turned, whole.turned)
    np.testing.assert_array_equal(found.balances, whole.balances[:, :charted])
    np.testing.assert_array_equal(found.flows, whole.flows[:, :charted])


def test_a_level_is_the_exponential_of_its_shocks_and_ends_at_three():
    exponents = np.linspace(-4.0, 4.0, 1_000)
    drawn = np.zeros((3, 1_000), np.float32)
    drawn[0] = exponents
    nothing = np.zeros(1)
    law = LevelLaw(lvl=1.0, g=0.0, gsd=0.0, rw=0.0, months_ahead=nothing, damped=nothing, walk_step=nothing)
    levels = np.empty((1, 1_000), np.float32)
    write_levels(law, drawn, 0, levels)
    clipped = np.clip(drawn[0].astype(float), -3.0, 3.0)
    np.testing.assert_allclose(levels[0], np.exp(clipped), rtol=1e-6)


def test_a_uniform_that_rounds_up_to_one_takes_the_last_day_and_the_last_size():
    below_one = np.nextafter(np.float32(1.0), np.float32(0.0))
    certain, nothing = np.full((1, 1), below_one), np.zeros((1, 1), np.float32)
    into = SingleAmounts(
        starts=np.zeros(1, np.int64),
        held=np.zeros(1, np.int64),
        day_indexes=np.empty(1, np.int16),
        amounts=np.empty(1, np.float32),
    )
    sizes = np.arange(3_000, dtype=np.float32)
    add_lumps(into, 0, np.ones(1, np.int32), certain, certain, nothing, sizes, 0.0, 5, 3_655)
    assert (into.day_indexes[0], into.amounts[0], into.held[0]) == (3_659, 2_999.0, 1)


@pytest.mark.parametrize("with_bands", [True, False])
def test_what_overflows_on_any_path_is_refused_with_bands_and_without(with_bands):
    rises = company(opening_balance=1.0, factors=(Factor("f", np.full(365, 1e37), lvl=0.5),))
    with pytest.raises(NonFinitePaths):
        simulate(rises, shocks(paths=2 * LANES), with_bands=with_bands)


FORKED = """
import os
from forecasting.kernel.compile_ahead import compile_ahead
from forecasting.kernel.threads import threads
compile_ahead()
ours = threads()
child = os.fork()
if child == 0:
    compile_ahead()
    os._exit(threads() is ours)
raise SystemExit(os.waitpid(child, 0)[1])
"""


def test_a_forked_child_has_threads_of_its_own():
    """It would wait for ever for those that stayed with its parent."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=False, timeout=120)
    assert done.returncode == 0


def test_without_a_place_to_keep_code_it_is_compiled_all_the_same(monkeypatch):
    njit = compiling.njit

    def read_only(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    monkeypatch.setattr(compiling, "njit", read_only)
    assert compiling.compiled(lambda x: x + 1)(2) == 3


def test_what_is_compiled_ahead_is_all_that_a_forecast_needs():
    """Another kind of array would be compiled anew, with somebody waiting."""
    compile_ahead()
    simulate(lively(), shocks(paths=300), turned=["A"])
    payments = (DatedLump("bill", 3, -10, 1.0), DatedLump("invoice", 5, 10, 0.5))  # type: ignore[arg-type]
    # Whole numbers, and no flow that is uncertain by more than its day.
    flat = company(opening_balance=100, fixed=np.full(365, -1.0), dated_lumps=payments)
    simulate(flat, shocks(paths=300))
    loops = (write_levels, add_lumps, add_payments, walk_paths)
    assert [len(loop.signatures) for loop in loops] == [1, 1, 1, 1]  # type: ignore[attr-defined]


def test_whoever_does_not_simulate_does_not_wait_for_numba():
    loaded = "import sys, forecasting.engine; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
