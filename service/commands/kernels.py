"""Compiled kernels lie in the workspace; a new one is lent those its user has compiled before.

What is lent is loaded as code, so the user's folder has to be their own and nobody else's to
write; else (read-only homes, users without one) every workspace compiles for itself.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_OWN: Final = 0o700
_OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_DATA, _INDEX = ".nbc", ".nbi"  # numba's files: an index names the data that it needs


def kernel_folder(workspace: Path) -> Path:
    """The folder of a workspace's kernels."""
    return (workspace / ".cache" / "numba").absolute()


def lend_kernels(folder: Path) -> None:
    """Fill a workspace's new folder with the user's kernels; take home what is new at the end."""
    own = _of_user()
    if own is None:
        return
    with suppress(OSError):  # a workspace that is read-only, a full disk: it compiles
        if not folder.exists():
            folder.mkdir(parents=True, mode=_OWN)
            bring_kernels(own, folder)
        if _is_own(folder):
            atexit.register(bring_kernels, folder, own)


def bring_kernels(there: Path, here: Path) -> None:
    """Copy numba's files that are missing or older, each whole or not at all, data first."""
    with suppress(OSError):
        for ending in (_DATA, _INDEX):
            for file in sorted(there.rglob(f"*{ending}")):
                to = here / file.relative_to(there)
                if to.exists() and to.stat().st_mtime_ns >= file.stat().st_mtime_ns:
                    continue
                to.parent.mkdir(mode=_OWN, parents=True, exist_ok=True)
                aside = to.with_name(f"{to.name}.{os.getpid()}")
                shutil.copy2(file, aside)
                aside.replace(to)


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
