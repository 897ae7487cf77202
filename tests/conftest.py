"""What all tests share: the real data beside the checkout, and the ban on silent skips."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NO_SKIPS = "LIFECIRCLE_NO_SKIPS"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real cities: LIFECIRCLE_SHARED, else ``../shared/data``."""
    folder = Path(os.environ.get("LIFECIRCLE_SHARED", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real cities (../shared/data) are not here; set LIFECIRCLE_SHARED")
    return folder


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With LIFECIRCLE_NO_SKIPS=1 (CI) a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get(NO_SKIPS) and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
