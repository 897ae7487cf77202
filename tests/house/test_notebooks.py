"""The notebooks run from top to bottom in a fresh kernel, as jupytext converts them."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from lifecircle.analysis.demo.truth.write import SpringCityWithTruth

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
TIMEOUT_S = 300
# What a fresh kernel reads first: springcity is drawn once for all tests.
ONCE = """
import pickle
from lifecircle.analysis.demo.truth import write

def drawn(folder, *, scale):
    assert scale == 0.1
    return pickle.loads({files!r})

write.write_springcity_with_truth = drawn
"""


def test_there_is_one_notebook_per_step_of_the_way() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01_network",
        "02_walking_times",
        "03_coverage_and_gaps",
        "04_catchments",
        "05_siting",
        "06_for_planners",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, springcity: SpringCityWithTruth
) -> None:
    before = os.environ.get("PYTHONPATH")
    parts = [str(ROOT), *([before] if before else [])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(parts))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    first = tmp_path / "ipython" / "profile_default" / "startup" / "springcity.py"
    first.parent.mkdir(parents=True)
    first.write_text(ONCE.format(files=pickle.dumps(springcity)), encoding="utf-8")
    notebook = jupytext.read(path)
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    client = NotebookClient(
        notebook, timeout=TIMEOUT_S, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()

    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error"]
    stderr = [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
    assert stderr == []
