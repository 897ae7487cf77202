"""What is not open is no facility: every way OpenStreetMap says it, counted and told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.names import names_of
from lifecircle.analysis.policy.sections.life_cycle import LifeReader
from lifecircle.analysis.readers.osm.places import read_places
from tests.worlds.tagged import TODAY, tags_of, write_things

CENTRE = "amenity=hospital name=西园社区卫生服务中心"

GONE = (
    "disused=yes", "abandoned=yes", "demolished=yes", "razed=yes", "ruins=yes", "building=ruins",
    "end_date=2019", "end_date=2019-05", "end_date=2019-05-17", "end_date=before|2020",
    "end_date=~2015", "end_date=early|2018", "end_date=2017..2018", "end_date=C19",
    "end_date=1990s", "end_date=2026-11-27",
    "opening_hours=closed", "opening_hours=off", 'opening_hours=closed|"moved"',
    "opening_hours=24/7|off", "opening_hours=停业", "operational_status=closed",
    "name:zh=西园社区卫生服务中心（已关闭）",
)  # fmt: skip
PLANNED = (
    "construction=yes", "construction=hospital", "proposed=yes", "planned=yes",
    "building=construction", "landuse=construction", "start_date=2027", "opening_date=2027-03-01",
    "alt_name=西园社区卫生服务中心(拟建)",
)  # fmt: skip
OPEN = (
    "disused=no", "construction=no", "construction=minor", "end_date=2026", "end_date=2026-11-28",
    "end_date=2031-12-31", "end_date=after|2015", "start_date=2026", "start_date=before|2030",
    "opening_hours=Mo-Fr|08:00-17:00;|PH|off", "opening_hours=24/7", "disused:shop=bakery",
    "disused:amenity=bank", "was:amenity=clinic", "note=closed", "historic=ruins",
    "old_name=某某医院（已关闭）",
)  # fmt: skip
BEFORE = (
    "disused:amenity", "abandoned:amenity", "demolished:amenity", "razed:amenity", "was:amenity",
    "removed:amenity",
)  # fmt: skip
TO_COME = ("construction:amenity", "proposed:amenity", "planned:amenity")


def test_every_way_of_saying_it(policy: Policy, tmp_path: Path) -> None:
    said = [f"{CENTRE} {how}" for how in (*GONE, *PLANNED, *OPEN)]
    said += [f"{key}=hospital name=西园社区卫生服务中心" for key in (*BEFORE, *TO_COME)]
    path = write_things(tmp_path / "d.osm.pbf", dict(enumerate(map(tags_of, said), start=1)))
    places = read_places(path, policy, TODAY)
    shut = places.not_open[places.not_open["service"] == "health_centre"]
    state = dict(zip(shut["id"], shut["state"], strict=True))
    expected = ["gone"] * len(GONE) + ["planned"] * len(PLANNED) + ["open"] * len(OPEN)
    expected += ["gone"] * len(BEFORE) + ["planned"] * len(TO_COME)
    found = [state.get(f"node/{number}", "open") for number in range(1, len(said) + 1)]
    assert list(zip(said, found, strict=True)) == list(zip(said, expected, strict=True))
    opened = {f"node/{i}" for i, one in enumerate(expected, start=1) if one == "open"}
    assert set(places.facilities.id) == opened
    why = dict(zip(shut["id"], shut["why"], strict=True))
    assert why["node/1"] == "disused=yes"
    assert why[f"node/{len(said)}"] == "planned:amenity=hospital"


def test_a_past_life_closes_only_the_past(policy: Policy, tmp_path: Path) -> None:
    """A pharmacy in a former clinic is a pharmacy; the clinic is told."""
    both = tags_of("amenity=pharmacy disused:healthcare=centre name=翠湖社区卫生服务中心")
    path = write_things(tmp_path / "d.osm.pbf", {1: both})
    places = read_places(path, policy, TODAY)
    assert places.facilities.service.tolist() == ["pharmacy"]
    assert places.not_open[["service", "state"]].to_numpy().tolist() == [["health_centre", "gone"]]


def test_a_shut_shop_leaves_the_house(policy: Policy, tmp_path: Path) -> None:
    """A closed shop is none, the flats above it stay; a house in ruins has no flats."""
    ring = (1, 2, 12, 11, 1)
    shut = tags_of("building=apartments shop=convenience opening_hours=closed")
    fallen = tags_of("building=apartments shop=convenience abandoned=yes")
    path = write_things(
        tmp_path / "d.osm.pbf", {n: {} for n in range(1, 21)}, {1: (ring, shut), 2: (ring, fallen)}
    )
    places = read_places(path, policy, TODAY)
    assert places.buildings["id"].tolist() == ["way/1"]
    assert places.facilities.id.tolist() == []
    assert places.not_open["id"].tolist() == ["way/1", "way/2"]


def test_without_a_day_dates_say_nothing(policy: Policy) -> None:
    assert policy.life_cycle is not None
    tags = tags_of("amenity=clinic end_date=2001")
    names = names_of(tags)
    assert LifeReader(policy.life_cycle, None)(tags, names).state is None
    assert LifeReader(policy.life_cycle, date(2001, 12, 31))(tags, names).state is None
    assert LifeReader(policy.life_cycle, date(2002, 1, 1))(tags, names).state == "gone"


@pytest.mark.parametrize(
    ("how", "residents"),
    [("", 2600), ("disused=yes", 1400), ("end_date=2026-11-27", 1400), ("construction=yes", 1400)],
)
def test_the_town_counts_open_centres_only(
    how: str, residents: int, shared_data: Path, tmp_path: Path
) -> None:
    """The town of the field cases: two centres reach 2,600 of 4,000, the eastern alone 1,400."""
    field = shared_data / "field"
    centres = (
        '<node id="9001" version="1" lon="102.6950471" lat="24.9954862">{}</node>',
        '<node id="9002" version="1" lon="102.7059435" lat="25.0054166">{}</node>',
    )
    said = (tags_of("amenity=clinic name=东园社区卫生服务中心"), tags_of(f"{CENTRE} {how}"))
    written = "\n".join(
        centre.format("".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items()))
        for centre, tags in zip(centres, said, strict=True)
    )
    town = (field / "town.osm").read_text(encoding="utf-8")
    first_way = town.index("<way")
    osm = tmp_path / "town.osm"
    osm.write_text(town[:first_way] + written + "\n" + town[first_way:], encoding="utf-8")
    people = field / "town_cells.csv"
    request = BuildRequest("t", osm=osm, population=people, datum="wgs84", today=TODAY)
    _, policy, city, travel = analyse_city(request)
    found = coverage(Study(city, travel, policy), Question(service="health_centre"))
    assert found.total.covered == residents
    told = [warn for warn in city.warnings if warn.key == "facilities_not_open"]
    if not how:
        assert not told
        assert city.notes.not_open == ()
        return
    (warn,) = told
    state = "planned" if how.startswith("construction") else "gone"
    assert (warn.params["count"], warn.params[state]) == (1, 1)
    assert "社区卫生服务中心 1 处（node/9002）" in warn.text("zh")
    assert "Community health centre 1 (node/9002)" in warn.text("en")
    (note,) = city.notes.not_open
    assert (note.id, note.service, note.state, note.why) == (
        "node/9002", "health_centre", state, how.replace("|", " "),
    )  # fmt: skip
