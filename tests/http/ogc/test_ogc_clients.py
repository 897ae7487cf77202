"""OGC API Features read by real clients: GDAL and OWSLib."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.results.layers.layers import LAYERS
from tests.http.ogc.asked import COUNTS

ROOT = Path(__file__).resolve().parents[3]


GDAL = """
import json, sys
import pyogrio

source, told = "OAPIF:" + sys.argv[1] + "/", {}
for name in json.loads(sys.argv[2]):
    frame = pyogrio.read_dataframe(source, layer=f"tiny.{name}")
    told[name] = len(frame)
empty = pyogrio.read_info(source, layer="tiny.cells")
told["types"] = dict(zip(empty["fields"].tolist(), map(str, empty["dtypes"]), strict=True))
told["where"] = len(pyogrio.read_dataframe(source, layer="tiny.units", where="level='community'"))
told["bbox"] = list(
    pyogrio.read_dataframe(source, layer="tiny.cells", bbox=(102, 25.03, 102.01, 25.04))["id"]
)
metric = pyogrio.read_dataframe(source, layer="tiny.cells", CRS="EPSG:4543")
told["metric"] = [metric.crs.to_epsg(), *metric.geometry.iloc[0].bounds]
paged = pyogrio.read_dataframe(source, layer="tiny.gaps", PAGE_SIZE="7")
told["paged"] = len(paged)
told["residents"] = int(pyogrio.read_dataframe(source, layer="tiny.cells")["residents"].sum())
print(json.dumps(told))
"""

OWS = """
import json, sys
from owslib.ogcapi.features import Features

service = Features(sys.argv[1] + "/")
told = {
    "collections": service.feature_collections(),
    "classes": len(service.conformance()["conformsTo"]),
    "found": service.collection_items("tiny.units", level="subdistrict")["numberMatched"],
    "one": service.collection_item("tiny.facilities", "h1")["id"],
    "queryables": "level" in service.collection_queryables("tiny.units")["properties"],
    "api": service.api()["openapi"],
}
print(json.dumps(told))
"""


def run_client(code: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_gdal_reads_every_layer(host: str) -> None:
    told = run_client(GDAL, host, json.dumps(LAYERS))
    assert {layer: told[layer] for layer in LAYERS} == COUNTS
    assert told["where"] == 5
    assert told["bbox"] == ["c1", "c2"]
    assert told["metric"] == pytest.approx([4543, 500175, 2770025, 500225, 2770075], abs=0.01)
    assert told["paged"] == COUNTS["gaps"]
    assert told["residents"] == 1910
    # not assessed anywhere, so empty everywhere: the schema says that it is a number
    assert told["types"]["minutes_market"] == "float64"


def test_owslib_reads_it(host: str) -> None:
    told = run_client(OWS, host)
    assert told["collections"] == [f"tiny.{layer}" for layer in LAYERS]
    assert told["classes"] >= 6
    assert (told["found"], told["one"], told["api"]) == (2, "h1", "3.0.3")
    assert told["queryables"]
