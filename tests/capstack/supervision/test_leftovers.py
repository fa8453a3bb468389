import json
import subprocess
import sys
import time

import psutil

from capstack.supervision.leftovers import end_leftovers, record_children

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_it_ends_what_a_killed_run_left(tmp_path):
    left = subprocess.Popen(SLEEP, start_new_session=True)
    record = tmp_path / "processes.json"
    record_children(path=record, pids={"web": left.pid})
    assert end_leftovers(path=record) == ("web",)
    assert left.wait(timeout=5) != 0
    assert not record.exists()


def test_it_ends_the_children_of_a_leader_that_is_gone(tmp_path):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert leader.stdout is not None
    member = psutil.Process(int(leader.stdout.readline()))
    record = tmp_path / "processes.json"
    record_children(path=record, pids={"web": leader.pid})
    leader.kill()
    leader.wait()
    assert end_leftovers(path=record) == ("web",)
    assert not member.is_running() or member.status() == psutil.STATUS_ZOMBIE


def test_it_spares_a_stranger_who_got_the_number(tmp_path):
    stranger = subprocess.Popen(SLEEP, start_new_session=True)
    record = tmp_path / "processes.json"
    record.write_text(json.dumps([{"name": "web", "pid": stranger.pid, "created": time.time() - 3600}]))
    assert end_leftovers(path=record) == ()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_it_takes_a_zombie_for_dead(tmp_path):
    zombie = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    record = tmp_path / "processes.json"
    record_children(path=record, pids={"web": zombie.pid})
    while psutil.Process(zombie.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    started = time.monotonic()
    assert end_leftovers(path=record) == ()
    assert time.monotonic() - started < 2
    zombie.wait()


def test_half_a_file_is_no_record(tmp_path):
    record = tmp_path / "processes.json"
    record.write_text('[{"name": "web", "pi')
    assert end_leftovers(path=record) == ()
    assert end_leftovers(path=tmp_path / "never-written.json") == ()
