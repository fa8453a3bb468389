"""The database takes its part of the memory that there is."""

from pathlib import Path

import psutil
import pytest

from capstack.embedded.database_memory import shared_buffers_mb, usable_memory_bytes
from capstack.embedded.postgres import Cluster, SystemUser, postgres_program

GIGABYTE = 1 << 30


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(0.5, 128), (2, 256), (4, 512), (8, 1024), (64, 1024)])
def test_it_is_an_eighth_within_bounds(gigabytes: float, megabytes: int) -> None:
    assert shared_buffers_mb(memory_bytes=int(gigabytes * GIGABYTE)) == megabytes


def test_a_container_has_what_it_is_given_and_not_what_its_host_has(tmp_path) -> None:
    total = psutil.virtual_memory().total
    limit = tmp_path / "memory.max"
    assert usable_memory_bytes(container_limit=limit) == total
    for written, usable in (("max\n", total), (f"{total * 2}\n", total), ("268435456\n", 268435456)):
        limit.write_text(written, encoding="ascii")
        assert usable_memory_bytes(container_limit=limit) == usable


def test_only_a_server_that_lasts_takes_it(tmp_path: Path) -> None:
    """Tests run many servers at once."""
    user = SystemUser(user_id=0, group_id=0, name="t", is_ourselves=True)
    cluster = Cluster(pgdata=tmp_path, socket_dir=tmp_path, binaries=tmp_path, user=user)
    ours = f"shared_buffers={shared_buffers_mb(memory_bytes=usable_memory_bytes())}MB"
    assert ours in postgres_program(cluster=cluster, log=tmp_path / "log").argv
    brief = postgres_program(cluster=cluster, log=tmp_path / "log", durable=False).argv
    assert "shared_buffers=256MB" in brief
