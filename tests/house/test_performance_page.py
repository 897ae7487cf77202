"""docs/performance.md is what its JSON says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import performance_page
from benchmarks.bars import Row, as_rows, skipped
from benchmarks.performance_page import JSON, PAGE, page_of


def test_the_page_is_made_from_the_figures() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_of(json.loads(JSON.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("loads", "told"), [([0.2, 0.9], False), ([0.2, 14.6], True)])
def test_a_loaded_machine_is_named(loads: list[float], told: bool) -> None:
    machine = {"processor": "P", "cores": 2, "memory": "8 kB", "system": "S", "python": "3",
               "versions": {"numpy": "2"}, "seed": 1, "commit": "c"}  # fmt: skip
    row = {"what": "w", "ours": "1 s", "peer": "p", "peer_value": "3 s", "ratio": 3.0,
           "wanted": "< 1 s", "met": False, "note": "n"}  # fmt: skip
    page = page_of({"a": {"at": "t", "machine": machine, "load": loads, "rows": [row]}})
    assert ("The machine was loaded" in page) is told
    assert "| w | 1 s | p | 3 s | 3.00 | &lt; 1 s | **no** |" in page


def test_bars_measured_one_by_one_stand_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performance_page, "JSON", tmp_path / "p.json")
    monkeypatch.setattr(performance_page, "PAGE", tmp_path / "p.md")
    machine = {"processor": "P", "cores": 2, "memory": "8 kB", "system": "S", "python": "3",
               "versions": {}, "seed": 1, "commit": "c"}  # fmt: skip

    def measured(at: str, row: Row) -> dict[str, Any]:
        return {"at": at, "machine": machine, "load": [0, 0], "rows": as_rows([row])}

    def row(what: str, note: str = "") -> Row:
        return Row("b", what, "1 s", "p", "3 s", 3.0, "-", None, note)

    performance_page.keep({"b": measured("monday", row("walks"))})
    performance_page.keep({"a": measured("tuesday", row("network"))})
    performance_page.keep({"b": measured("wednesday", skipped("b", "not measured", "no file"))})
    page = (tmp_path / "p.md").read_text("utf-8")
    assert page.index("## a") < page.index("tuesday") < page.index("## b") < page.index("monday")
    assert "skipped" not in page  # what could not be measured leaves what was
    performance_page.keep({"b": measured("thursday", row("walks"))})
    assert "monday" not in (tmp_path / "p.md").read_text("utf-8")
