"""What all tests share: the real data beside the checkout, and the ban on silent skips."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.demo.truth.write import SpringCityWithTruth, write_springcity_with_truth

ROOT = Path(__file__).resolve().parents[1]
NO_SKIPS = "LIFECIRCLE_NO_SKIPS"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real cities: LIFECIRCLE_SHARED, else ``../shared/data``."""
    folder = Path(os.environ.get("LIFECIRCLE_SHARED", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real cities (../shared/data) are not here; set LIFECIRCLE_SHARED")
    return folder


@pytest.fixture(scope="session")
def springcity(tmp_path_factory: pytest.TempPathFactory) -> SpringCityWithTruth:
    """The generated city on a tenth of the ground, with all residents and all that is planted."""
    return write_springcity_with_truth(tmp_path_factory.mktemp("springcity"), scale=0.1)


@pytest.fixture(scope="session")
def springcity_truth(springcity: SpringCityWithTruth) -> dict[str, Any]:
    """The truth table of `springcity`."""
    return json.loads(springcity.truth.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def springcity_other_seed(tmp_path_factory: pytest.TempPathFactory) -> SpringCityWithTruth:
    """Another city of the same kind."""
    return write_springcity_with_truth(tmp_path_factory.mktemp("springcity"), seed=5, scale=0.1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With LIFECIRCLE_NO_SKIPS=1 (CI) a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get(NO_SKIPS) and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
