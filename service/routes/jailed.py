"""A file read in the jail while somebody waits; ended when they leave."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from lifecircle.service.apart.jail import Jail
from lifecircle.service.flights import ReaderLeftError


async def in_jail(request: Request, work: str, tell: Callable[[Path], bytes]) -> bytes | None:
    """What `work` says of what is told to it in a folder for its temporary files.

    None where whoever asked is gone.
    """
    gone = threading.Event()
    jail: Jail = request.app.state.jail

    def read() -> bytes:
        with tempfile.TemporaryDirectory(prefix="lifecircle-check-") as folder:
            return jail.run(work, tell(Path(folder)), folder, gone)

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watching = asyncio.create_task(watch())
    try:
        return await run_in_threadpool(read)
    except ReaderLeftError:
        return None
    finally:
        gone.set()
        watching.cancel()
