"""What a process that the service begins is given, and when it ends.

It gets the variables of a list, never the rest: keys, passwords and addresses with passwords stand
in the environment of a service, and a process that reads a hostile file is to find none of them.
It gets no open file but those named for it, and ends with whoever began it, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import util
from typing import Any, Final

_PASSED_ON: Final = re.compile(  # where programs, libraries and their data lie; languages; threads
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|VIRTUAL_ENV|XDG_CACHE_HOME"
    r"|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SYSTEMROOT|PATHEXT|COMSPEC|APPDATA|LOCALAPPDATA"
    r"|PYTHON(?:PATH|HOME|HASHSEED|UTF8|IOENCODING|WARNINGS|DONTWRITEBYTECODE|UNBUFFERED)"
    r"|(?:NUMBA|OMP|OPENBLAS|MKL|BLIS|VECLIB|GOTO|MPL)_?\w*"
    r"|(?:GDAL|PROJ)_(?:DATA|LIB|NETWORK|CACHEMAX)|MALLOC_\w+|COVERAGE_\w+|COV_CORE_\w+"
)
_lock: Final = threading.Lock()


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a process beside the service is given."""
    return {name: value for name, value in environment.items() if _PASSED_ON.fullmatch(name)}


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a city's process of a batch is given: a person's own, whose files and
    databases it reads, but none of a service.
    """
    return {n: value for n, value in environment.items() if not n.startswith("LIFECIRCLE_")}


def begin_clean(process: Any) -> None:
    """Start a process of `multiprocessing`, in a clean environment.

    The server of processes is a program of its own, begun by the first process and again after its
    death; `multiprocessing` gives it all of this one's environment and has no setting for it.
    """
    if sys.platform == "win32":
        process.start()
        return
    with _lock, _spawning_clean():
        process.start()


@contextmanager
def _spawning_clean() -> Iterator[None]:
    library: Any = util
    usual = library.spawnv_passfds
    library.spawnv_passfds = _spawn_clean
    try:
        yield
    finally:
        library.spawnv_passfds = usual


def _spawn_clean(path: str | bytes, args: Sequence[str | bytes], passfds: Sequence[int]) -> int:
    process = subprocess.Popen(  # noqa: S603 - the interpreter, told what to do by the library
        [os.fsdecode(one) for one in args],
        executable=path,
        pass_fds=tuple(passfds),
        env=clean_environment(os.environ),
    )
    process.returncode = 0  # `multiprocessing` waits for it; to be gone without is no leak of ours
    return process.pid


def die_with_service() -> None:
    """End this process of `multiprocessing` with the one that asked for it, however that ends.

    A pipe of which that one has the other end closes then: the system kills us for it (Linux), or
    a thread does that waits. The server of processes ends with the last process that it made.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform != "linux":
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
        return
    import fcntl

    pipe: int = parent.sentinel
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if not parent.is_alive():  # before we asked
        os._exit(1)


def _end_after(parent: Any) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
