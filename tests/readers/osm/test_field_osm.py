"""Files of OpenStreetMap as people bring them, through the whole build: right answers by hand.

The town has 21 x 21 streets every 100 m, 400 cells of 10 residents and two health centres, which
2,600 of the 4,000 reach in 15 minutes.
"""

from __future__ import annotations

from pathlib import Path

import osmium
import pytest

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import InputError, Warn
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy import load_policy

POLICY = load_policy()
TOWN = (2600, 924)  # residents in reach, edges


def build(shared: Path, osm: Path) -> tuple[tuple[int, int], list[Warn]]:
    """Residents within 15 minutes of a health centre, edges, and what is said of the files."""
    field = shared / "field"
    request = BuildRequest(
        "town", osm=osm, population=field / "town_cells.csv",
        facilities=(field / "town_centres.csv",), datum="wgs84", policy=POLICY,
    )  # fmt: skip
    _, policy, city, travel = analyse_city(request)
    found = coverage(Study(city, travel, policy), Question(service="health_centre"))
    return (found.total.covered or 0, city.network.edge_count), list(city.warnings)


def faults(warnings: list[Warn]) -> dict[str, str]:
    """English words by the fault they tell."""
    return {str(w.params["fault"]): w.text("en") for w in warnings if "fault" in w.params}


@pytest.mark.parametrize(
    "file", ["11_unsorted.osm", "12_ways_first.osm", "13_negative_ids.osm", "19_town.osm.gz"]
)
def test_the_town_is_the_same_however_it_is_written(shared_data: Path, file: str) -> None:
    """FIELD 15, 16, 18, 19."""
    found, said = build(shared_data, shared_data / "field" / file)
    plain, _ = build(shared_data, shared_data / "field" / "town.osm")
    assert plain[0] == TOWN[0]
    assert found == plain
    assert set(faults(said)) == ({"osm_aside"} if "negative" in file else set())


def test_what_josm_deleted_is_not_walked(shared_data: Path) -> None:
    """FIELD 5: 19 of the 21 streets from west to east are gone."""
    (covered, edges), said = build(shared_data, shared_data / "field" / "04_josm_deleted.osm")
    assert (covered, edges) == (920, 80)
    assert "19 deleted" in faults(said)["osm_aside"]


def test_half_of_the_nodes(shared_data: Path) -> None:
    """FIELD 8: told with its numbers, though the walks follow from the file."""
    (covered, _), said = build(shared_data, shared_data / "field" / "06_half_the_nodes.osm")
    assert covered == 1290
    told = faults(said)["osm_dropped"]
    assert "462 of 882" in told
    assert "(52%)" in told
    assert "11 way(s) are lost whole and 21 are cut" in told


def test_a_history_is_named(shared_data: Path) -> None:
    with pytest.raises(InputError) as refused:
        build(shared_data, shared_data / "field" / "19_history.osh")
    assert "history file" in refused.value.text("en")


@pytest.mark.parametrize("kept", ["nodes", "ways"])
def test_a_pbf_with_places_on_its_ways(shared_data: Path, tmp_path: Path, kept: str) -> None:
    """`osmium add-locations-to-ways`, with and without the nodes."""
    town = shared_data / "field" / "town.osm"
    path = tmp_path / "town.osm.pbf"
    form = osmium.io.File(str(path), "pbf,locations_on_ways=true")
    with osmium.SimpleWriter(form, overwrite=True) as writer:
        for thing in osmium.FileProcessor(str(town)).with_locations():
            if kept == "nodes" or not thing.is_node():
                writer.add(thing)
    found, _ = build(shared_data, path)
    assert found[0] == TOWN[0]


def test_a_pbf_with_shuffled_objects(shared_data: Path, tmp_path: Path) -> None:
    """Relations and ways first, as when extracts are pasted together."""
    path = tmp_path / "town.osm.pbf"
    things = osmium.FileProcessor(str(shared_data / "field" / "12_ways_first.osm"))
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for thing in things:
            writer.add(thing)
    found, _ = build(shared_data, path)
    assert found[0] == TOWN[0]
