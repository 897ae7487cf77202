"""What the plan asks beyond 专栏1, on real cities whose files say nothing of it: never guessed.

Macau always; Malta and Porto Alegre take longer and are asked with ``LIFECIRCLE_WHOLE=1``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.measures.scorecard.card import scorecard
from lifecircle.analysis.pipeline import analyse_city
from tests.cities.test_audit import inputs_of

NEW = (*(f"A{n}" for n in range(31, 38)), *(f"B{n}" for n in range(18, 29)))
CITIES = ("macau", "malta", "poa") if os.environ.get("LIFECIRCLE_WHOLE") else ("macau",)


@pytest.mark.parametrize("city", CITIES)
def test_new_rows_are_not_assessed_and_say_what_is_missing(
    city: str, shared_data: Path, tmp_path: Path
) -> None:
    given = inputs_of(city, shared_data, tmp_path)
    request = BuildRequest(
        city,
        osm=given.osm,
        population=given.population or None,
        units=tuple(given.units),
        facilities=tuple(given.facilities),
        datum="wgs84",
        surveyed=tuple(f"{name}:{','.join(units)}" for name, units in given.surveyed.items()),
    )
    _, policy, found, travel = analyse_city(request)
    rows = {one.row.id: one for one in scorecard(Study(found, travel, policy)).rows}
    assert len(rows) == 65
    mapped = all(found.facilities.offers(kind) for kind in ("service_station", "childcare"))
    assert mapped == (city == "malta")  # both are mapped there: A36 is measured
    for name in NEW:
        row = rows[name]
        if name == "A36" and mapped:
            assert (row.status, row.figure.assessed_share) == ("no_target", 1.0)
            continue
        assert row.status == "NOT_ASSESSED", name
        assert row.figure.value is None, name
        assert row.missing, name
        for one in row.missing:
            assert one.title is None or (one.title.zh and one.title.en), name
