"""Folders as `make run` meets them: somewhere under /tmp, which every system user may enter."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from capstack.embedded.data_folder import DataFolder, open_data_folder


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """Give a folder that everyone may enter; pytest's own tmp_path is closed to all but its owner."""
    path = Path(tempfile.mkdtemp(prefix="capstack-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def folder(open_dir: Path) -> DataFolder:
    return open_data_folder(open_dir / "data")
