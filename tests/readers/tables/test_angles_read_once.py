"""A column of degrees is gone through once: what is known of it is not worked out per row."""

from __future__ import annotations

import pytest

from lifecircle.analysis.readers.records.cells import Numbers, object_array
from lifecircle.analysis.readers.records.coordinates.places_written import read_angles


@pytest.mark.parametrize("rows", [10, 1_000])
def test_what_is_known_is_asked_once(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    asked: list[int] = []
    known = Numbers.known.fget
    assert known is not None

    def counted(numbers: Numbers) -> object:
        asked.append(len(numbers.value))
        return known(numbers)

    monkeypatch.setattr(Numbers, "known", property(counted))
    column = object_array([f"102,{i:04d}" for i in range(rows)])
    numbers, commas = read_angles(column, "lon")
    assert commas.all()
    assert numbers.value[1] == pytest.approx(102.0001)
    assert len(asked) <= 2
