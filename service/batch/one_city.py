"""The process of one city: reads a task from its input, answers into the file it is given.

Started by `work`; not for people.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_OUT_OF_MEMORY: Final = 5


def main() -> int:
    """Build the city; 0 with an answer, be it a refusal; 5 where memory ran out."""
    die_with_parent(int(sys.argv[2]))
    text = sys.stdin.read()
    most_gb = json.loads(text)["city"]["memory_gb"]
    from lifecircle.analysis.writing import write_aside
    from lifecircle.service.batch.work import build_here

    if most_gb is not None:
        most = int(most_gb * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        record = build_here(text)
    except MemoryError:
        return _OUT_OF_MEMORY
    peak_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    told = json.dumps(asdict(replace(record, peak_mb=peak_mb)))
    write_aside(Path(sys.argv[1]), told.encode())
    return 0


def die_with_parent(parent: int) -> None:
    """Ask the system to end this process when the one that started it ends (Linux).

    `parent`: its process id (in a container it may be 1).
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
