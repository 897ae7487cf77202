"""Benchmarks are run by hand, and no checker of types reads them: what they import is there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "benchmarks").rglob("*.py"))


def imports(tree: ast.Module) -> list[tuple[str, str]]:
    """Modules of this project and the names taken from them, wherever they stand in a file."""
    return [
        (node.module, name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
        if node.module.split(".")[0] in {"lifecircle", "benchmarks", "tests"}
    ]


@cache
def names_of(module: str) -> frozenset[str] | None:
    """What stands at the top of a module of this project, None where there is no such module."""
    parts = module.split(".")
    if parts[0] == "lifecircle" and parts[1:2] in (["analysis"], ["service"]):
        parts = parts[1:]
    here = ROOT.joinpath(*parts)
    file = here / "__init__.py" if here.is_dir() else here.with_suffix(".py")
    if not file.is_file():
        return None
    names = {one.stem for one in here.glob("*.py")} | {one.name for one in here.glob("*/")}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return frozenset(names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_a_benchmark_imports_is_there(file: Path) -> None:
    found = imports(ast.parse(file.read_text(encoding="utf-8")))
    gone = [(m, name) for m, name in found if name not in (names_of(m) or ())]
    assert gone == []


def test_what_is_not_there_is_seen() -> None:
    assert any(imports(ast.parse(file.read_text(encoding="utf-8"))) for file in FILES)
    assert names_of("lifecircle.service.catalog.no_such_module") is None
    assert "SitingTask" not in (names_of("lifecircle.service.catalog.siting") or ())
    assert "SitingTask" in (names_of("lifecircle.service.catalog.siting.task") or ())
