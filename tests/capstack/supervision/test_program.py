import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from capstack.supervision.problems import CannotStart
from capstack.supervision.program import Program, RunningProgram


def python(code: str, *, log: Path, **options) -> Program:
    return Program(name="child", argv=(sys.executable, "-c", code), env=dict(os.environ), log=log, **options)


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_it_is_ready_once_it_says_so(tmp_path):
    flag = tmp_path / "ready"
    code = f"import pathlib, time; time.sleep(0.2); pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
    running = RunningProgram(program=python(code, log=tmp_path / "log", is_ready=flag.exists))
    running.wait_ready()
    assert flag.exists()
    assert running.stop() == -signal.SIGTERM


def test_it_names_the_last_line_of_the_log_when_it_ends_while_starting(tmp_path):
    log = tmp_path / "log"
    log.write_text("an older line of an earlier start\n")
    running = RunningProgram(program=python("import sys; sys.exit('no room')", log=log, is_ready=lambda: False))
    with pytest.raises(CannotStart, match=r"child ended with code 1 while starting: no room \(log: .*log\)"):
        running.wait_ready()


def test_it_does_not_quote_an_earlier_start(tmp_path):
    log = tmp_path / "log"
    log.write_text("an older line of an earlier start\n")
    running = RunningProgram(program=python("raise SystemExit(3)", log=log, is_ready=lambda: False))
    with pytest.raises(CannotStart, match="it wrote no log"):
        running.wait_ready()


def test_it_gives_up_on_one_that_never_answers(tmp_path):
    program = python(
        "import time; time.sleep(60)", log=tmp_path / "log", is_ready=lambda: False, ready_timeout_seconds=0.2
    )
    running = RunningProgram(program=program)
    with pytest.raises(CannotStart, match="did not answer within"):
        running.wait_ready()
    running.stop()


def test_it_refuses_a_program_that_does_not_exist(tmp_path):
    program = Program(name="ghost", argv=("/nonexistent/ghost",), env={}, log=tmp_path / "log")
    with pytest.raises(CannotStart, match="ghost does not start"):
        RunningProgram(program=program)


def test_stopping_also_ends_the_children_of_the_child(tmp_path):
    pid_file = tmp_path / "pid"
    code = (
        "import pathlib, subprocess, sys, time\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(grandchild.pid))\n"
        "time.sleep(60)"
    )
    running = RunningProgram(
        program=python(
            code, log=tmp_path / "log", is_ready=lambda: pid_file.exists() and pid_file.read_text() != ""
        )
    )
    running.wait_ready()
    grandchild = psutil.Process(int(pid_file.read_text()))
    running.stop()
    wait_for(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


def test_one_that_ignores_the_polite_signal_is_killed(tmp_path):
    flag = tmp_path / "ready"
    code = (
        "import pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(flag)!r}).touch()\n"
        "time.sleep(60)"
    )
    program = python(code, log=tmp_path / "log", is_ready=flag.exists, stop_signals=((signal.SIGTERM, 0.3),))
    running = RunningProgram(program=program)
    running.wait_ready()
    assert running.stop() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
def test_it_ends_when_its_parent_is_killed(tmp_path):
    pid_file = tmp_path / "pid"
    parent = (
        "import os, sys, time, pathlib\n"
        "from capstack.supervision.program import Program, RunningProgram\n"
        "program = Program(name='child', argv=(sys.executable, '-c', 'import time; time.sleep(60)'),\n"
        f"    env=dict(os.environ), log=pathlib.Path({str(tmp_path / 'child.log')!r}))\n"
        "running = RunningProgram(program=program)\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(running.pid))\n"
        "time.sleep(60)"
    )
    keeper = RunningProgram(
        program=python(
            parent,
            log=tmp_path / "log",
            cwd=Path(__file__).parents[3],
            is_ready=lambda: pid_file.exists() and pid_file.read_text() != "",
        )
    )
    keeper.wait_ready()
    orphan = psutil.Process(int(pid_file.read_text()))
    os.kill(keeper.pid, signal.SIGKILL)
    wait_for(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)
    keeper.stop()
