"""How the server of ``lifecircle serve`` runs: its log, its patience, its limits."""

from __future__ import annotations

import sys
from typing import Any, Final

from lifecircle.service.logs import LogFormat, log_config

KEEP_ALIVE_S: Final = 15
GRACE_S: Final = 15  # for open requests when the service is told to stop
MOST_CONNECTIONS: Final = 1_000  # beyond them 503


def server_options(log: LogFormat) -> dict[str, Any]:
    """Options for uvicorn; on Windows, where there is no httptools, without our patience."""
    options: dict[str, Any] = {
        "access_log": False,  # ours has the request id
        "log_config": log_config(log),
        "server_header": False,
        "ws": "none",
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": GRACE_S,
        "limit_concurrency": MOST_CONNECTIONS,
    }
    if sys.platform != "win32":
        from lifecircle.service.patience import PatientProtocol

        options["http"] = PatientProtocol
    return options
