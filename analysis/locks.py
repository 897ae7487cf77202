"""Locks between processes, each on an open file: free once that is closed, or its holder is dead.

Windows has none of them: there whoever asks for one has it.
"""

from __future__ import annotations

import sys

if sys.platform != "win32":
    import fcntl


def wait_for_lock(handle: int) -> None:
    """Hold the lock of an open file, as soon as nobody else does."""
    if sys.platform != "win32":
        fcntl.flock(handle, fcntl.LOCK_EX)


def try_lock(handle: int) -> bool:
    """Hold the lock of an open file; False where it is not to be had now."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def unlock(handle: int) -> None:
    """Let go of a lock before its file is closed: another handle (a mapping) may keep it open."""
    if sys.platform != "win32":
        fcntl.flock(handle, fcntl.LOCK_UN)
