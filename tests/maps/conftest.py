"""The browser and the served tiny city that tests of maps share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.browser import browser
from tests.pages.served import running
from tests.worlds.tiny import tiny_run

__all__ = ["browser"]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service of the tiny city alone, for one file of tests."""
    root = tmp_path_factory.mktemp("host")
    tiny_run(root)
    with running(root) as base:
        yield base
