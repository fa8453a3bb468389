import os
import shutil
import signal
import subprocess
import time

import psycopg
import pytest

from capstack.embedded import postgres
from capstack.supervision.problems import CannotStart
from capstack.supervision.program import RunningProgram

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")


def started(folder, **options) -> tuple[postgres.Cluster, RunningProgram]:
    cluster = postgres.locate_cluster(pgdata=folder.pgdata, install_dir=folder.path)
    server = RunningProgram(
        program=postgres.postgres_program(cluster=cluster, log=folder.log("postgres"), **options)
    )
    server.wait_ready()
    return cluster, server


def query(cluster, statement, database="capstack", role=postgres.APPLICATION_ROLE):
    with psycopg.connect(cluster.url(database=database, role=role), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def test_it_makes_a_cluster_and_a_database_for_a_role_that_is_no_superuser(folder):
    cluster, server = started(folder)
    try:
        postgres.ensure_database(cluster=cluster, name="capstack")
        postgres.ensure_database(cluster=cluster, name="capstack")
        assert query(cluster, "select current_user, usesuper from pg_user where usename = current_user") == [
            ("capstack", False)
        ]
        assert query(cluster, "show server_version_num")[0][0].startswith("18")
        assert query(cluster, "show listen_addresses") == [("",)], "nobody else on this machine can connect"
        assert query(cluster, "show server_encoding") == [("UTF8",)]
    finally:
        assert server.stop() == 0


def test_committed_data_survives_kill_9_and_a_second_start(folder):
    cluster, server = started(folder)
    postgres.ensure_database(cluster=cluster, name="capstack")
    query(cluster, "create table kept as select 42 as answer")
    os.kill(server.pid, signal.SIGKILL)
    # At once: its children still run, its pid file still stands, its zombie is not reaped.
    cluster, server = started(folder)
    try:
        assert query(cluster, "select answer from kept") == [(42,)]
    finally:
        server.stop()


def test_a_pid_file_that_names_a_stranger_does_not_stand_in_the_way(folder):
    cluster, server = started(folder)
    server.stop()
    # A machine that crashed: the number now belongs to somebody else, of the server's own user at that.
    user = {} if cluster.user.is_ourselves else {"user": cluster.user.user_id}
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **user)
    try:
        (folder.pgdata / "postmaster.pid").write_text(f"{stranger.pid}\n{folder.pgdata}\n1\n5432\n\n\n0\nready\n")
        os.chown(folder.pgdata / "postmaster.pid", cluster.user.user_id, cluster.user.group_id)
        _, server = started(folder)
        server.stop()
        assert stranger.poll() is None, "a stranger was hit"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_of_a_killed_run_is_ended_before_the_next_starts(folder):
    _, orphan = started(folder)
    cluster, server = started(folder)
    try:
        assert orphan.exit_code() is not None
        assert query(cluster, "select 1", database="postgres", role="postgres") == [(1,)]
    finally:
        server.stop()


def test_a_start_that_was_cut_short_leaves_nothing_half_made(folder):
    unfinished = folder.pgdata.with_name("postgres.unfinished")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    _, server = started(folder)
    server.stop()
    assert not unfinished.exists()


def test_it_refuses_data_of_another_version(folder):
    _, server = started(folder)
    server.stop()
    (folder.pgdata / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotStart, match="was made by PostgreSQL 17, this one is 18"):
        started(folder)


def test_it_refuses_a_folder_that_holds_something_else(folder):
    folder.pgdata.mkdir()
    (folder.pgdata / "letters.txt").write_text("dear diary")
    with pytest.raises(CannotStart, match="holds files but no PostgreSQL cluster"):
        started(folder)
    assert (folder.pgdata / "letters.txt").exists()


def test_it_serves_from_a_folder_whose_path_is_too_long_for_a_socket(open_dir):
    deep = open_dir.joinpath(*["a-rather-long-name-for-a-folder"] * 4)
    deep.mkdir(parents=True)
    cluster = postgres.locate_cluster(pgdata=deep / "postgres", install_dir=deep)
    server = RunningProgram(program=postgres.postgres_program(cluster=cluster, log=deep / "log"))
    server.wait_ready()
    try:
        assert cluster.socket_dir != cluster.pgdata
        assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
        assert query(cluster, "select 1", database="postgres", role="postgres") == [(1,)]
    finally:
        server.stop()
        cluster.socket_dir.rmdir()


@AS_ROOT
def test_it_names_the_first_folder_that_the_servers_user_cannot_enter(open_dir):
    closed = open_dir / "home"
    closed.mkdir(mode=0o700)
    with pytest.raises(CannotStart) as refusal:
        postgres.locate_cluster(pgdata=closed / "clone" / ".data" / "postgres", install_dir=open_dir)
    assert f"cannot enter {closed} (mode 0700)" in str(refusal.value)
    assert "DATA_DIR=" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert closed.stat().st_mode & 0o777 == 0o700, "the mode of a parent was changed"


@AS_ROOT
def test_it_copies_binaries_that_the_servers_user_cannot_reach(open_dir, monkeypatch):
    closed = open_dir / "home"
    closed.mkdir(mode=0o700)
    # As in a clone under such a home: the environment with the package lies behind the closed door.
    package = postgres._installed_binaries().parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.name)
    binaries = closed / package.name / "pginstall18" / "bin"
    monkeypatch.setattr(postgres, "_installed_binaries", lambda: binaries)
    data = open_dir / "data"
    cluster = postgres.locate_cluster(pgdata=data / "postgres", install_dir=data)
    assert cluster.binaries.is_relative_to(data / "postgresql-18")
    server = RunningProgram(program=postgres.postgres_program(cluster=cluster, log=data / "log"))
    server.wait_ready()
    assert server.stop() == 0


@AS_ROOT
def test_its_user_owns_the_data_and_nobody_else_may_look(folder):
    cluster, server = started(folder)
    server.stop()
    assert folder.pgdata.stat().st_uid == cluster.user.user_id != 0
    assert folder.pgdata.stat().st_mode & 0o777 == 0o700


def test_it_is_stopped_within_seconds_while_a_client_is_connected(folder):
    cluster, server = started(folder)
    connection = psycopg.connect(cluster.url(database="postgres", role="postgres"))
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 5
    connection.close()
