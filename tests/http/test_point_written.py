"""A place answered from parts is, byte for byte, the document of the place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.city.units.units_at import UnitsAt
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import PointDesk, WrittenPoints, point_document
from lifecircle.service.encoding import encode


def test_the_grid_is_made_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Workspace(root).open("tiny", Workspace(root).current("tiny"))
    points, of, made = WrittenPoints(PointDesk.of(run, Question())), UnitsAt.of, []
    monkeypatch.setattr(UnitsAt, "of", lambda shapes: made.append(1) or of(shapes))
    for _ in range(3):
        points.prepare()
    assert made == [1]


@pytest.mark.parametrize("prepared", [False, True])
def test_any_place(root: Path, prepared: bool) -> None:
    """On streets, beside them, far from any; in both languages, of two walkers."""
    run = Workspace(root).open("tiny", Workspace(root).current("tiny"))
    for walker in ("adult", "older"):
        desk = PointDesk.of(run, Question(walker=walker))
        written = WrittenPoints(desk)
        if prepared:
            written.prepare()
        west, south, east, north = run.manifest.bbox
        random, more = np.random.default_rng(3), 0.004
        places = random.uniform((west - more, south - more), (east + more, north + more), (150, 2))
        bodies = set()
        for lon, lat in [*places.tolist(), (west, south), (0.0, 0.0)]:
            for lang in ("zh", "en"):
                body = written.body(lon, lat, lang=lang)
                assert body == encode(point_document(desk, lon, lat, lang=lang))
                bodies.add(b'"snapped":null' in body)
        assert bodies == {True, False}
