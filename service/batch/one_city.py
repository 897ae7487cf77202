"""The process of one city: takes a task, answers into the file it is given.

Started by `work`; not for people. ::

    python -m lifecircle.service.batch.one_city ANSWER PARENT   a task on its input, built, done
    python -m lifecircle.service.batch.one_city serve           orders on its input (`children`)

The second imports everything once, and makes a copy of itself for each order: a city then costs
no start and no imports.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

from lifecircle.analysis.machine import collect_no_more, die_with_parent

SERVE: Final = "serve"
OUT_OF_MEMORY: Final = 5  # exit code of who ran out of memory and could still say so
_CRASHED: Final = 1
_NEEDED: Final = (
    "lifecircle.service.batch.work", "opening_hours", "ortools.graph.python.min_cost_flow",
    "pyarrow.pandas_compat", "pyogrio.raw",
)  # fmt: skip
_CHUNK: Final = 1 << 16


def main() -> int:
    """Build the city; 0 with an answer, be it a refusal; 5 where memory ran out."""
    if sys.argv[1] == SERVE:
        return serve(sys.stdin.fileno())
    die_with_parent(int(sys.argv[2]))
    return build(sys.stdin.read(), Path(sys.argv[1]))


def build(text: str, answer: Path) -> int:
    """Build a city or cut a map within its memory; 0 with an answer, 5 where memory ran out."""
    from lifecircle.analysis.writing import write_aside
    from lifecircle.service.batch.maps import MAP, cut_here
    from lifecircle.service.batch.work import build_here

    order = json.loads(text)
    if MAP in order:
        return _limited(order["memory_gb"], lambda: write_aside(answer, cut_here(text).encode()))

    def work() -> None:
        record = build_here(text)
        used = resource.getrusage(resource.RUSAGE_SELF)
        peak_mb, cpu_s = round(used.ru_maxrss / 1024, 1), round(used.ru_utime + used.ru_stime, 2)
        told = json.dumps(asdict(replace(record, peak_mb=peak_mb, cpu_s=cpu_s)))
        write_aside(answer, told.encode())

    return _limited(order["city"]["memory_gb"], work)


def _limited(most_gb: float | None, work: Callable[[], None]) -> int:
    """Work within so much memory; 0, or 5 where it ran out."""
    if most_gb is not None:
        most = int(most_gb * 2**30)
        if most < _held_bytes():  # the system would refuse any more, and libraries die of that
            return OUT_OF_MEMORY
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        work()
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _held_bytes() -> int:
    """What this process holds already of what its limit counts (Linux; 0 elsewhere)."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(status.partition("VmData:")[2].split()[0]) * 1024


# ---- a copy for each order -----------------------------------------------------------------------


def serve(orders: int) -> int:
    """Make a copy of this process for each order, tell which it is and how it ended.

    Orders are lines of JSON (``number, text, answer, log``) on a file descriptor; told are lines
    ``begun NUMBER PID`` and ``ended NUMBER CODE``. Ends, and all copies with it, when the orders
    do: their other end is closed when the process that gives them dies.
    """
    told = os.dup(1)  # what anything prints by itself is no word of ours
    os.dup2(2, 1)
    _get_ready()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gives orders decides
    numbers: dict[int, int] = {}
    held = b""
    while True:
        ready, _, _ = select.select([orders, woken], [], [])
        if woken in ready:
            os.read(woken, _CHUNK)
            _reap(numbers, told)
        if orders in ready:
            some = os.read(orders, _CHUNK)
            if not some:
                os._exit(0)
            *lines, held = (held + some).split(b"\n")
            for line in lines:
                _begin(json.loads(line), numbers, told)


def _get_ready() -> None:
    """Have everything that every copy needs: a third of a small city's time otherwise."""
    from lifecircle.analysis.kernel import load_kept

    for name in _NEEDED:
        import_module(name)
    load_kept()
    collect_no_more()


def _begin(order: dict[str, Any], numbers: dict[int, int], told: int) -> None:
    server = os.getpid()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of idle threads of BLAS
            pid = os.fork()
    except OSError:
        _tell(told, "ended", order["number"], _CRASHED)
        return
    if pid == 0:
        os.close(told)
        _work(order, server)
    with contextlib.suppress(OSError):  # it did so itself, and may be gone
        os.setpgid(pid, pid)
    numbers[pid] = order["number"]
    _tell(told, "begun", order["number"], pid)


def _work(order: dict[str, Any], server: int) -> NoReturn:
    """The copy: builds, and leaves without any cleaning up."""
    code = _CRASHED
    try:
        die_with_parent(server)
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(one, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        code = build(order["text"], Path(order["answer"]))
    except BaseException:  # its log says what, its code says that
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _reap(numbers: dict[int, int], told: int) -> None:
    while numbers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        if pid in numbers:
            _tell(told, "ended", numbers.pop(pid), os.waitstatus_to_exitcode(status))


def _tell(told: int, what: str, number: int, value: int) -> None:
    try:
        os.write(told, f"{what} {number} {value}\n".encode())
    except OSError:  # nobody listens any more
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
