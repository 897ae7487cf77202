"""The process of one city: reads a task from its input, answers into the file it is given.

Started by `work`; not for people.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from lifecircle.analysis.machine import die_with_parent

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


if __name__ == "__main__":
    sys.exit(main())
