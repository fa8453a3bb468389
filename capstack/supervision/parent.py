"""Ending with one's parent, also when the parent is killed with -9 and can tell nobody."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded at import: between fork and exec nothing may be imported or allocated that takes a lock.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def end_with_parent(*, death_signal: signal.Signals, parent_pid: int) -> None:
    """Ask the kernel to send `death_signal` to this process when its parent ends (Linux; elsewhere a no-op).

    `parent_pid` closes the race in which the parent ended before this call: then the process leaves at once.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)
