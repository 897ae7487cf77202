"""The process of one job: reads its task, does it within its limits, says how it ended.

Started by `workshop`; not for people.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from lifecircle.analysis.errors import InputError, LifecircleError
from lifecircle.analysis.machine import die_with_parent
from lifecircle.analysis.writing import write_aside
from lifecircle.service.encoding import encode
from lifecircle.service.errors import RequestError, problem_of
from lifecircle.service.jobs.folders import ANSWER, PROGRESS, RESULT, TASK

OUT_OF_MEMORY: Final = 5
OPEN_FILES: Final = 1_024
SPARE_CPU: Final = 8  # processors that a job may keep busy before its processor time is over
MOST_FAULTS: Final = 200
EVERY_S: Final = 0.3
log = logging.getLogger("lifecircle.job")


def main() -> int:
    """Do the task in the folder named; 0 with an answer, be it a refusal; 5 out of memory."""
    folder = Path(sys.argv[1])
    die_with_parent(int(sys.argv[2]))
    task = json.loads((folder / TASK).read_text(encoding="utf-8"))
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    _load()
    _limit(task["limits"])
    try:
        answer = do_work(folder, task)
    except MemoryError:
        return OUT_OF_MEMORY
    write_aside(folder / ANSWER, json.dumps(answer).encode())
    return 0


def do_work(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Do a task in this process; how it ended, and what it gave in a file of the folder."""
    from lifecircle.service.jobs.processes import Bench, process_of

    bench = Bench(Path(task["workspace"]), folder, task["lang"], _Teller(folder / PROGRESS).tell)
    try:
        try:
            process = process_of(task["process"]).model_validate(task["inputs"])
        except ValidationError as fault:  # ordered by another version
            names = ", ".join(str(one["loc"][0]) for one in fault.errors() if one["loc"])
            raise RequestError("job_refused_inputs", detail=names) from None
        done = process.work(bench)
        write_aside(folder / RESULT, encode(done.document))
    except LifecircleError as error:
        faults = len(error.faults) if isinstance(error, InputError) else 1
        log.info("%s (%d)", error.key, faults)  # its words stand beside the log
        return {"state": "failed", "error": error_of(error)}
    log.info("done")
    return {"state": "successful", "told": json.loads(encode(done.told))}


def error_of(error: LifecircleError) -> dict[str, Any]:
    """The problem document of an error in both languages, with the first of many faults.

    Faults are told as a page tells them: what is to be ticked, not options of a command.
    """
    if isinstance(error, InputError):
        error = InputError([replace(one, medium="page") for one in error.faults[:MOST_FAULTS]])
    return {lang: problem_of(error, lang) for lang in ("zh", "en")}


class _Teller:
    """Writes down the step under way, not too often, for who watches from elsewhere."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._step = ""
        self._next = 0.0

    def tell(self, step: str, share: float) -> None:
        """A step, and the share done of the whole."""
        now = time.monotonic()
        if step == self._step and now < self._next:
            return
        if step != self._step:
            log.info("%s", step)
        self._step, self._next = step, now + EVERY_S
        write_aside(self._path, json.dumps({"step": step, "share": share}).encode())


def _load() -> None:
    """Load what all jobs need before memory is limited.

    OpenBLAS (of NumPy and of SciPy) asks for its memory again and again, for ever, where it gets
    none: under a low limit a job would hang as it begins.
    """
    import scipy.linalg

    import lifecircle.service.jobs.processes  # noqa: F401

    scipy.linalg.lu(scipy.linalg.hilbert(2))


def _limit(limits: dict[str, Any]) -> None:
    """Take limits on that this process can never lift again; stand behind who reads."""
    if sys.platform == "win32":
        return
    import resource

    os.nice(5)
    for kind, most in (
        (resource.RLIMIT_DATA, int(limits["memory_bytes"])),
        (resource.RLIMIT_CPU, int(limits["seconds"]) * SPARE_CPU),
        (resource.RLIMIT_FSIZE, int(limits["file_bytes"])),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    sys.exit(main())
