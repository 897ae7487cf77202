"""A workspace of each test's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def root(town: Path, tmp_path: Path) -> Path:
    """A copy of the tiny town's workspace."""
    return Path(shutil.copytree(town, tmp_path / "workspace"))
