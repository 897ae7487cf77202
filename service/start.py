"""The process that ``lifecircle`` is, from its first moment to its last."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import Final, NoReturn

from lifecircle.service.commands.foreseen import foresee

INTERRUPTED: Final = 130  # as shells have it: 128 and the signal


def run() -> NoReturn:
    """Run the command. A build's map is begun before the command line itself is imported.

    And a build ends without freeing, one by one, all that it made.
    """
    words = sys.argv[1:]
    try:
        foreseen = foresee(words)
        from lifecircle.service.cli import main

        code = main(foreseen)
    except KeyboardInterrupt:  # before the command itself, which says so
        sys.exit(INTERRUPTED)
    if words[:1] == ["build"] and _may_stop():
        atexit._run_exitfuncs()
        with suppress(OSError):  # nobody reads on: told as Python tells it
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:  # closed by who began the process
                    stream.flush()
            os._exit(code)
    sys.exit(code)


def _may_stop() -> bool:
    """Whether no thread is at work any more, and nobody measures the process."""
    measured = sys.gettrace() is not None or sys.getprofile() is not None
    return threading.active_count() == 1 and not measured


if __name__ == "__main__":
    run()
