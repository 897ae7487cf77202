"""Where compiled kernels are kept: once for each user, so that no second workspace waits for them.

What is kept there is loaded as code, so the folder has to be the user's own and nobody else's to
write; else (read-only homes, users without one) kernels are kept in the workspace, as runs are.
"""

from __future__ import annotations

import os
import stat
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_OWN: Final = 0o700
_OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def kernel_folder(workspace: Path) -> Path:
    """The folder of this version's kernels: of the user where that is safe, else of `workspace`."""
    own = _of_user()
    return (workspace / ".cache" / "numba").absolute() if own is None else own


def _of_user() -> Path | None:
    """The user's folder, made if need be; None where it cannot be written or others may write."""
    try:
        given = os.environ.get("XDG_CACHE_HOME", "")
        home = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
        top = home / "lifecircle"
        folder = top / f"kernels-{_versions()}"
        home.mkdir(parents=True, exist_ok=True)
        for one in (top, folder):
            one.mkdir(mode=_OWN, exist_ok=True)
            if not _is_own(one):
                return None
    except (OSError, RuntimeError):  # read-only, no such home, or not even a user
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def _is_own(folder: Path) -> bool:
    """Whether a folder (no link) is the user's and nobody else may write into it."""
    held = folder.lstat()
    mine = not hasattr(os, "getuid") or held.st_uid == os.getuid()
    return stat.S_ISDIR(held.st_mode) and mine and not held.st_mode & _OF_OTHERS


def _versions() -> str:
    """What kernels fit: this package, numba and Python; numba itself minds the sources and CPU."""
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    return "-".join((_version("lifecircle"), _version("numba"), python))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a folder that was not installed
        return "0"
