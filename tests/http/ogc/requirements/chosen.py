"""Drafts of Features part 6 (which properties) and part 8 (in which order)."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from tests.http.ogc.asked import (
    COUNTS,
    LAYER,
    PLACE,
    by_hand,
    items,
    links,
    parameter,
    refused,
    schema_of,
)
from tests.http.ogc.requirements.registry import requirement

CHOSEN, SORTED = "features-6/1.0/req", "features-8/1.0/req"


@requirement(f"{CHOSEN}/properties/parameter", f"{CHOSEN}/properties-features/request")
def properties_parameter(served: TestClient) -> None:
    told = parameter(served, "properties")
    assert (told["style"], told["explode"], told["schema"]["type"]) == ("form", False, "array")
    assert set(told["schema"]["items"]["enum"]) == {
        "id", *items(served, "cells", limit=1)["features"][0]["properties"],
    }  # fmt: skip
    assert parameter(served, "properties", "/collections/{collection}/items/{item}")


@requirement(f"{CHOSEN}/properties/response")
def properties_response(served: TestClient) -> None:
    whole = items(served, "cells")["features"]
    few = items(served, "cells", properties="residents,unit_code", filter="modelled = false")
    assert [{"residents", "unit_code"}] * len(few["features"]) == [
        set(one["properties"]) for one in few["features"]
    ]
    assert [one["geometry"] for one in few["features"]] == [one["geometry"] for one in whole]
    one = served.get(f"{PLACE}?properties=name").json()
    assert list(one["properties"]) == ["name"]
    bare = items(served, "cells", properties="id")["features"]
    assert [(f["id"], f["properties"]) for f in bare] == [(f["id"], {}) for f in whole]
    assert len(served.get(f"{LAYER}/items?f=csv&properties=id").text.splitlines()) == 11
    for form in ("xlsx", "gpkg", "parquet", "html"):
        assert served.get(f"{LAYER}/items?f={form}&properties=id").status_code == 200, form
    refused(served, "properties=residnets", "properties_no_property")
    refused(served, "properties=residents,residents", "name_twice")
    lines = served.get(f"{LAYER}/items?f=csv&properties=residents").content.decode("utf-8-sig")
    assert lines.splitlines()[0] == "id,residents,lon,lat"


@requirement(f"{SORTED}/sortables/sortables-link", f"{SORTED}/sortables/get-sortables-op",
             f"{SORTED}/sortables/get-sortables-success")  # fmt: skip
def sortables(served: TestClient) -> None:
    for layer in COUNTS:
        home = links(served.get(f"/collections/tiny.{layer}").json())
        answer = served.get(home["http://www.opengis.net/def/rel/ogc/1.0/sortables"])
        assert answer.headers["content-type"] == "application/schema+json"
        schema_of(answer.json(), f"http://testserver/collections/tiny.{layer}/sortables")
        assert "geometry" not in answer.json()["properties"]


@requirement(f"{SORTED}/sorting/sortby-definition")
def sortby_definition(served: TestClient) -> None:
    told = parameter(served, "sortby")
    assert (told["required"], told["style"], told["explode"]) == (False, "form", False)
    assert (told["schema"]["type"], told["schema"]["minItems"]) == ("array", 1)
    pattern = told["schema"]["items"]["pattern"]
    assert re.search(pattern, "-residents")
    assert not re.search(pattern, "residnets")


@requirement(f"{SORTED}/core/rc-sortby-response", f"{SORTED}/features-sorting/request")
def sortby_response(served: TestClient) -> None:
    for layer in COUNTS:
        rows = items(served, layer)["features"]
        named = served.get(f"/collections/tiny.{layer}/sortables").json()["properties"]
        for name in named:
            if layer == "cells" and name.startswith("minutes_") and name != "minutes_pharmacy":
                continue
            for sign in ("", "%2B", "+", "-") if name == "id" else ("-",):
                answer = served.get(f"/collections/tiny.{layer}/items?sortby={sign}{name}")
                assert [one["id"] for one in answer.json()["features"]] == by_hand(
                    rows, [(name, sign == "-")]
                ), (layer, name, sign)
