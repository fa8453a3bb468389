"""What must be true before Django reads its settings: where the servers are.

`manage.py` finds the servers in the environment, else those of a running `make run`, else it starts what it needs
for the time of the command.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from capstack.variables import adopt, is_set

BASE_DIR = Path(__file__).resolve().parent.parent
# They read no row: an address that leads nowhere is enough to read the settings.
COMMANDS_WITHOUT_SERVERS = frozenset(
    {"check", "collectstatic", "diffsettings", "help", "makemigrations", "score_forecasts", "startapp", "version"}
)
NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "for commands that sign nothing",
}
REQUIRED = ("DATABASE_URL", "REDIS_URL")


@contextlib.contextmanager
def servers_for(argv: Sequence[str]) -> Iterator[None]:
    """Make DATABASE_URL, REDIS_URL and SECRET_KEY stand in the environment while a management command runs.

    What the environment or `.env` names already is left alone, and then this costs next to nothing.

    Raises:
        CannotStart: servers are needed, and cannot be had.
    """
    read_dotenv()
    command = argv[1] if len(argv) > 1 else "help"
    if all(is_set(name) for name in REQUIRED):
        _find_secret_key()
        yield
    elif command in COMMANDS_WITHOUT_SERVERS or command.startswith("-") or {"-h", "--help"} & set(argv):
        for name, value in NOWHERE.items():
            if not is_set(name):
                os.environ[name] = value
        yield
    else:
        # Imported here: with servers of your own nothing of the embedded ones is loaded, nor need be installed.
        from capstack.embedded.command_servers import servers_of_data_folder

        with servers_of_data_folder(path=data_dir(), command=command) as environment:
            adopt(os.environ, environment)
            yield


def read_dotenv() -> None:
    """Add what `.env` says to the environment; a variable that is already set wins."""
    if (BASE_DIR / ".env").exists():
        import environ

        environ.Env.read_env(BASE_DIR / ".env")


def data_dir() -> Path:
    """Return DATA_DIR, as the settings understand it."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data").resolve()


def _find_secret_key() -> None:
    """Use the key of an installation that `up` made here. There is no key that every installation would share."""
    path = data_dir() / "secret-key"
    if not is_set("SECRET_KEY") and path.exists():
        os.environ["SECRET_KEY_FILE"] = str(path)
