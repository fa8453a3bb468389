"""`manage.py up` with real processes: from nothing to a page, through accidents, to a clean stop.

The tests of this module share one installation and run in order: starting it is what takes the time.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capstack.installation import REPOSITORY, Up, bare_environment, is_gone, start_up, wait_for
from tests.conftest import free_port


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="capstack-up-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    running = start_up(data_dir=folder / "data", port=free_port(), output=folder / "output")
    try:
        running.wait_until_up()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait(timeout=30)


def one_line_refusal(*argv: str, env: dict[str, str] | None = None) -> str:
    """Run `up`, expect exit code 1 and nothing but one line on stderr; return the line."""
    run = subprocess.run(
        [sys.executable, "manage.py", "up", *argv],
        cwd=REPOSITORY,
        env=env or bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr
    return run.stderr.strip()


def test_it_prints_an_address_that_answers(up):
    assert f"capstack runs at {up.url}" in up.text()
    status, page = up.get("/sign-in")
    assert status == 200
    assert b"<form" in page
    assert up.is_ready()


def test_it_prints_sign_ins_that_only_their_file_keeps(up):
    sign_ins = json.loads((up.data_dir / "sign-ins.json").read_text())
    assert [sign_in["role"] for sign_in in sign_ins] == ["founder", "finance", "admin"]
    for sign_in in sign_ins:
        assert sign_in["email"] in up.text()
        assert sign_in["password"] in up.text()
    for secret in ("sign-ins.json", "secret-key", "endpoints.json"):
        assert (up.data_dir / secret).stat().st_mode & 0o077 == 0, secret


def test_commands_find_its_servers_and_its_metrics_add_up_over_processes(up):
    made = up.manage("create_token", "demo", "--name", "test", "--scopes", "ingest")
    assert made.returncode == 0, made.stderr
    before = counted(up)
    request = urllib.request.Request(
        f"{up.url}/api/v1/events",
        data=json.dumps(
            {"source": "test", "event_type": "expense", "amount": "1", "currency": "USD", "external_ref": "a"}
        ).encode(),
        headers={"Authorization": f"Bearer {made.stdout.split()[-1]}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        assert response.status == 201
    ndjson = up.data_dir.parent / "events.ndjson"
    ndjson.write_text(
        '{"source": "file", "event_type": "income", "amount": "2", "currency": "USD",'
        ' "occurred_at": "2026-01-02T03:04:05Z", "external_ref": "b"}\n'
    )
    imported = up.manage("import_events", str(ndjson), "--company", "demo")
    assert imported.returncode == 0, imported.stderr
    assert counted(up) == before + 2, "the web server's and the command's events"


def counted(up: Up) -> float:
    text = up.get("/metrics")[1].decode()
    name = 'capital_events_ingested_total{status="recorded"} '
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))


def test_a_second_one_on_the_same_folder_is_refused(up):
    line = one_line_refusal("--data-dir", str(up.data_dir), "--port", str(free_port()))
    assert line == f"capstack already runs on {up.data_dir} at {up.url} (process {up.process.pid})"


def test_a_taken_port_is_refused_by_number(up):
    line = one_line_refusal("--data-dir", str(up.data_dir), "--port", str(up.port))
    assert line.startswith(f"port {up.port} on 127.0.0.1 cannot be used: Address already in use")


@pytest.mark.parametrize("name", ["worker-forecast", "redis-queue", "postgres", "web", "scheduler"])
def test_a_killed_child_comes_back(up, name):
    pid = up.children()[name]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: up.children().get(name, pid) != pid, seconds=30, what=f"a new {name}")
    wait_for(up.is_ready, seconds=90, what="/readyz green again")
    assert up.process.poll() is None


def test_after_kill_9_of_everything_it_starts_again_with_its_data(up, folder):
    family = up.family()
    for process in [*family, up.process]:
        process.kill()
    up.process.wait()
    again = start_up(data_dir=up.data_dir, port=up.port, output=folder / "output-again")
    up.process, up.output = again.process, again.output
    up.wait_until_up()
    assert "the demo company" not in up.text(), "it was there already"
    assert up.is_ready()


def test_after_kill_9_of_the_supervisor_alone_its_children_end_by_themselves(up, folder):
    family = up.family()
    up.process.kill()
    up.process.wait()
    again = start_up(data_dir=up.data_dir, port=up.port, output=folder / "output-third")
    up.process, up.output = again.process, again.output
    up.wait_until_up()
    assert all(is_gone(process) for process in family)


@pytest.mark.parametrize("number", [signal.SIGINT])
def test_ctrl_c_stops_everything_it_started(up, number):
    family = up.family()
    assert len(family) >= 10
    started = time.monotonic()
    up.process.send_signal(number)
    assert up.process.wait(timeout=30) == 0
    assert time.monotonic() - started < 20
    assert [process for process in family if not is_gone(process)] == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", up.port)) != 0
    assert not (up.data_dir / "endpoints.json").exists()
    assert not (up.data_dir / "processes.json").exists()


def test_a_command_alone_starts_what_it_needs_and_stops_it(up):
    assert up.process.poll() is not None
    listed = up.manage(
        "shell", "-c", "from ledger.models.company import Company; print(Company.objects.get().slug)"
    )
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[-1] == "demo"
    assert not (up.data_dir / "endpoints.json").exists()
    assert not (up.data_dir / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_a_private_parent_is_named_and_left_alone(folder):
    home = folder / "home"
    home.mkdir(mode=0o700)
    line = one_line_refusal("--data-dir", str(home / "clone" / ".data"), "--port", str(free_port()))
    assert f"cannot enter {home} (mode 0700)" in line
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_server_that_does_not_start_is_named_and_the_rest_is_stopped(folder):
    data_dir = folder / "broken"
    (data_dir / "redis-queue").mkdir(parents=True)
    data_dir.chmod(0o711)
    (data_dir / "redis-queue" / "appendonly.aof").write_text("this is no append-only file\n")
    line = one_line_refusal("--data-dir", str(data_dir), "--port", str(free_port()))
    assert line.startswith("redis-queue ended with code 1 while starting: ")
    assert not (data_dir / "postgres" / "postmaster.pid").exists(), "PostgreSQL was left running"


def test_a_port_that_is_none_is_a_usage_error():
    run = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", "http"],
        cwd=REPOSITORY,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 2
    assert "a port is a whole number from 1 to 65535" in run.stderr
