"""docs/performance.md is what its JSON says."""

from __future__ import annotations

import json

import pytest

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
