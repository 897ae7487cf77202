"""Whoever walks in a run takes its own costs: slope must not be lost on the way (r5r #555)."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np

from lifecircle.analysis.access.walking import flat_costs, walk_costs

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "analysis" / "access" / "walking.py"


def names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return used | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_nobody_but_walking_makes_flat_costs() -> None:
    files = [*(ROOT / "analysis").rglob("*.py"), *(ROOT / "service").rglob("*.py")]
    files += (ROOT / "notebooks").glob("*.py")
    users = [str(file.relative_to(ROOT)) for file in files if "flat_costs" in names(file)]
    # robustness asks what the same city were without its slopes
    flat = "analysis/measures/robustness/world.py"
    assert sorted(users) == [str(HOME.relative_to(ROOT)), flat]
    takers = [file.name for file in files if "walk_costs" in names(file)]
    assert {"pipeline.py", "question.py"} <= set(takers)


def test_a_network_without_heights_has_flat_costs() -> None:
    from tests.worlds.tiny import tiny_city

    network = tiny_city().network
    ours, flat = walk_costs(network), flat_costs(network)
    assert network.slope is None
    assert ours.uv_bend is ours.vu_bend is None
    for name in ("uv_cm", "vu_cm", "start", "link", "away", "half_edge"):
        assert np.array_equal(getattr(ours, name), getattr(flat, name))
