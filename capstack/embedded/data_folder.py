"""DATA_DIR, `.data` by default: where an installation without servers of its own keeps everything."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from capstack.supervision.problems import CannotStart


@dataclass(frozen=True, kw_only=True)
class DataFolder:
    """Where things lie under DATA_DIR."""

    path: Path

    @property
    def pgdata(self) -> Path:
        return self.path / "postgres"

    @property
    def redis_cache(self) -> Path:
        return self.path / "redis-cache"

    @property
    def redis_queue(self) -> Path:
        return self.path / "redis-queue"

    @property
    def static(self) -> Path:
        return self.path / "static"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics"

    @property
    def endpoints(self) -> Path:
        return self.path / "endpoints.json"

    @property
    def sign_ins(self) -> Path:
        return self.path / "sign-ins.json"

    def log(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"


def open_data_folder(path: Path) -> DataFolder:
    """Return the data folder, made when it is missing. What exists keeps its mode.

    Raises:
        CannotStart: it cannot be made or written to.
    """
    path = path.expanduser().resolve()
    # As root the embedded PostgreSQL runs as another system user, who must pass through; what is secret inside has
    # a mode of its own.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.mkdir()
            path.chmod(mode)  # mkdir's own mode is cut by the umask
        (path / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise CannotStart(f"the data folder {path} cannot be used: {error.strerror or error}") from error
    return DataFolder(path=path)


def secret_key(*, folder: DataFolder) -> str:
    """Return the installation's SECRET_KEY, drawn at random on first use and readable by its owner alone."""
    path = folder.path / "secret-key"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()
