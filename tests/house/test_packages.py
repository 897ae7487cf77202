"""What is installed: every folder of the tree, under `lifecircle`, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {"lifecircle.analysis.demo.truth"}  # the answer key of tests


def test_every_folder_with_code_is_a_package_of_the_wheel() -> None:
    tree = {"lifecircle"} | {
        "lifecircle." + ".".join(file.parent.relative_to(ROOT).parts)
        for top in ("analysis", "service")
        for file in (ROOT / top).rglob("__init__.py")
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed = project["tool"]["setuptools"]["packages"]
    assert listed == sorted(listed)
    assert set(listed) == tree - LEFT_OUT


def test_a_folder_of_an_analyst_called_analysis_shadows_nothing(tmp_path: Path) -> None:
    for name in ("analysis", "service"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"mine = {name!r}\n", encoding="utf-8")
    code = (
        "import analysis, service, lifecircle.analysis.policy, lifecircle.service.settings;"
        "print(analysis.mine, service.mine)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["analysis", "service"]


def test_pages_are_made_from_any_folder(tmp_path: Path) -> None:
    code = (
        "from lifecircle.service import pages;"
        "from lifecircle.service.report.standalone import own_template;"
        "pages._templates().get_template('base.html');"
        "print(own_template('scorecard.html').name)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["scorecard.html"]
