"""Kernels load from numba's cache, whatever numba's own parts are like."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lifecircle.analysis import kernel

ROOT = Path(__file__).parents[2]
SOURCE = """
from lifecircle.analysis.kernel import kernel

@kernel
def doubled(values):
    return values * 2
"""


def loaded(file: Path) -> ModuleType:
    """The module of a file, as a process that begins has it."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hits(module: ModuleType) -> int:
    """How many functions were taken from the cache to double three numbers."""
    assert module.doubled(np.arange(3)).tolist() == [0, 2, 4]
    return int(sum(module.doubled.stats.cache_hits.values()))


def test_a_kept_kernel_is_loaded_the_short_way_and_else_as_numba_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kernel_of_a_test.py"
    file.write_text(SOURCE, encoding="utf-8")
    assert hits(loaded(file)) == 0
    short = loaded(file)
    assert "load_overload" in vars(short.doubled._cache)
    assert hits(short) == 1
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "numba.core.runtime.nrt", None)  # it lies elsewhere now
        assert hits(loaded(file)) == 1
    monkeypatch.setattr(kernel, "KNOWN", ("0.0.",))
    plain = loaded(file)
    assert "load_overload" not in vars(plain.doubled._cache)
    assert hits(plain) == 1


def test_what_is_kept_is_loaded_at_once_and_nothing_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept_of_a_test.py"
    file.write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(kernel, "_every", [])
    loaded(file)
    assert kernel.load_kept() == 0  # nothing is kept yet
    hits(loaded(file))
    copied = loaded(file)
    monkeypatch.setattr(kernel, "_every", [copied.doubled])
    assert kernel.load_kept() == 1
    assert sum(copied.doubled.stats.cache_misses.values()) == 0
    assert hits(copied) == 1  # before it was called
    assert kernel.load_kept() == 0
    Path(copied.doubled._cache._cache_file._index_path).write_bytes(b"no index")
    monkeypatch.setattr(kernel, "_every", [loaded(file).doubled])
    assert kernel.load_kept() == 0


def test_the_numba_that_is_pinned_is_one_that_is_known() -> None:
    """A newer one works, but loads slowly: look at its ``FunctionCache`` and add it to KNOWN."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    (pin,) = (line.partition("==")[2] for line in pins if line.startswith("numba=="))
    assert pin.startswith(kernel.KNOWN)


def test_without_compiling_a_kernel_is_the_function() -> None:
    text = "from lifecircle.analysis.grouping.connected import root_of; print(root_of([1, 1], 0))"
    done = subprocess.run(
        [sys.executable, "-c", text], env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1"
