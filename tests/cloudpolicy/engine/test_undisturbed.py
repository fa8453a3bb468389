"""The garbage collector rests while a plan is built, and runs again whatever happens."""

import gc

import pytest

from cloudpolicy.engine.undisturbed import undisturbed


def fail_undisturbed() -> None:
    with undisturbed():
        with undisturbed():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one found it off"
        raise ZeroDivisionError


def test_the_collector_runs_again_after_a_failure_and_stays_off_for_who_found_it_off() -> None:
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        fail_undisturbed()
    assert gc.isenabled()
