"""The garbage collector rests while a plan is built, and runs again whatever happens."""

import gc

import pytest

from cloudpolicy.engine.undisturbed import undisturbed


def test_it_runs_again_after_a_failure_and_stays_off_for_who_had_it_off() -> None:
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), undisturbed():
        assert not gc.isenabled()
        with undisturbed():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one found it off"
        _ = 1 / 0
    assert gc.isenabled()
