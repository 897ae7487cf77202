"""What clients send that cannot be run here, replayed; the project file of QGIS, opened as XML."""

from __future__ import annotations

import csv
import io
import itertools
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from lifecircle.service.ogc.qgis_project import TILED
from lifecircle.service.wording import Words
from tests.http.ogc.asked import COUNTS, EPSG, items

GDAL_ACCEPT = "application/geo+json, application/json"


def project(served: TestClient, lang: str = "zh") -> ElementTree.Element:
    answer = served.get(f"/areas/tiny/qgis?lang={lang}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-qgis-project"
    assert 'filename="tiny.qgs"' in answer.headers["content-disposition"]
    return ElementTree.fromstring(answer.content)


def text(element: ElementTree.Element, path: str) -> str:
    found = element.findtext(path)
    assert found is not None, path
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_qgis_project_has_every_layer_named_and_drawn(served: TestClient, lang: str) -> None:
    root = project(served, lang)
    assert text(root, "projectCrs/spatialrefsys/authid") == "EPSG:4543"
    drawn = {text(one, "shortname"): one for one in root.iterfind("projectlayers/maplayer")}
    assert set(drawn) == set(COUNTS)
    tree = {one.get("id"): one for one in root.iterfind("layer-tree-group/layer-tree-layer")}
    for layer, one in drawn.items():
        node = tree[text(one, "id")]
        named = (node.get("source"), node.get("name"))
        assert named == (text(one, "datasource"), text(one, "layername"))
        assert text(one, "layername") == Words("zh" if lang == "zh" else "en")[f"layer_{layer}"]
        assert one.get("type") == ("vector-tile" if layer in TILED else "vector")
        assert len(one.findall(".//symbol")) > 0
    fields = {one.get("field"): one.get("name") for one in drawn["units"].iterfind("aliases/alias")}
    assert fields["residents"] == {"zh": "居民", "en": "Residents"}[lang]
    assert list(fields)[1:] == list(items(served, "units", limit=1)["features"][0]["properties"])


def test_what_the_project_points_to_is_there(served: TestClient) -> None:
    for one in project(served).iterfind("projectlayers/maplayer"):
        source = text(one, "datasource")
        if one.get("type") == "vector-tile":
            told = parse_qs(source)
            address = told["url"][0].format(z=0, y=0, x=0)
            assert served.get(unquote(address)).status_code in (200, 204)
            continue
        told = dict(part.split("=", 1) for part in source.split("' ") if "=" in part)
        layer = told["typename"].strip("'")
        assert served.get(f"/collections/{layer}").status_code == 200
        column = one.find("renderer-v2")
        assert column is not None
        attribute = column.get("attr")
        if attribute:
            properties = served.get(f"/collections/{layer}/schema").json()["properties"]
            assert attribute in properties


def test_classes_of_the_project_grow_darker(served: TestClient) -> None:
    for one in project(served).iterfind("projectlayers/maplayer"):
        colours = [
            [int(part) for part in prop.get("v", "").split(",")[:3]]
            for prop in one.iterfind(".//symbol[@type='fill']/layer/prop[@k='color']")
        ]
        lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in colours]
        assert lightness == sorted(lightness, reverse=True)
        steps = [a - b for a, b in itertools.pairwise(lightness)]
        assert all(step > 12 for step in steps)


def test_the_page_of_an_area_has_the_project(served: TestClient) -> None:
    assert "/areas/tiny/qgis?lang=en" in served.get("/areas/tiny?f=html&lang=en").text


def test_excel_power_query(served: TestClient) -> None:
    answer = served.get(
        "/collections/tiny.units/items?f=csv&level=subdistrict&properties=code%2Cname%2Cresidents"
        "&lang=zh",
        headers={"accept": "*/*", "accept-encoding": "gzip, deflate",
                 "user-agent": "Microsoft.Data.Mashup (https://go.microsoft.com/fwlink/?LinkID=304225)"},
    )  # fmt: skip
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["code"] for row in rows] == ["S1", "S2"]
    assert list(rows[0]) == ["id", "code", "name", "residents", "lon", "lat"]


def test_arcgis_pro(served: TestClient) -> None:
    agent = {"user-agent": "ArcGIS Pro", "accept": "application/json"}
    for path in ("/?f=json", "/conformance?f=json", "/collections?f=json"):
        assert served.get(path, headers=agent).headers["content-type"] == "application/json"
    seen: list[str] = []
    for offset in (0, 4, 8):
        found = served.get(
            f"/collections/tiny.cells/items?f=json&limit=4&offset={offset}"
            f"&bbox=-180,-90,180,90&bbox-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            headers=agent,
        )
        assert found.headers["content-type"] == "application/geo+json"
        seen += [one["id"] for one in found.json()["features"]]
    assert seen == [f"c{i}" for i in range(1, 11)]
    mercator = items(served, "cells", crs=f"{EPSG}3857")
    assert mercator["numberMatched"] == 10


def test_r_sf_and_gdal_ask_with_a_filter_pushed(served: TestClient) -> None:
    found = served.get(
        "/collections/tiny.units/items?limit=1000&level=community", headers={"accept": GDAL_ACCEPT}
    )
    assert found.headers["content-type"] == "application/geo+json"
    assert found.json()["numberMatched"] == 5


def test_maplibre_follows_the_tilejson(served: TestClient) -> None:
    told = served.get("/collections/tiny.cells/tiles/WebMercatorQuad?f=tilejson").json()
    where = urlsplit(told["tiles"][0])
    address = f"{where.path}?{where.query}".replace("{z}", "0").replace("{y}", "0")
    answer = served.get(address.replace("{x}", "0"), headers={"accept": "*/*"})
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
