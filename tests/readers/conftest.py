"""What the tests of readers share: the default policy, and a writer of small files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lifecircle.analysis.policy import Policy, load_policy
from tests.files.tables import writer


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The default policy."""
    return load_policy()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes text or bytes into a file of a folder of the test's own."""
    return writer(tmp_path)
