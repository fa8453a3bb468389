import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from capstack.supervision import supervisor as module
from capstack.supervision.problems import CannotStart
from capstack.supervision.program import Program
from capstack.supervision.supervisor import RESTART_ME, StopAsked, Supervisor


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    keeper = Supervisor(say=said.append, record=tmp_path / "processes.json")
    keeper.listen_to_signals()
    yield keeper
    keeper.stop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)


def program(tmp_path: Path, code: str, name: str = "child", **options) -> Program:
    argv = (sys.executable, "-c", code)
    return Program(name=name, argv=argv, env=dict(os.environ), log=tmp_path / f"{name}.log", **options)


def start(supervisor: Supervisor, tmp_path: Path, code: str) -> None:
    """Start a child that lives until its start is over, however late this process gets its turn."""
    started = tmp_path / "started"
    waiting = f"import os, time\nwhile not os.path.exists({str(started)!r}): time.sleep(0.01)\n"
    supervisor.start([program(tmp_path, waiting + code)])
    started.touch()


def signal_ourselves_when(condition) -> threading.Thread:
    """Send SIGTERM to this process once the condition holds (or after 20 s), as a terminal would."""

    def watch() -> None:
        deadline = time.monotonic() + 20
        try:
            while not condition() and time.monotonic() < deadline:
                time.sleep(0.02)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def starts_of(tmp_path: Path) -> int:
    return len(list(tmp_path.glob("start-*")))


# Leaves a file for each start, then does as the body says with the number of the start.
COUNTING = "import os, pathlib, sys, time; d = pathlib.Path({folder!r}); n = len(list(d.glob('start-*'))) + 1;" + (
    " (d / f'start-{{n}}').touch(); {body}"
)


def test_it_restarts_a_child_that_died(tmp_path, supervisor, said):
    code = COUNTING.format(folder=str(tmp_path), body="time.sleep(0.1 if n == 1 else 60)")
    start(supervisor, tmp_path, code)
    watcher = signal_ourselves_when(lambda: starts_of(tmp_path) >= 2)
    supervisor.supervise()
    watcher.join()
    assert starts_of(tmp_path) == 2
    assert said[0] == "child died (exit code 0), restarting it"
    assert said[1].startswith("child runs again (process ")


def test_five_deaths_within_a_minute_end_it_all(tmp_path, supervisor, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_BACKOFF_SECONDS", 0.05)
    start(supervisor, tmp_path, "import sys; sys.exit('out of luck')")
    with pytest.raises(CannotStart, match="child died 5 times within a minute, last: out of luck"):
        supervisor.supervise()


def test_it_waits_longer_after_each_death():
    child = module.Child(program=None, running=None)  # type: ignore[arg-type]
    waits = []
    for death in range(4):
        child.note_death(now_monotonic=100.0 + death)
        assert child.restart_at is not None
        waits.append(child.restart_at - (100.0 + death))
    assert waits == [0.5, 1.0, 2.0, 4.0]
    child.note_death(now_monotonic=300.0)
    assert child.restart_at == 300.5, "deaths of more than a minute ago are forgotten"


def test_a_child_that_asks_for_a_fresh_process_has_not_died(tmp_path, supervisor, said, monkeypatch):
    monkeypatch.setattr(module, "SHORTEST_LIFE_SECONDS", 0.0)
    code = COUNTING.format(folder=str(tmp_path), body=f"sys.exit({RESTART_ME}) if n < 7 else time.sleep(60)")
    start(supervisor, tmp_path, code)
    watcher = signal_ourselves_when(lambda: starts_of(tmp_path) >= 7)
    supervisor.supervise()
    watcher.join()
    assert set(said) == {"child asked for a fresh process"}


def test_a_child_that_asks_again_at_once_counts_as_dead(tmp_path, supervisor, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_BACKOFF_SECONDS", 0.05)
    start(supervisor, tmp_path, f"import sys; sys.exit({RESTART_ME})")
    with pytest.raises(CannotStart, match="child died 5 times within a minute"):
        supervisor.supervise()


def test_a_signal_while_starting_is_no_failure(tmp_path, supervisor):
    watcher = signal_ourselves_when(lambda: True)
    with pytest.raises(StopAsked):
        supervisor.start([program(tmp_path, "import time; time.sleep(60)", is_ready=lambda: False)])
    watcher.join()


def test_a_child_that_dies_while_others_start_ends_the_start(tmp_path, supervisor):
    start(supervisor, tmp_path, "import sys; sys.exit('gone')")
    with pytest.raises(CannotStart, match="child ended with code 1: gone"):
        supervisor.wait_until(lambda: False, timeout_seconds=10)


def test_a_step_that_fails_names_its_reason(tmp_path, supervisor):
    with pytest.raises(CannotStart, match="prepare failed: no table"):
        supervisor.run_to_end(program(tmp_path, "import sys; sys.exit('no table')", "prepare"), timeout_seconds=10)


def test_it_stops_servers_after_those_who_use_them(tmp_path, supervisor):
    order = tmp_path / "order"
    code = (
        "import pathlib, signal, sys, time\n"
        "def leave(*_):\n"
        f"    with pathlib.Path({str(order)!r}).open('a') as file: file.write(sys.argv[1] + ' ')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "pathlib.Path(sys.argv[2]).touch()\n"
        "time.sleep(60)"
    )

    def named(name: str, *, is_server: bool) -> Program:
        flag = tmp_path / f"{name}.ready"
        argv = (sys.executable, "-c", code, name, str(flag))
        return Program(
            name=name,
            argv=argv,
            env=dict(os.environ),
            log=tmp_path / name,
            is_server=is_server,
            is_ready=flag.exists,
        )

    supervisor.start([named("database", is_server=True), named("web", is_server=False)])
    supervisor.stop()
    assert order.read_text() == "web database "
