"""Outlines of gaps that the build drew say what drawing them anew says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from lifecircle.analysis.measures.gaps.gaps import find_gaps
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.results.layers.gap_outlines import KeptOutlines, asks_as_build
from lifecircle.analysis.results.layers.layers import layer_file
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog import gaps as gaps_room
from lifecircle.service.catalog.gaps import answer_gaps, gaps_document
from lifecircle.service.encoding import encode


@pytest.fixture(scope="module")
def run(town: Path) -> Run:
    return Workspace(town).open("tiny")


def test_documents_are_the_same_to_the_byte(run: Run) -> None:
    bare = replace(run, path=run.path / "none")
    for question in (Question(), *map(Question, run.policy.services)):
        assert encode(gaps_document(run, question)) == encode(gaps_document(bare, question))


def test_outlines_in_metres_of_large_cities_are_those_drawn(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps_room, "DRAWN_CELLS", 0)
    seen = 0
    for service in run.policy.services:
        drawn = find_gaps(run.study, settle(run.study, Question(service))).gaps
        kept = answer_gaps(run, Question(service)).found
        assert [gap.id for gap in kept] == [gap.id for gap in drawn]
        for one, other in zip(kept, drawn, strict=True):
            assert shapely.equals_exact(one.geometry, other.geometry, 1e-6)
        seen += len(drawn)
    assert seen > 0


def test_only_the_question_of_the_build_is_read(run: Run) -> None:
    service = next(iter(run.policy.services))
    minutes = run.policy.services[service].minutes.value
    asked = Question(service)
    assert asks_as_build(run, asked)
    assert asks_as_build(run, replace(asked, minutes=minutes))
    others = ({"minutes": minutes + 1}, {"walker": "older"}, {"group": "65"}, {"by": "none"})
    for other in (*others, {"at": "Sa 19:00"}):
        assert not asks_as_build(run, replace(asked, **other))


def test_a_layer_that_holds_other_gaps_is_not_believed(run: Run) -> None:
    found = next(
        gaps
        for service in run.policy.services
        if (gaps := find_gaps(run.study, Question(service)).gaps)
    )
    kept = KeptOutlines(run, [found[0].service])
    assert kept.degrees(found) is not None
    changed = (replace(found[0], residents=found[0].residents + 1), *found[1:])
    assert kept.degrees(changed) is None
    assert KeptOutlines(run, ()).degrees(found) is None
    assert layer_file(run.path, "gaps").is_file()
