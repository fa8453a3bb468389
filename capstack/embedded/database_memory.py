"""How much of the machine's memory the database keeps pages in."""

from pathlib import Path

import psutil

MEGABYTE = 1 << 20
LEAST_MB, MOST_MB = 128, 1024
# The application's processes live on the same machine, and what PostgreSQL does not keep the kernel may.
PART = 8
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def shared_buffers_mb(*, memory_bytes: int) -> int:
    """Return megabytes for `shared_buffers`: an eighth of the memory, within bounds; taken as they are used."""
    return min(max(memory_bytes // MEGABYTE // PART, LEAST_MB), MOST_MB)


def usable_memory_bytes(*, container_limit: Path = _CONTAINER_LIMIT) -> int:
    """Return the machine's memory, or what a container leaves of it."""
    total = int(psutil.virtual_memory().total)
    try:
        limit = container_limit.read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total
