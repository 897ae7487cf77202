"""What most tests over HTTP ask of: the tiny city, and a service over it."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.pages.served import client
from tests.worlds.tiny import tiny_run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the tiny city."""
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder)
    return folder


@pytest.fixture(scope="module")
def served(root: Path) -> TestClient:
    """A client on this machine of a service over the workspace `root`."""
    return client(root)
