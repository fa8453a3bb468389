"""What `manage.py` does before Django: as little as it can."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.capstack.installation import REPOSITORY, bare_environment, manage


def run_bare(*argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *argv],
        cwd=REPOSITORY,
        env=bare_environment() | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    "argv", [("check",), ("help",), ("makemigrations", "--help"), ("diffsettings",), ("version",)]
)
def test_commands_that_read_no_row_start_no_server(tmp_path, argv):
    run = run_bare(*argv, DATA_DIR=str(tmp_path / "data"))
    assert run.returncode == 0, run.stderr
    assert not (tmp_path / "data").exists()


def test_with_servers_of_your_own_nothing_embedded_is_even_loaded(tmp_path):
    code = (
        "import sys; from capstack.bootstrap import servers_for\n"
        "with servers_for(['manage.py', 'migrate']): pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('capstack.embedded') or name == 'django'))"
    )
    yours = {"DATABASE_URL": "postgresql://db.example.com/x", "REDIS_URL": "redis://x", "SECRET_KEY": "x"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=bare_environment() | yours | {"DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.strip() == "[]"
    assert not (tmp_path / "data").exists()


def test_with_servers_of_your_own_a_missing_secret_key_is_an_error(tmp_path):
    run = run_bare(
        "migrate",
        DATABASE_URL=os.environ["DATABASE_URL"],
        REDIS_URL=os.environ["REDIS_URL"],
        DATA_DIR=str(tmp_path / "data"),
    )
    assert run.returncode == 1
    assert "Set SECRET_KEY or SECRET_KEY_FILE." in run.stderr


@dataclass(frozen=True)
class NewFolder:
    """A folder in which a command found nothing, and what it said to that."""

    data_dir: Path
    made: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def new_folder() -> Iterator[NewFolder]:
    """Give the folder to all tests of the module: making its tables is what takes the time."""
    path = Path(tempfile.mkdtemp(prefix="capstack-bootstrap-"))
    path.chmod(0o711)
    company = ("acme", "--name", "Acme", "--currency", "USD", "--timezone", "UTC")
    yield NewFolder(path / "data", manage("create_company", *company, data_dir=path / "data"))
    shutil.rmtree(path, ignore_errors=True)


def test_a_command_on_a_new_folder_makes_the_tables_and_says_so_on_stderr(new_folder):
    assert new_folder.made.returncode == 0, new_folder.made.stderr
    assert "A new database: making its tables." in new_folder.made.stderr
    assert "A new database" not in new_folder.made.stdout


def test_two_commands_at_once_share_the_servers_of_the_first(new_folder):
    data_dir = new_folder.data_dir
    first = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", "import time; print('begun', flush=True); time.sleep(4)"],
        cwd=REPOSITORY,
        env=bare_environment() | {"DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The second one outlasts the first, whose servers must stay until it is done.
    code = (
        "import time; from ledger.models.company import Company; time.sleep(6);"
        " print('companies:', Company.objects.count())"
    )
    assert first.stdout is not None
    while "begun" not in (line := first.stdout.readline()):
        assert line, first.stderr and first.stderr.read()
    second = manage("shell", "-c", code, data_dir=data_dir)
    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines()[-1] == "companies: 1"
    assert first.wait(timeout=60) == 0
    assert not (data_dir / "endpoints.json").exists()
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_sigterm_stops_the_servers_of_a_command(new_folder):
    data_dir = new_folder.data_dir
    command = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", "import time; print('begun', flush=True); time.sleep(60)"],
        cwd=REPOSITORY,
        env=bare_environment() | {"DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    while "begun" not in (line := command.stdout.readline()):
        assert line
    command.terminate()
    started = time.monotonic()
    assert command.wait(timeout=30) == 128 + 15
    assert time.monotonic() - started < 15
    assert not (data_dir / "postgres" / "postmaster.pid").exists()
