"""Growth is told as it is: the exponent of a figure, its bar, and the picture made of the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bar_growth
from benchmarks.bars import Row, as_rows
from benchmarks.growth.plot import draw_growth, sizes_of

SIZES = (1.0, 2.0, 5.0, 10.0)


def rows(power: float, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """The rows of figures that all grow with one power of the size."""
    names = (*bar_growth.SECONDS, *bar_growth.SIZES, "cells")
    found = {
        size: dict.fromkeys(names, 3.0 * size**power)
        | {name + bar_growth.CLOCK: 4.0 * size**power for name in bar_growth.SECONDS}
        for size in SIZES
    }
    monkeypatch.setattr(bar_growth, "_found", lambda _: found)
    monkeypatch.setenv("LIFECIRCLE_SCALES", "1,2,5,10")
    return bar_growth.measure()


@pytest.mark.parametrize(("power", "met"), [(0.0, True), (1.0, True), (1.14, True), (1.15, False)])
def test_n_log_n_is_the_bar(power: float, met: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    held = rows(power, monkeypatch)
    barred = [row for row in held if row.wanted != "-"]
    assert {row.met for row in barred} == {met}
    assert [row.ratio for row in held] == pytest.approx([power] * len(held))
    assert {row.what for row in held} - {row.what for row in barred} == {"cells"}


def test_a_size_that_was_not_finished_misses_its_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar_growth, "SECONDS", ())
    monkeypatch.setattr(bar_growth, "SIZES", ())
    monkeypatch.setattr(bar_growth, "_found", lambda _: {1.0: {"cells": 1}, 2.0: {"cells": 2}})
    monkeypatch.setenv("LIFECIRCLE_SCALES", "1,2,10")
    (row,) = [row for row in bar_growth.measure() if row.met is False]
    assert row.what == "x10"


def test_the_picture_shows_what_the_rows_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    held = as_rows(rows(0.5, monkeypatch))
    figures = sizes_of(held[0]["note"])
    assert figures == pytest.approx({size: 3 * size**0.5 for size in SIZES}, rel=1e-3)
    first, again = tmp_path / "a.svg", tmp_path / "b.svg"
    draw_growth(held, first)
    draw_growth(held, again)
    assert first.read_bytes() == again.read_bytes()
    drawn = first.read_text("utf-8")
    assert all(f">{name}<" in drawn for name in bar_growth.SECONDS)
    assert ">cells<" not in drawn
