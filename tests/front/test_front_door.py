"""The front door: what is importable is exported, imports are lazy, answers are those of HTTP."""

from __future__ import annotations

import doctest
import importlib
import inspect
import subprocess
import sys
from typing import Any

import pytest

import lifecircle as lc
from lifecircle import _CALLED, _HOME

HEAVY = ("numpy", "pandas", "geopandas", "shapely", "numba", "pydantic", "fastapi", "folium")
HEAVIEST = tuple(name for name in HEAVY if name != "pydantic")  # typer itself looks for it


def test_what_is_importable_is_exported() -> None:
    assert lc.__all__ == sorted(lc.__all__)
    assert set(lc.__all__) == set(_HOME)
    for name in lc.__all__:
        found = getattr(lc, name)
        assert found.__name__ == _CALLED.get(name, name)
        assert "Examples\n" in inspect.getdoc(found), f"{name} has no example"
    assert set(lc.__all__) <= set(dir(lc))
    with pytest.raises(AttributeError, match="no attribute 'coverages'"):
        _ = lc.coverages


def test_the_types_told_to_checkers_are_those_found() -> None:
    source = inspect.getsource(lc)
    told = source[source.index("if TYPE_CHECKING") : source.index("__all__")]
    for name, home in _HOME.items():
        called = _CALLED.get(name, name)
        lines = [line for line in told.splitlines() if line.strip().startswith(f"from {home} ")]
        assert any(called in line and name in line for line in lines), name


def test_importing_lifecircle_imports_nothing_heavy() -> None:
    code = f"import sys, lifecircle; print([m for m in {HEAVY!r} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def modules() -> list[Any]:
    names = {"lifecircle", *(getattr(lc, name).__module__ for name in lc.__all__)}
    return [importlib.import_module(name) for name in sorted(names)]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_examples_give_what_they_say(module: Any, capsys: pytest.CaptureFixture[str]) -> None:
    failed, tried = doctest.testmod(module)
    assert failed == 0, capsys.readouterr().out
    assert tried > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere"], "tiny"),
        (["tiny", "--run", "r1"], "r1"),
        (["tiny", "--service", "helth_centre"], "Community health centre (health_centre)"),
        (["tiny", "--walker", "runner"], "adult"),
    ],
    ids=["area", "run", "service", "walker"],
)
def test_a_wrong_name_is_told_before_anything_heavy_is_imported(
    words: list[str], told: str
) -> None:
    workspace = str(lc.tiny_town().run.path.parents[2])
    given = ["lifecircle", "coverage", *words, "--workspace", workspace, "--lang", "en"]
    code = (
        f"import sys; sys.argv = {given!r}\n"
        "from lifecircle.service.cli import main\n"
        f"print(main(), [m for m in {HEAVIEST!r} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "2 []"
    assert told in ran.stderr
