"""Tables whose columns are OpenStreetMap tags, as exporters write them, read by the tag rules."""

from __future__ import annotations

from datetime import date

import pytest
import shapely

from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.osm.place_rows import Place
from lifecircle.analysis.readers.osm.places import places_of
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.records.tables import FacilityTable
from lifecircle.analysis.readers.tables.population_and_facilities import (
    guess_kind,
    read_facilities,
)
from tests.files.tables import faults
from tests.worlds.tagged import tags_of

WGS84 = Declarations(Declaration(datum="wgs84"))


def served(table: FacilityTable) -> list[tuple[str, str, str]]:
    return list(zip(table.id.tolist(), table.service.tolist(), table.name.tolist(), strict=True))


def test_overpass_turbo(shared_data, policy):
    """A relation's ``type=multipolygon`` is no kind of service."""
    path = shared_data / "field" / "18_overpass_export.geojson"
    table = read_facilities(path, policy)
    assert served(table) == [
        ("node/11", "health_centre", "甲社区医院"),
        ("node/12", "pharmacy", "乙药店"),
        ("relation/13", "park", "丙公园"),
    ]
    checked = check_file(path, policy=policy)
    assert (checked.kind, checked.errors) == ("facilities", 0)
    assert guess_kind(read_records(path, WGS84), policy) == "facilities"


ALIKE = {
    "quickosm.csv": "full_id,osm_id,osm_type,amenity,name,type,level,lon,lat\n"
    "n100,100,node,pharmacy,甲,,0,102.7,25.0\n",
    "ogr_points.csv": "X,Y,osm_id,name,barrier,highway,other_tags\n"
    '102.7,25.0,100,甲,,,"""amenity""=>""pharmacy"",""note""=>""a \\""b\\"", c"""\n',
    "ogr_json.csv": 'X,Y,osm_id,name,other_tags\n102.7,25.0,100,甲,"{""amenity"":""pharmacy""}"\n',
    "osmnx.csv": "element,id,geometry,amenity,name\nnode,100,POINT (102.7 25.0),pharmacy,甲\n",
    "overpass.csv": "@id\t@type\t@lat\t@lon\tamenity\tname\n100\tnode\t25.0\t102.7\tpharmacy\t甲\n",
    "geofabrik.csv": "osm_id,code,fclass,name,wkt\n100,2101,pharmacy,甲,POINT(102.7 25.0)\n"
    "200,2724,memorial,碑,POINT(102.7 25.1)\n",
}


@pytest.mark.parametrize("name", ALIKE)
def test_every_exporter_gives_the_same_pharmacy(file, policy, name):
    table = read_facilities(file(ALIKE[name], name), policy, WGS84)
    ((one, service, called),) = served(table)
    assert (one.removeprefix("node/"), service, called) == ("100", "pharmacy", "甲")
    assert table.where.in_degrees()[0].coords[0] == (102.7, 25.0)
    assert table.attributes["level"].tolist() == [None]  # a storey is no level of a facility


def test_an_export_is_read_as_the_file_it_came_from(file, policy):
    """Things of several services, of none, closed and planned: as `places_of` reads them."""
    things = {
        "node/1": "amenity=pharmacy name=甲药店 operator:type=public",
        "node/2": "disused:amenity=clinic name=乙 shop=convenience",
        "node/3": "amenity=library name=丙图书馆 amenity:note=x opening_hours=24/7",
        "node/4": "highway=bus_stop name=丁",
        "node/5": "amenity=pharmacy name=戊 end_date=2020-01-01",
        "node/6": "construction:amenity=pharmacy name=己",
        "node/7": "leisure=fitness_centre shop=convenience name=庚健身便利店",
    }
    tags = {one: tags_of(said) for one, said in things.items()}
    titles = list(dict.fromkeys(key for held in tags.values() for key in held))
    rows = [
        ",".join([one, "102.7", f"25.0{number}", *(held.get(key, "") for key in titles)])
        for number, (one, held) in enumerate(tags.items())
    ]
    path = file("\n".join([",".join(["@id", "lon", "lat", *titles]), *rows]) + "\n")
    today = date(2026, 1, 1)
    known = [
        Place(one, held, shapely.Point(102.7, float(f"25.0{n}")))
        for n, (one, held) in enumerate(tags.items())
    ]
    expected = places_of(known, policy, today)
    table = read_facilities(path, policy, WGS84, today=today)
    assert served(table) == served(expected.facilities)
    for field in ("ownership", "opening_hours", "name_en"):
        assert table.attributes[field].tolist() == expected.facilities.attributes[field].tolist()
    columns = ["id", "service", "name", "state", "why"]
    assert (
        table.not_open[columns].to_numpy().tolist()
        == expected.not_open[columns].to_numpy().tolist()
    )
    told = {fault.key: fault for fault in table.warnings}
    assert told["input_osm_export_rest"].rows == (5,)
    assert told["input_osm_export_shut"].params["count"] == len(expected.not_open)


def test_a_bureaus_table_with_a_column_of_tags_is_its_own(file, policy):
    """Who says the kind of each place means it; tags beside it say nothing."""
    text = "类型,名称,amenity,经度,纬度\n药店,甲,library,102.7,25.0\n"
    assert served(read_facilities(file(text), policy, WGS84)) == [("row/2", "pharmacy", "甲")]
    shops = "name,shop,lon,lat\n甲,yes,102.7,25.0\n"
    (fault,) = faults(lambda: read_facilities(file(shops, "s.csv"), policy, WGS84))
    assert fault.key == "input_service_missing"


def test_lines_count_where_the_rules_say_so(file, policy):
    path = file(
        "@id,wkt,leisure,name\n"
        'way/1,"LINESTRING(102.7 25.0,102.71 25.0)",park,甲\n'
        'way/2,"POLYGON((102.7 25.0,102.71 25.0,102.71 25.01,102.7 25.0))",park,乙\n'
    )
    assert served(read_facilities(path, policy, WGS84)) == [("way/2", "park", "乙")]
