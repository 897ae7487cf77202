"""No plan stands in the code: ids, sections, units and settings of Kunming's are data only."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "analysis" / "policies" / "scorecard" / "kunming-2022-77.toml"
CARD = tomllib.loads(PLAN.read_text("utf-8"))
FILES = sorted(
    file
    for room in ("analysis", "service", "lifecircle")
    for file in (ROOT / room).rglob("*.py")
    if "demo" not in file.relative_to(ROOT).parts
)

ROWS = {*CARD["rows"], *CARD["not_computed"]}
PHRASES = [phrase for row in CARD["rows"].values() for phrase in row["phrases"]]
SECTIONS = {phrase["section"] for phrase in PHRASES} | {*CARD["sections"]} - {"一"}
UNITS = {*CARD["units"]}
LABELS = {*CARD["labels"]}
GROUPS = {*CARD["groups"]} - {"unit", "spatial"}  # words that mean something else as well
SETTINGS = {*CARD["settings"]}
# Words that mean something else as well; what must not be is a setting looked up by such a name.
COMMON = {"catchment", "missing", "overload", "population", "unquantified", "walk"}


def constants(file: Path) -> Iterator[str]:
    """The texts of a file, without its docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_the_plan_has_what_is_looked_for() -> None:
    assert len(ROWS) == 71
    assert {"专栏1", "三(二)4", "专栏2-7"} <= SECTIONS
    assert COMMON < SETTINGS
    assert len(SETTINGS) == 14
    assert "workers per 10,000 urban residents" in UNITS
    assert len(FILES) > 200


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_id_section_unit_or_setting_in_code(file: Path) -> None:
    for text in constants(file):
        assert not ROWS & set(re.findall(r"\w+", text)), text
        assert not [section for section in SECTIONS | LABELS if section in text], text
        assert text not in UNITS | GROUPS | (SETTINGS - COMMON), text
        assert text.removeprefix("$") not in SETTINGS or not text.startswith("$"), text
        assert PLAN.stem not in text, text
    source = file.read_text("utf-8")
    assert not re.search(r"(settings|answers)(\.get\(|\[)f?[\"']", source)
    assert not re.search(r"startswith\([\"'][A-Z][\"']\)", source)
