"""The picture of docs/architecture.md is that of pyproject.toml; maps and reports take types."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
    "contracts"
]
DRAWN = dict(re.findall(r"^(analysis|policy|readers|measures|service) +(.+→.+)$", PAGE, re.M))
HANDED = sorted(
    file for room in ("maps", "report") for file in (ROOT / "service" / room).rglob("*.py")
)
MEASURES = "lifecircle.analysis.measures"


def layers(room: str) -> str:
    """The layers of a room as one line of the page."""
    (contract,) = (
        one for one in CONTRACTS if one["type"] == "layers" and one["name"].startswith(NAMES[room])
    )
    found = [layer.replace("lifecircle.service.", "") for layer in contract["layers"]]
    return " → ".join(found)


NAMES = {
    "analysis": "analysis flows",
    "policy": "a policy is read",
    "readers": "readers flow",
    "measures": "measures flow",
    "service": "service flows",
}


@pytest.mark.parametrize("room", NAMES)
def test_the_layers_drawn_are_those_held(room: str) -> None:
    assert DRAWN[room] == layers(room)


def test_every_contract_is_told_by_its_name() -> None:
    cells = re.findall(r"^\| (\*.+?\*) \|", PAGE, re.MULTILINE)
    told = [name for cell in cells for name in re.findall(r"\*(.+?)\*", cell)]
    assert sorted(told) == sorted(one["name"] for one in CONTRACTS)


def test_every_room_is_told() -> None:
    rooms = [
        f"{top}/{file.parent.name}/"
        for top in ("analysis", "service")
        for file in sorted((ROOT / top).glob("*/__init__.py"))
    ]
    assert len(rooms) > 12
    assert [room for room in rooms if f"`{room}`" not in PAGE] == []


@pytest.mark.parametrize("file", HANDED, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_maps_and_reports_take_types_of_the_measures(file: Path) -> None:
    taken = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(MEASURES)
        for alias in node.names
        if node.module not in (f"{MEASURES}.question", f"{MEASURES}.residents")
    ]
    computed = [
        f"{module}.{name}"
        for module, name in taken
        if inspect.isroutine(getattr(importlib.import_module(module), name))
    ]
    assert computed == []
