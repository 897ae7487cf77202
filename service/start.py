"""The process that ``lifecircle`` is, from its first moment to its last."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn

from lifecircle.service.commands.foreseen import foresee


def run() -> NoReturn:
    """Run the command. A build's map is begun before the command line itself is imported.

    And a build ends without freeing, one by one, all that it made.
    """
    words = sys.argv[1:]
    foreseen = foresee(words)
    from lifecircle.service.cli import main

    code = main(foreseen)
    alone = threading.active_count() == 1 and sys.gettrace() is None  # nobody measures it
    if words[:1] == ["build"] and alone:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
