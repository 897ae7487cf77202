"""A service whose jobs are ordered and begun by nobody; the served tiny city."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.http.ogc.requirements.processes import desk
from tests.pages.served import client, host
from tests.worlds.tiny import tiny_run

__all__ = ["host"]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder: Path = tmp_path_factory.mktemp("processes")
    tiny_run(folder)
    made = client(folder, jobs_live=500, jobs_per_key=400)
    made.base_url = made.base_url.copy_with(host="localhost")
    jobs = desk(made)
    jobs._workshop.start = lambda: None  # type: ignore[method-assign]
    return made
