"""Where Unix sockets lie: beside their data, or in a short folder when that path is too long."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from capstack.supervision.problems import CannotStart

# sockaddr_un holds 108 bytes with the closing NUL on Linux, 104 on macOS.
LONGEST_SOCKET_PATH_BYTES = 103


def socket_folder(*, preferred: Path, socket_name: str, owner_id: int) -> Path:
    """Return the folder for a socket of the given name: `preferred` when its path fits, else one under /tmp.

    The short folder has a name that follows from `preferred`, so a second start finds it again. It belongs to
    `owner_id` and nobody else may enter it.

    Raises:
        CannotStart: somebody else put something of that name there.
    """
    if len(os.fsencode(preferred / socket_name)) <= LONGEST_SOCKET_PATH_BYTES:
        return preferred
    digest = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"capstack-{owner_id}-{digest}"
    if len(os.fsencode(folder / socket_name)) > LONGEST_SOCKET_PATH_BYTES:
        folder = Path("/tmp") / folder.name  # noqa: S108 -- ownership and mode are checked below
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner_id, -1)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner_id or found.st_mode & 0o077:
            raise CannotStart(
                f"{folder} is needed for a socket but belongs to someone else or is open to others; remove it"
            ) from None
    return folder
