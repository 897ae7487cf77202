"""What all tests share: the real data beside the checkout, and the ban on silent skips."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from lifecircle.analysis.demo.build import build_springcity
from lifecircle.analysis.demo.truth.write import SpringCityWithTruth, write_springcity_with_truth
from lifecircle.analysis.results.store import Workspace
from tests.command.run import lifecircle, malta_files
from tests.postgis.server import find_server, running
from tests.worlds.made_once import made_once
from tests.worlds.tiny import tiny_run

ROOT = Path(__file__).resolve().parents[1]
NO_SKIPS = "LIFECIRCLE_NO_SKIPS"
# Files that take longest, the longest first: begun last they would keep one worker busy while the
# other is idle. The others follow by their number of tests (scripts/test keeps this order).
LONGEST = (
    "cities/test_audit.py",
    "house/test_notebooks.py",
    "command/test_command.py",
    "cities/test_report_springcity.py",
    "cities/test_oracle_cities.py",
    "house/test_snippets.py",
    "batch/test_batch.py",
    "cities/test_springcity_scorecard.py",
    "readers/test_graphs.py",
    "maps/test_names_browser.py",
    "maps/test_desk_browser.py",
    "maps/test_meeting_browser.py",
    "edits/test_springcity_sequences.py",
    "cities/test_siting_cities.py",
    "cities/test_springcity_years.py",
    "cities/test_springcity_catchments.py",
    "cities/test_scorecard_springcity.py",
    "report/test_report_browser.py",
    "postgis/test_postgis.py",
    "access/test_routes.py",
)
# The same examples in every run; how long one takes on a busy machine decides nothing.
# LIFECIRCLE_WHOLE=1 draws as many as hypothesis does by itself.
settings.register_profile(
    "lifecircle",
    max_examples=100 if os.environ.get("LIFECIRCLE_WHOLE") else 40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("lifecircle")


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
    _, files = made_once(
        tmp_path_factory,
        "springcity",
        lambda folder: write_springcity_with_truth(folder, scale=0.1),
    )
    return files


@pytest.fixture(scope="session")
def springcity_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the runs of `springcity` that the demo makes: 2020, then 2025."""

    def build(folder: Path) -> None:
        store = Workspace(folder)
        latest = build_springcity(store, scale=0.1)
        assert store.open("springcity").manifest.run == latest.manifest.run

    return made_once(tmp_path_factory, "springcity-runs", build)[0]


@pytest.fixture(scope="session")
def springcity_truth(springcity: SpringCityWithTruth) -> dict[str, Any]:
    """The truth table of `springcity`."""
    return json.loads(springcity.truth.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def springcity_other_seed(tmp_path_factory: pytest.TempPathFactory) -> SpringCityWithTruth:
    """Another city of the same kind."""
    _, files = made_once(
        tmp_path_factory,
        "springcity-5",
        lambda folder: write_springcity_with_truth(folder, seed=5, scale=0.1),
    )
    return files


@pytest.fixture(scope="session")
def malta_runs(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """A workspace with Malta, built by the command."""

    def build(folder: Path) -> None:
        done = lifecircle("build", "malta", *malta_files(shared_data), workspace=folder)
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "malta-runs", build)[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, then those of most tests; the order inside a file stays.

    Tests marked `whole` are none of them, unless LIFECIRCLE_WHOLE asks for them.
    """
    if not os.environ.get("LIFECIRCLE_WHOLE"):
        items[:] = [item for item in items if item.get_closest_marker("whole") is None]
    size = Counter(item.path for item in items)
    rank = {ROOT / "tests" / name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (rank.get(item.path, len(rank)), -size[item.path]))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With LIFECIRCLE_NO_SKIPS=1 (CI) a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get(NO_SKIPS) and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the tiny city; to be copied by whoever writes."""
    folder = tmp_path_factory.mktemp("town")
    tiny_run(folder)
    return folder


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL with PostGIS of the module's own."""
    programs = find_server()
    if programs is None:
        pytest.skip("PostgreSQL with PostGIS is not installed (Debian: postgresql-15-postgis-3)")
    with running(programs) as address:
        yield address
